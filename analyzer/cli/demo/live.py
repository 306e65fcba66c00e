"""The live view of the demo on a terminal, in 80 columns: phase, pods, what was measured, what happens and why."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from analyzer.cli.demo.progress import in_short
from analyzer.cli.demo.story import phase_judged
from analyzer.model.block import Counts
from analyzer.model.moments import clock_time
from analyzer.model.numbers import count, percent, times
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.verdict import BEFORE_AND_AFTER, CANARY_AND_STABLE, Classification, MetricVerdict, level_text
from analyzer.record import status_of
from analyzer.record.explanation import short_reason, step_words
from analyzer.record.status import observed_share

if TYPE_CHECKING:
    from types import TracebackType

_PATH = tuple(phase for phase in Phase if phase.usual)
_WAY_OUT = (*(phase for phase in _PATH if not phase.steps_over), *(phase for phase in Phase if phase.stopped))
_COLOURS = {
    Classification.PASS: "green",
    Classification.HIGH: "red",
    Classification.LOW: "red",
    Classification.ERROR: "red",
    Classification.NO_DATA: "yellow",
    Classification.UNDECIDED: "cyan",
}
_BAR = 6
_BAR_WIDTH = _BAR + len(" 100 %")
_HUNDRED = 100


class LiveView:
    """A Reporter that draws the newest report; use as a context manager around the releases."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)
        self._title = "starting"
        self._last_verdict: Report | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def announce(self, title: str) -> None:
        """Name the release that is being played."""
        self._title = title
        self._last_verdict = None

    def report(self, report: Report) -> None:
        """Draw."""
        if report.verdict is not None and report.verdict.metrics:
            self._last_verdict = report
        self._live.update(render(report, self._title, self._last_verdict), refresh=True)


def render(report: Report, title: str, judged: Report | None) -> RenderableType:
    """One frame; `judged` is the newest report with numbers, which stay on the screen after the judging ended."""
    parts: list[RenderableType] = [_phases(report.decision.state.phase), *_release(report, judged)]
    if judged is not None and judged.verdict is not None:
        parts.append(_metrics(judged.verdict.metrics, phase_judged(judged)))
    parts.append(_happening(report))
    return Panel(Group(*parts), title=f"canary-analyzer demo: {title}", title_align="left")


def _phases(phase: Phase) -> Text:
    path = _WAY_OUT if phase.stopped else _PATH
    text = Text("phase   ")
    for place in path:
        text.append(" > " if place is not path[0] else "", style="dim")
        current = place is phase or (phase.paused and place.in_steps)
        name = phase.value if current else place.value
        text.append(name, style="bold reverse" if current else "dim")
    return text


def _release(report: Report, judged: Report | None) -> list[Text]:
    state, snapshot = report.decision.state, report.snapshot
    if state.release is None or snapshot is None or snapshot.stable is None or snapshot.canary is None:
        return [Text("step    no release yet")]
    verdict = judged.verdict if judged else None
    share = observed_share(snapshot, state, verdict) if state.phase.in_steps else None
    observed = "" if share is None else f", {percent(share)} of requests observed"
    pods = " and ".join(
        f"{side.name} {side.available} of {side.replicas}" for side in (snapshot.stable, snapshot.canary)
    )
    steps = len(state.release.plan.steps)
    step = f"all {steps} passed" if state.phase.steps_over else step_words(status_of(report, state))
    return [Text(f"step    {step.removeprefix('step ')}{observed}"), Text(f"pods    {pods} available")]


def _metrics(metrics: tuple[MetricVerdict, ...], phase: Phase) -> Table:
    sides = BEFORE_AND_AFTER if phase.baking else CANARY_AND_STABLE
    table = Table(expand=True, pad_edge=False, box=None, padding=(0, 1, 0, 0))
    for heading in ("metric", sides.canary, sides.stable, "ratio"):
        table.add_column(heading, no_wrap=True)
    for heading in ("to abort", "to promote"):
        table.add_column(heading, no_wrap=True, min_width=_BAR_WIDTH)
    for metric in metrics:
        name = Text(metric.name, style=_COLOURS[metric.classification])
        ratio = "-" if metric.ratio is None else times(metric.ratio)
        table.add_row(name, *_sides(metric), ratio, *_progress(metric))
    return table


def _sides(metric: MetricVerdict) -> tuple[str, str]:
    """Shares of canary and stable with their sizes, or the levels of a gauge."""
    if metric.levels is not None:
        canary, stable = metric.levels
        return level_text(canary, metric.unit), level_text(stable, metric.unit)
    return _rate(metric.canary), _rate(metric.stable)


def _rate(counts: Counts) -> str:
    return f"{percent(counts.events / counts.total)} of {count(counts.total)}" if counts.total else "-"


def _progress(metric: MetricVerdict) -> tuple[RenderableType, RenderableType]:
    evidence = metric.evidence
    if evidence is None:
        return "-", "-"
    return _bar(evidence.abort_progress, "red"), _bar(evidence.promote_progress, "green")


def _bar(share: float, colour: str) -> Text:
    """How much of the evidence that decides is there; it is 100 % only where it decides."""
    whole = math.floor(_HUNDRED * share)
    done = _BAR * whole // _HUNDRED
    return Text.assemble(("█" * done, colour), ("░" * (_BAR - done), "dim"), f"{percent(whole / _HUNDRED):>6}")


def _happening(report: Report) -> Text:
    changed = report.decision.transitions and not report.error
    reason = in_short(report) if changed else short_reason(status_of(report, report.decision.state))
    return Text.assemble((f"{clock_time(report.at, report.at)}  ", "dim"), (reason, "red" if report.error else ""))
