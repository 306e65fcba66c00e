"""The log as a `Reporter`: one `decision` event per tick and target, from which its release can be retold."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

from analyzer.model.decision import Transition
from analyzer.model.report import Report
from analyzer.model.verdict import LogEvidence, MetricVerdict
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
        "metrics": {one.name: _metric(one, technical=technical) for one in verdict.metrics} if verdict else None,
    }
    if release and not release.ended_at:
        fields["step"] = f"{release.step + 1}/{len(release.plan.steps)}"
        fields["weight"] = release.current_step.weight
    if verdict and verdict.observed_share is not None:
        fields["observed_share"] = round(verdict.observed_share, 3)
    return {key: value for key, value in fields.items() if value is not None}


def _replicas(snapshot: Snapshot | None) -> dict[str, str] | None:
    """Available of requested replicas on both sides, as 9/10."""
    if snapshot is None:
        return None
    sides = {"stable": snapshot.stable, "canary": snapshot.canary}
    return {name: f"{side.available}/{side.replicas}" if side else "gone" for name, side in sides.items()}


def _metric(metric: MetricVerdict, *, technical: bool) -> dict[str, Any]:
    """One metric's numbers: events/total of both sides (of a gauge: levels), the comparison, and the evidence in
    whole percents of what decides."""
    counts = [f"{side.events:.10g}/{side.total:.10g}" for side in (metric.canary, metric.stable)]
    canary, stable = counts if metric.levels is None else [f"{level:.4g}" for level in metric.levels]
    fields: dict[str, Any] = {"classification": metric.classification.value, "canary": canary, "stable": stable}
    if metric.ratio is not None:
        fields["ratio"] = round(metric.ratio, 3)
    if interval := metric.finite_interval():
        fields["interval"] = [None if end is None else round(end, 3) for end in interval]
    if metric.evidence is not None:
        fields["abort_evidence"] = int(100 * metric.evidence.abort_progress)
        fields["promote_evidence"] = int(100 * metric.evidence.promote_progress)
        if technical:
            fields |= _log_evidence(metric.evidence)
    return fields


def _log_evidence(evidence: LogEvidence) -> dict[str, float]:
    """The numbers behind the percents, as the glossary defines them."""
    numbers = {
        "log_evidence_abort": evidence.abort,
        "log_evidence_abort_threshold": evidence.abort_at,
        "log_evidence_promote": evidence.promote,
        "log_evidence_promote_threshold": evidence.promote_at,
    }
    return {name: round(value, 2) for name, value in numbers.items()}
