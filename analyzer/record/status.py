"""The status document (what `status` and the live view show) and the entry of an ended release. Pure builders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.state import Cause, ExecutedCommand, PauseKind, Release, TargetState
from analyzer.model.target import Roles, Side
from analyzer.model.verdict import BEFORE_AND_AFTER, Verdict
from analyzer.model.workload import Snapshot
from analyzer.record.metric_document import metrics_of, plain, rounded

_WHOLE = frozenset({Phase.PROMOTING, Phase.BAKING, Phase.SUCCEEDED})
_NOTHING = frozenset({Phase.ROLLING_BACK, Phase.ABORTED, Phase.GONE})
_SHARED = frozenset({Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTING})
"""Phases in which both versions may serve side by side, each in its own Deployment."""

_RELEASE_KEYS = (
    "release", "version", "step", "steps", "stepWeight", "nextWeight", "weight", "gateOpen", "knownGood", "startedAt",
    "stepStartedAt", "promotingAt", "bakeEndsAt", "deadlineAt", "atDeadline", "abortedAt", "safeAt", "endedAt",
)  # fmt: skip


def status_of(report: Report, state: TargetState) -> dict[str, Any]:
    """What one tick has to show for a target, as plain JSON; `state` is the document as it was saved last.

    `step` counts from 1, `weight` is the percentage of replicas that is asked for now, times are ISO 8601 in UTC.
    What is not known is null; `metrics` is empty where nothing is judged. `compared` names the two sides of the
    metrics' numbers; null where they are the canary and stable.
    """
    decision, verdict, release = report.decision, report.verdict, state.release
    return {
        "target": state.target,
        "namespace": report.target.namespace,
        "mode": report.target.mode.value,
        "phase": state.phase.value,
        "phaseReason": state.reason,
        "outcome": release.result.value if release and release.result else None,
        "action": decision.action.value,
        "reason": report.error or decision.reason,
        "error": report.error,
        **_release_fields(state),
        "verdict": verdict.outcome.value if verdict else None,
        "observedShare": rounded(observed_share(report.snapshot, state, verdict)),
        "versions": _versions(report.snapshot),
        "replicas": _replicas(report.snapshot, state.roles),
        "metrics": metrics_of(verdict),
        "compared": _compared(state) if verdict and verdict.metrics else None,
        "pause": _pause(release) if release else None,
        "cause": _cause(release.cause) if release else None,
        "unmanaged": state.unmanaged,
        "warnings": list(_warnings(report, state)),
        "executedCommands": [_executed(command) for command in state.executed],
        "undeliveredAlerts": len(state.outbox),
        "since": _time(state.since),
        "updatedAt": _time(report.at),
    }


def history_entry(state: TargetState, verdict: Verdict | None = None) -> dict[str, Any]:
    """The entry of the release that has ended in `state`, with the last verdict on it where there is one.

    Raises ValueError when `state` holds no ended release.
    """
    release = state.release
    if release is None or release.result is None or release.ended_at is None:
        raise ValueError(f"{state.target} has no ended release to write into its history")
    cause = release.cause
    return {
        "id": release.id,
        "target": state.target,
        "result": release.result.value,
        "reason": cause.reason if cause else state.reason,
        "cause": cause.kind.value if cause else None,
        "culprit": cause.culprit if cause else None,
        "mode": release.mode.value,
        "knownGood": release.known_good,
        "versions": {"stable": release.stable.hash, "canary": release.canary.hash},
        "total": release.total,
        "weights": [plain(step.weight) for step in release.plan.steps[: len(release.steps)]],
        "metrics": metrics_of(verdict),
        "startedAt": _time(release.started_at),
        "abortedAt": _time(release.aborted_at),
        "safeAt": _time(release.safe_at),
        "endedAt": _time(release.ended_at),
        "seconds": _seconds(release.started_at, release.ended_at),
        "secondsToAbort": _seconds(release.started_at, release.aborted_at),
        "secondsToSafe": _seconds(release.started_at, release.safe_at),
    }


def observed_share(snapshot: Snapshot | None, state: TargetState, verdict: Verdict | None) -> float | None:
    """The canary's part of the requests, None unless it serves beside stable now: an old share is no news."""
    canary = snapshot.canary if snapshot is not None else None
    release = state.release
    if verdict is None or canary is None or canary.available == 0 or release is None or release.ended_at is not None:
        return None
    return verdict.observed_share if state.phase in _SHARED else None


def _compared(state: TargetState) -> dict[str, str] | None:
    """Names for the sides of a bake's comparison; after a swap the Deployments' roles are exchanged."""
    release = state.release
    if release is None or state.phase is not Phase.BAKING:
        return None
    if release.held_back:
        return {"canary": "new version", "stable": "old version"}
    return {"canary": BEFORE_AND_AFTER.canary, "stable": BEFORE_AND_AFTER.stable}


def _warnings(report: Report, state: TargetState) -> tuple[str, ...]:
    """Those of the release and of this tick; while one waits, those that it would begin with."""
    now = report.snapshot.admission.warnings if report.snapshot is not None else ()
    if state.phase is Phase.PENDING and report.snapshot is not None:
        return now
    return tuple(dict.fromkeys((*state.warnings, *now)))


def _release_fields(state: TargetState) -> dict[str, Any]:
    release = state.release
    if release is None:
        return dict.fromkeys(_RELEASE_KEYS)
    steps, number = release.plan.steps, release.step + 1
    values = {
        "release": release.id,
        "version": release.canary.hash,
        "step": number,
        "steps": len(steps),
        "stepWeight": plain(release.current_step.weight),
        "nextWeight": plain(steps[number].weight) if number < len(steps) else None,
        "weight": _weight(state.phase, release),
        "gateOpen": release.gate_open,
        "knownGood": release.known_good,
        "startedAt": _time(release.started_at),
        "stepStartedAt": _time(release.record.entered_at),
        "promotingAt": _time(release.promoting_at),
        "bakeEndsAt": _time(state.since + release.plan.bake) if state.phase is Phase.BAKING else None,
        "deadlineAt": _time(_deadline(state.phase, release)),
        "atDeadline": release.plan.on_inconclusive.value,
        "abortedAt": _time(release.aborted_at),
        "safeAt": _time(release.safe_at),
        "endedAt": _time(release.ended_at),
    }
    return {key: values[key] for key in _RELEASE_KEYS}


def _deadline(phase: Phase, release: Release) -> datetime | None:
    """When the deadline comes if nothing stops the release's clock; the clock runs in PROGRESSING only."""
    if phase is not Phase.PROGRESSING:
        return None
    return release.clock.at + max(release.plan.deadline + release.extended - release.clock.spent, timedelta(0))


def _weight(phase: Phase, release: Release) -> float | None:
    if phase in _WHOLE:
        return 100
    if phase in _NOTHING:
        return 0
    return None if release.ended_at else plain(release.current_step.weight)


def _replicas(snapshot: Snapshot | None, roles: Roles) -> dict[str, Any]:
    return {side.value: _side(snapshot, roles, side) for side in Side}


def _versions(snapshot: Snapshot | None) -> dict[str, str | None]:
    """The hash of the template that each Deployment has now."""
    sides = {side.value: snapshot.side(side) if snapshot else None for side in Side}
    return {name: workload.template.hash if workload else None for name, workload in sides.items()}


def _side(snapshot: Snapshot | None, roles: Roles, side: Side) -> dict[str, Any]:
    workload = snapshot.side(side) if snapshot else None
    return {
        "deployment": roles.name(side),
        "requested": workload.replicas if workload else None,
        "available": workload.available if workload else None,
    }


def _pause(release: Release) -> dict[str, Any] | None:
    """`timeoutAt` is when a gate with a time-out stops waiting, `then` what happens at that time."""
    pause, gate = release.pause, release.current_step.gate
    if pause is None:
        return None
    limited = gate if gate and gate.timeout and pause.kind is PauseKind.GATE else None
    return {
        "kind": pause.kind.value,
        "reason": pause.reason,
        "since": _time(pause.since),
        "timeoutAt": _time(pause.since + limited.timeout) if limited and limited.timeout else None,
        "then": limited.then.value if limited else None,
    }


def _cause(cause: Cause | None) -> dict[str, Any] | None:
    return None if cause is None else {"kind": cause.kind.value, "reason": cause.reason, "culprit": cause.culprit}


def _executed(command: ExecutedCommand) -> dict[str, Any]:
    return {
        "id": command.id,
        "verb": command.verb.value,
        "accepted": command.accepted,
        "answer": command.answer,
    }


def _time(when: datetime | None) -> str | None:
    return when.isoformat().replace("+00:00", "Z") if when else None


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if end else None
