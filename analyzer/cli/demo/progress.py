"""The demo without a terminal: a short line for each decision that changed something."""

from __future__ import annotations

from collections.abc import Callable

from analyzer.model.decision import Action
from analyzer.model.moments import clock_time
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.record import status_of
from analyzer.record.explanation import first_sentence, without_metrics, without_place

_PHASE_WIDTH = max(len(phase) for phase in Phase)


class ProgressLines:
    """A Reporter that writes a line with time, phase, step and what happens."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._settled: tuple[str, int] | None = None
        self._error: str | None = None

    def report(self, report: Report) -> None:
        """Write a line if this tick changed something."""
        text = self._news(report)
        if text:
            state = report.decision.state
            release = state.release
            step = f"{release.step + 1}/{len(release.plan.steps)}" if release and not release.ended_at else "-"
            at = clock_time(report.at, report.at)
            self._write(f"{at}  {state.phase:<{_PHASE_WIDTH}}  {step:<3}  {text}\n")

    def _news(self, report: Report) -> str:
        decision = report.decision
        if report.error != self._error:
            self._error = report.error
            return f"tick failed, nothing changed: {report.error}" if report.error else "ticks succeed again"
        if decision.state.phase.stopped and decision.state.phase.idle and decision.transitions:
            return "the canary is out of service"
        if decision.transitions or decision.move or decision.action is not Action.HOLD or self._step_reached(report):
            return in_short(report)
        return ""

    def _step_reached(self, report: Report) -> bool:
        """Is this the tick in which the step's pods are all available?"""
        release, phase = report.decision.state.release, report.decision.state.phase
        if release is None or release.record.settled_at is None or not phase.clock_runs:
            return False
        settled = (release.id, release.step)
        known, self._settled = self._settled, settled
        return known != settled


def in_short(report: Report) -> str:
    """The reason of a decision, with first sentences in place of whole comparisons."""
    status = status_of(report, report.decision.state)
    reason = report.decision.reason
    causes = (status.cause.reason,) if status.cause else ()
    for told in (*(change.reason for change in report.decision.transitions), *causes):
        reason = reason.replace(told, first_sentence(told))
    return without_place(without_metrics(reason, status))
