"""The log as a `Reporter`: one `decision` event per tick and target, from which its release can be retold."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

from analyzer.model.decision import Transition
from analyzer.model.report import Report
from analyzer.model.verdict_document import MetricDocument, metric_documents, rounded
from analyzer.model.workload import Snapshot

_log = structlog.get_logger(__name__)

_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")


class LogReporter:
    """Logs every decision: as information when something changed for its target, else for debugging.

    Changed means another phase, action or kind of reason (its text without numbers), a move, or something to note.
    A failed tick is a warning when it is news.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, ...]] = {}

    def report(self, report: Report) -> None:
        """Log one tick."""
        level = self._level(report)
        if _log.is_enabled_for(level):  # thousands of idle targets are logged for debugging only
            _log.log(level, "decision", **decision_fields(report, technical=_log.is_enabled_for(logging.DEBUG)))

    def forget(self, target: str) -> None:
        """Drop a target that is not configured any more."""
        self._last.pop(target, None)

    def _level(self, report: Report) -> int:
        decision = report.decision
        seen = (decision.state.phase, decision.action, _NUMBERS.sub("#", report.error or decision.reason))
        changed = self._last.get(report.target.name) != seen
        self._last[report.target.name] = seen
        if not (changed or decision.move or decision.transitions or decision.notes):
            return logging.DEBUG
        return logging.WARNING if report.error else logging.INFO


def made(report: Report) -> tuple[Transition, ...]:
    """The transitions of a tick that are in the state document.

    A tick may fail after that was written (the write to a Deployment was refused, say): the phase has changed then,
    and no later tick reports it. A tick that failed before has changed nothing.
    """
    transitions = report.decision.transitions
    if not transitions or (report.error is not None and report.decision.state.phase is not transitions[-1].after):
        return ()
    return transitions


def decision_fields(report: Report, *, technical: bool = False) -> dict[str, Any]:
    """The fields of a `decision` event, without those that do not apply now.

    `technical`: with the log evidence behind the percentages, for those who debug the statistics.
    """
    decision, verdict, release = report.decision, report.verdict, report.decision.state.release
    fields: dict[str, Any] = {
        "target": report.target.name,
        "namespace": report.target.namespace,
        "release": release.id if release else None,
        "phase": decision.state.phase.value,
        "action": decision.action.value,
        "reason": decision.reason,
        "error": report.error,
        "move": str(decision.move) if decision.move else None,
        "transitions": [f"{one.before} -> {one.after}: {one.reason}" for one in decision.transitions] or None,
        "notes": list(decision.notes) or None,
        "replicas": _replicas(report.snapshot),
        "verdict": verdict.outcome.value if verdict else None,
        "metrics": {one.name: _metric(one, technical=technical) for one in metric_documents(verdict)}
        if verdict
        else None,
        "observed_share": rounded(verdict.observed_share) if verdict else None,
    }
    if release and not release.ended_at:
        fields["step"] = f"{release.step + 1}/{len(release.plan.steps)}"
        fields["weight"] = release.current_step.weight
    return {key: value for key, value in fields.items() if value is not None}


def _replicas(snapshot: Snapshot | None) -> dict[str, str] | None:
    """Available of requested replicas on both sides, as 9/10."""
    if snapshot is None:
        return None
    sides = {"stable": snapshot.stable, "canary": snapshot.canary}
    return {name: f"{side.available}/{side.replicas}" if side else "gone" for name, side in sides.items()}


def _metric(metric: MetricDocument, *, technical: bool) -> dict[str, Any]:
    """One metric's numbers: events/total of both sides (of a gauge: levels), the comparison, and the evidence in
    whole percents of what decides."""
    canary, stable = f"{metric.canary.events}/{metric.canary.total}", f"{metric.stable.events}/{metric.stable.total}"
    if metric.levels:
        canary, stable = f"{metric.levels.canary:g}", f"{metric.levels.stable:g}"
    fields: dict[str, Any] = {"classification": str(metric.classification), "canary": canary, "stable": stable}
    if metric.ratio is not None:
        fields["ratio"] = metric.ratio
    if metric.interval:
        fields["interval"] = list(metric.interval)
    if metric.evidence and metric.log_evidence:
        fields["abort_evidence"] = round(1000 * metric.evidence.abort) // 10
        fields["promote_evidence"] = round(1000 * metric.evidence.promote) // 10
        if technical:
            fields["log_evidence_abort"] = metric.log_evidence.abort
            fields["log_evidence_abort_threshold"] = metric.log_evidence.abort_at
            fields["log_evidence_promote"] = metric.log_evidence.promote
            fields["log_evidence_promote_threshold"] = metric.log_evidence.promote_at
    return fields
