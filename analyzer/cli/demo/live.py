"""The live view of the demo on a terminal: where the release is, what was measured, what was decided and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from analyzer.model.duration import show_duration
from analyzer.model.phase import Phase
from analyzer.model.verdict import Classification, MetricVerdict
from analyzer.ports import Report

if TYPE_CHECKING:
    from types import TracebackType

_PATH = (Phase.IDLE, Phase.PENDING, Phase.PROGRESSING, Phase.PROMOTING, Phase.BAKING, Phase.SUCCEEDED)
_WAY_OUT = (Phase.IDLE, Phase.PENDING, Phase.PROGRESSING, Phase.ROLLING_BACK, Phase.ABORTED)
_COLOURS = {
    Classification.PASS: "green",
    Classification.HIGH: "red",
    Classification.LOW: "red",
    Classification.ERROR: "red",
    Classification.NO_DATA: "yellow",
    Classification.UNDECIDED: "cyan",
}
_BAR = 16


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
    parts: list[RenderableType] = [_phases(report.decision.state.phase), _shares(report, judged)]
    if judged is not None and judged.verdict is not None:
        parts.append(_metrics(judged.verdict.metrics))
    parts.append(_decision(report))
    return Panel(Group(*parts), title=f"canary-analyzer demo: {title}", title_align="left")


def _phases(phase: Phase) -> Text:
    path = _WAY_OUT if phase in (Phase.ROLLING_BACK, Phase.ABORTED) else _PATH
    shown = Phase.PROGRESSING if phase is Phase.PAUSED else phase
    text = Text("phase   ")
    for place in path:
        text.append(" > " if place is not path[0] else "", style="dim")
        current = place is shown
        name = phase.value if current else place.value
        text.append(name, style="bold reverse" if current else "dim")
    return text


def _shares(report: Report, judged: Report | None) -> Text:
    release, snapshot = report.decision.state.release, report.snapshot
    if release is None or snapshot is None or snapshot.stable is None or snapshot.canary is None:
        return Text("share   no release yet")
    share = judged.verdict.observed_share if judged and judged.verdict else None
    observed = "-" if share is None else f"{100 * share:.1f} %"
    step = f"step {release.step + 1} of {len(release.plan.steps)}"
    pods = (
        f"stable {snapshot.stable.available}/{snapshot.stable.replicas}, "
        f"canary {snapshot.canary.available}/{snapshot.canary.replicas} pods available"
    )
    weight = f"{release.current_step.weight:g} % requested"
    return Text(f"share   {step}: {weight}, {observed} observed; {pods}")


def _metrics(metrics: tuple[MetricVerdict, ...]) -> Table:
    table = Table(expand=True, pad_edge=False, box=None)
    for heading in ("metric", "", "canary", "stable", "ratio (95 %)", "to abort", "to promote", "left"):
        table.add_column(heading, no_wrap=True)
    for metric in metrics:
        colour = _COLOURS[metric.classification]
        table.add_row(
            metric.name,
            Text(metric.classification.value, style=colour),
            *_sides(metric),
            _ratio(metric),
            *_progress(metric),
            "-" if metric.seconds_to_promote is None else f"~{show_duration(metric.seconds_to_promote)}",
        )
    return table


def _sides(metric: MetricVerdict) -> tuple[str, str]:
    """Counts and shares of canary and stable, or the levels of a gauge."""
    if metric.levels is not None:
        return f"{metric.levels[0]:.3g}", f"{metric.levels[1]:.3g}"
    sides = metric.canary, metric.stable
    return _rate(sides[0].events, sides[0].total), _rate(sides[1].events, sides[1].total)


def _rate(events: float, total: float) -> str:
    return f"{events:.0f}/{total:.0f} {100 * events / total:.1f} %" if total else "-"


def _ratio(metric: MetricVerdict) -> str:
    if metric.ratio is None:
        return "-"
    interval = "" if metric.interval is None else f" [{metric.interval[0]:.2f}, {metric.interval[1]:.2f}]"
    return f"{metric.ratio:.2f}x{interval}"


def _progress(metric: MetricVerdict) -> tuple[RenderableType, RenderableType]:
    evidence = metric.evidence
    if evidence is None:
        return "-", "-"
    return (
        _bar(evidence.abort, evidence.abort_at, "red"),
        _bar(evidence.promote, evidence.promote_at, "green"),
    )


def _bar(nats: float, needed: float, colour: str) -> ProgressBar:
    """How much of the evidence that decides is there, in nats."""
    done = min(max(nats, 0.0), needed)
    return ProgressBar(total=needed, completed=done, width=_BAR, complete_style=colour, finished_style=colour)


def _decision(report: Report) -> Text:
    at = f"{_local(report.at):%H:%M:%S}"
    reason = report.error or report.decision.reason
    style = "red" if report.error else ""
    return Text.assemble((f"{at}    ", "dim"), (report.decision.action.value, "bold"), " ", (reason, style))


def _local(when: datetime) -> datetime:
    return when.astimezone()
