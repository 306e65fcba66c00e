"""The demo without a terminal: a short line for each decision that changed something."""

from __future__ import annotations

from collections.abc import Callable

from analyzer.model.decision import Action
from analyzer.model.moments import clock_time
from analyzer.model.phase import Phase
from analyzer.ports import Report
from analyzer.record import status_of
from analyzer.record.explanation import first_sentence, listed, short_reason, step_words

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
        parts = [first_sentence(one.reason) for one in decision.transitions if one.after is not Phase.ABORTED]
        if decision.state.phase is Phase.ABORTED and decision.transitions:
            parts = ["the canary is out of service"]
        if decision.action is Action.ADVANCE:
            parts.append(_advance(report))
        elif self._step_reached(report):
            parts.append(short_reason(status_of(report, decision.state)))
        if decision.move:
            parts.append(str(decision.move))
        return "; ".join(parts)

    def _step_reached(self, report: Report) -> bool:
        """Is this the tick in which the step's pods are all available?"""
        release = report.decision.state.release
        if release is None or release.record.settled_at is None or report.decision.state.phase is not Phase.PROGRESSING:
            return False
        settled = (release.id, release.step)
        known, self._settled = self._settled, settled
        return known != settled


def _advance(report: Report) -> str:
    """The step that begins, and on what evidence."""
    step = step_words(status_of(report, report.decision.state))
    metrics = report.verdict.metrics if report.verdict else ()
    names = [metric.name for metric in metrics if metric.advance_proven]
    return f"{step} starts" + (f", enough evidence on {listed(names)}" if names else "")
