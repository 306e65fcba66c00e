"""The status document (what `status` and the live view show) and the entry of an ended release. Pure builders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from analyzer.model.block import Counts
from analyzer.model.phase import Phase
from analyzer.model.state import Cause, ExecutedCommand, Pause, Release, TargetState
from analyzer.model.target import Roles, Side
from analyzer.model.verdict import LogEvidence, MetricVerdict, Verdict
from analyzer.model.workload import Snapshot
from analyzer.ports import Report

_WHOLE = frozenset({Phase.PROMOTING, Phase.BAKING, Phase.SUCCEEDED})
_NOTHING = frozenset({Phase.ROLLING_BACK, Phase.ABORTED, Phase.GONE})


def status_of(report: Report, state: TargetState) -> dict[str, Any]:
    """What one tick has to show for a target, as plain JSON; `state` is the document as it was saved last.

    `step` counts from 1, `weight` is the percentage of replicas that is asked for now, times are ISO 8601 in UTC.
    What is not known is null; `metrics` is empty where nothing is judged.
    """
    decision, verdict, release = report.decision, report.verdict, state.release
    return {
        "target": state.target,
        "namespace": report.target.namespace,
        "mode": report.target.mode.value,
        "phase": state.phase.value,
        "outcome": release.result.value if release and release.result else None,
        "action": decision.action.value,
        "reason": report.error or decision.reason,
        "error": report.error,
        **_release_fields(state),
        "verdict": verdict.outcome.value if verdict else None,
        "observedShare": _rounded(verdict.observed_share) if verdict else None,
        "versions": _versions(report.snapshot),
        "replicas": _replicas(report.snapshot, state.roles),
        "metrics": metrics_of(verdict),
        "pause": _pause(release.pause) if release else None,
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
        "weights": [_number(step.weight) for step in release.plan.steps[: len(release.steps)]],
        "metrics": metrics_of(verdict),
        "startedAt": _time(release.started_at),
        "abortedAt": _time(release.aborted_at),
        "safeAt": _time(release.safe_at),
        "endedAt": _time(release.ended_at),
        "seconds": _seconds(release.started_at, release.ended_at),
        "secondsToAbort": _seconds(release.started_at, release.aborted_at),
        "secondsToSafe": _seconds(release.started_at, release.safe_at),
    }


def metrics_of(verdict: Verdict | None) -> list[dict[str, Any]]:
    """Each metric's classification and its numbers, as plain JSON; evidence in nats."""
    return [_metric(metric) for metric in verdict.metrics] if verdict else []


def _metric(metric: MetricVerdict) -> dict[str, Any]:
    return {
        "name": metric.name,
        "classification": metric.classification.value,
        "reason": metric.reason,
        "canary": _counts(metric.canary),
        "stable": _counts(metric.stable),
        "levels": _levels(metric),
        "ratio": _rounded(metric.ratio),
        "interval": [_rounded(bound) for bound in metric.finite_interval() or ()] or None,
        "logEvidence": _evidence(metric.evidence) if metric.evidence else None,
        "proven": metric.proven,
        "secondsToPromote": _rounded(metric.seconds_to_promote),
        "secondsToAdvance": _rounded(metric.seconds_to_advance),
        "silentPods": list(metric.silent_pods),
    }


def _warnings(report: Report, state: TargetState) -> tuple[str, ...]:
    """Those of the release and of this tick; while one waits, those that it would begin with."""
    now = report.snapshot.admission.warnings if report.snapshot is not None else ()
    if state.phase is Phase.PENDING and report.snapshot is not None:
        return now
    return tuple(dict.fromkeys((*state.warnings, *now)))


def _release_fields(state: TargetState) -> dict[str, Any]:
    release = state.release
    if release is None:
        names = ("release", "version", "step", "steps", "weight", "gateOpen", "startedAt", "endedAt")
        return dict.fromkeys(names)
    return {
        "release": release.id,
        "version": release.canary.hash,
        "step": release.step + 1,
        "steps": len(release.plan.steps),
        "weight": _weight(state.phase, release),
        "gateOpen": release.gate_open,
        "startedAt": _time(release.started_at),
        "endedAt": _time(release.ended_at),
    }


def _weight(phase: Phase, release: Release) -> float | None:
    if phase in _WHOLE:
        return 100
    if phase in _NOTHING:
        return 0
    return None if release.ended_at else _number(release.current_step.weight)


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


def _levels(metric: MetricVerdict) -> dict[str, float] | None:
    """What a gauge has where other metrics have counts."""
    if metric.levels is None:
        return None
    return {side: float(f"{level:.4g}") for side, level in zip(("canary", "stable"), metric.levels, strict=True)}


def _counts(counts: Counts) -> dict[str, float]:
    return {"events": _number(counts.events), "total": _number(counts.total)}


def _evidence(evidence: LogEvidence) -> dict[str, float | None]:
    return {
        "abort": _rounded(evidence.abort),
        "promote": _rounded(evidence.promote),
        "advance": _rounded(evidence.advance),
        "abortAt": _rounded(evidence.abort_at),
        "promoteAt": _rounded(evidence.promote_at),
    }


def _pause(pause: Pause | None) -> dict[str, Any] | None:
    return None if pause is None else {"kind": pause.kind.value, "reason": pause.reason, "since": _time(pause.since)}


def _cause(cause: Cause | None) -> dict[str, Any] | None:
    return None if cause is None else {"kind": cause.kind.value, "reason": cause.reason, "culprit": cause.culprit}


def _executed(command: ExecutedCommand) -> dict[str, Any]:
    return {
        "id": command.id,
        "verb": command.verb.value,
        "accepted": command.accepted,
        "answer": command.answer,
    }


def _number(value: float) -> float:
    """Whole numbers without a decimal point, as people write them; the others to a thousandth."""
    return int(value) if value == int(value) else round(value, 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _time(when: datetime | None) -> str | None:
    return when.isoformat().replace("+00:00", "Z") if when else None


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if end else None
