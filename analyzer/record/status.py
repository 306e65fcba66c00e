"""Builds the status document (what `status` and the live view show) and the entry of an ended release. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.state import Cause, ExecutedCommand, PauseKind, Release, TargetState
from analyzer.model.status_document import (
    AnswerDocument,
    BySide,
    CauseDocument,
    DeploymentDocument,
    HistoryEntry,
    PauseDocument,
    StatusDocument,
)
from analyzer.model.target import Side
from analyzer.model.verdict import BEFORE_AND_AFTER, Sides, Verdict
from analyzer.model.verdict_document import metric_documents, plain, rounded
from analyzer.model.workload import Snapshot


def status_of(report: Report, state: TargetState) -> StatusDocument:
    """What one tick has to show for a target; `state` is the document as it was saved last."""
    decision, verdict, snapshot = report.decision, report.verdict, report.snapshot
    status = StatusDocument(
        target=state.target,
        namespace=report.target.namespace,
        mode=report.target.mode,
        phase=state.phase,
        phase_reason=state.reason,
        action=decision.action,
        reason=report.error or decision.reason,
        error=report.error,
        verdict=verdict.outcome if verdict else None,
        observed_share=rounded(observed_share(snapshot, state, verdict)),
        versions=BySide(_version(snapshot, Side.STABLE), _version(snapshot, Side.CANARY)),
        replicas=BySide(_pods(report, state, Side.STABLE), _pods(report, state, Side.CANARY)),
        metrics=metric_documents(verdict),
        compared=_compared(state) if verdict and verdict.metrics else None,
        unmanaged=state.unmanaged,
        warnings=_warnings(report, state),
        executed_commands=tuple(map(_answer, state.executed)),
        undelivered_alerts=len(state.outbox),
        since=state.since,
        updated_at=report.at,
    )
    return status if state.release is None else _with_release(status, state, state.release)


def history_entry(state: TargetState, verdict: Verdict | None = None) -> HistoryEntry:
    """The entry of the release that has ended in `state`, with the last verdict on it where there is one.

    Raises ValueError when `state` holds no ended release.
    """
    release = state.release
    if release is None or release.result is None or release.ended_at is None:
        raise ValueError(f"{state.target} has no ended release to write into its history")
    cause = release.cause
    return HistoryEntry(
        id=release.id,
        target=state.target,
        result=release.result,
        reason=cause.reason if cause else state.reason,
        cause=cause.kind if cause else None,
        culprit=cause.culprit if cause else None,
        mode=release.mode,
        known_good=release.known_good,
        versions=BySide(release.stable.hash, release.canary.hash),
        total=release.total,
        weights=tuple(plain(step.weight) for step in release.plan.steps[: len(release.steps)]),
        metrics=metric_documents(verdict),
        started_at=release.started_at,
        aborted_at=release.aborted_at,
        safe_at=release.safe_at,
        ended_at=release.ended_at,
        seconds=_seconds(release.started_at, release.ended_at),
        seconds_to_abort=_seconds(release.started_at, release.aborted_at),
        seconds_to_safe=_seconds(release.started_at, release.safe_at),
    )


def observed_share(snapshot: Snapshot | None, state: TargetState, verdict: Verdict | None) -> float | None:
    """The canary's part of the requests, None unless it serves beside stable now: an old share is no news."""
    canary = snapshot.canary if snapshot is not None else None
    release = state.release
    if verdict is None or canary is None or canary.available == 0 or release is None or release.ended_at is not None:
        return None
    return verdict.observed_share if state.phase.serves_both else None


def cause_document(cause: Cause) -> CauseDocument:
    """Why a release was rolled back."""
    return CauseDocument(cause.kind, cause.reason, cause.culprit)


def _with_release(status: StatusDocument, state: TargetState, release: Release) -> StatusDocument:
    steps, number = release.plan.steps, release.step + 1
    return replace(
        status,
        outcome=release.result,
        release=release.id,
        version=release.canary.hash,
        step=number,
        steps=len(steps),
        step_weight=plain(release.current_step.weight),
        next_weight=plain(steps[number].weight) if number < len(steps) else None,
        weight=_weight(state.phase, release),
        gate_open=release.gate_open,
        known_good=release.known_good,
        started_at=release.started_at,
        step_started_at=release.record.entered_at,
        promoting_at=release.promoting_at,
        bake_ends_at=state.since + release.plan.bake if state.phase.baking else None,
        deadline_at=_deadline(state.phase, release),
        at_deadline=release.plan.on_inconclusive,
        aborted_at=release.aborted_at,
        safe_at=release.safe_at,
        ended_at=release.ended_at,
        pause=_pause(release),
        cause=cause_document(release.cause) if release.cause else None,
    )


def _compared(state: TargetState) -> Sides | None:
    """Names for the sides of a bake's comparison; after a swap the Deployments' roles are exchanged."""
    release = state.release
    if release is None or not state.phase.baking:
        return None
    return Sides("new version", "old version") if release.held_back else BEFORE_AND_AFTER


def _warnings(report: Report, state: TargetState) -> tuple[str, ...]:
    """Those of the release and of this tick; while one waits, those that it would begin with."""
    now = report.snapshot.admission.warnings if report.snapshot is not None else ()
    if state.phase.pending and report.snapshot is not None:
        return now
    return tuple(dict.fromkeys((*state.warnings, *now)))


def _deadline(phase: Phase, release: Release) -> datetime | None:
    """When the deadline comes if nothing stops the release's clock; None where it does not run."""
    if not phase.clock_runs:
        return None
    return release.clock.at + max(release.plan.deadline + release.extended - release.clock.spent, timedelta(0))


def _weight(phase: Phase, release: Release) -> float | None:
    if phase.weight is not None:
        return phase.weight
    return None if release.ended_at else plain(release.current_step.weight)


def _version(snapshot: Snapshot | None, side: Side) -> str | None:
    """The hash of the template that the Deployment has now."""
    workload = snapshot.side(side) if snapshot else None
    return workload.template.hash if workload else None


def _pods(report: Report, state: TargetState, side: Side) -> DeploymentDocument:
    workload = report.snapshot.side(side) if report.snapshot else None
    found = (workload.replicas, workload.available) if workload else (None, None)
    return DeploymentDocument(state.roles.name(side), *found)


def _pause(release: Release) -> PauseDocument | None:
    pause, gate = release.pause, release.current_step.gate
    if pause is None:
        return None
    if gate is None or not gate.timeout or pause.kind is not PauseKind.GATE:
        return PauseDocument(pause.kind, pause.reason, pause.since)
    return PauseDocument(pause.kind, pause.reason, pause.since, pause.since + gate.timeout, gate.then)


def _answer(command: ExecutedCommand) -> AnswerDocument:
    return AnswerDocument(command.id, command.verb, command.accepted, command.answer)


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if end else None
