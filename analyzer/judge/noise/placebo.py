"""The placebo check: does the test abort stable's own pods, with the noise that was estimated from them?

Called when a release starts, after `noise.estimate`. One pod after the other plays the canary for an hour of the
history, against the other pods, with no tolerance. They ran the same version, so the test should hardly ever cross;
where it crosses too often, the noise has a shape that phi and tau do not describe, and both are raised, at most two
times.

Few pod-windows say little: 9 pods and 6 hours are 54 of them, not 54 releases. They share baselines, and the noise was
estimated from the same data. So passing proves nothing, and failing is a warning that is worth having.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from scipy import special

from analyzer.judge.evidence import begin, enter, fold
from analyzer.judge.verdict import judge
from analyzer.model.block import Block, History, NoData, Sample, SideBlock, Timing
from analyzer.model.metric import Analysis, Gating, Margin, TestedMetric
from analyzer.model.noise import BoundNoise, Noise
from analyzer.model.numbers import times
from analyzer.model.verdict import Outcome

WINDOW_SECONDS = 3600.0
"""How long a pod plays the canary; all of a shorter history."""

MOST_WINDOWS = 60
"""Pod-windows that are looked at; enough to see what matters, and quick."""

FEWEST_PODS = 3
"""A canary and two others, at least."""

RAISES = (1.0, 1.25, 1.5, 2.0)
"""Factors by which phi and tau are raised, one after the other, until the test no longer crosses too often."""

_SUSPICION = 0.05


@dataclass(frozen=True, slots=True)
class PlaceboReport:
    """In how many of how many disjoint pod-windows the test `crossed` with the noise as it was estimated.

    `factor` is by how much phi and tau were raised for it, `left` in how many windows it crosses even so. `warning`
    is for people, None when all is well.
    """

    windows: int = 0
    crossed: int = 0
    factor: float = 1.0
    left: int = 0
    warning: str | None = None


def checked(
    metric: TestedMetric, history: History[Sample] | NoData, noise: Noise, false_abort: float = 0.01
) -> tuple[Noise, PlaceboReport]:
    """The noise to use, and what the check found. `false_abort` is the alpha of the metric's test."""
    windows = [] if isinstance(history, NoData) else list(islice(_windows(history), MOST_WINDOWS))
    if isinstance(history, NoData) or not windows:
        return noise, PlaceboReport()
    raised, factor, crossing = noise, 1.0, windows
    crossed: list[int] = []
    for factor in RAISES:
        raised = _raised(noise, factor)
        crossing = [blocks for blocks in crossing if _crosses(metric, blocks, raised, history.length, false_abort)]
        crossed.append(len(crossing))
        if not _too_often(len(crossing), len(windows), false_abort):
            break
    report = PlaceboReport(len(windows), crossed[0], factor, crossed[-1])
    return _worded(raised, report, suspicious=_too_often(crossed[-1], len(windows), false_abort))


def _windows(history: History[Sample]) -> Iterator[list[Block[Sample]]]:
    """Disjoint pod-windows, in turn from all over the history and from all pods."""
    pods = sorted({pod for side in history.batches for pod in side.pods})
    if len(pods) < FEWEST_PODS:
        return
    length = max(1, min(len(history.batches), round(WINDOW_SECONDS / history.length)))
    starts = range(0, len(history.batches) - length + 1, length)
    for turn in range(len(pods)):
        for place, start in enumerate(starts):
            pod = pods[(turn + place) % len(pods)]
            batches = history.batches[start : start + length]
            if any(pod in side.pods and len(side.pods) > 1 for side in batches):
                yield [_block(index, side, pod) for index, side in enumerate(batches)]


def _block(index: int, side: SideBlock[Sample], pod: str) -> Block[Sample]:
    canary = {name: one for name, one in side.pods.items() if name == pod}
    others = replace(side, pods={name: one for name, one in side.pods.items() if name != pod})
    return Block(index, replace(side, pods=canary), others, others)


def _crosses(
    metric: TestedMetric, blocks: Sequence[Block[Sample]], noise: Noise, length: float, false_abort: float
) -> bool:
    """Would a release of this pod have been aborted at any of these blocks, if it were to be no worse at all?"""
    strict = replace(metric, tolerance=Margin(1.0), gating=Gating.ABORT)
    analysis = Analysis((strict,), false_abort=false_abort, fast_lane=None)
    evidence = begin(analysis, 1, Timing(length, length / 2, 0.0), {metric.name: noise})
    evidence = enter(evidence, 0, abort_from=0)
    for block in blocks:
        evidence = fold(evidence, metric.name, [block])
        if judge(evidence).outcome is Outcome.FAIL:
            return True
    return False


def _too_often(crossed: int, windows: int, false_abort: float) -> bool:
    """Is this many significantly more than a test of this level may cross?"""
    return bool(crossed > 0 and special.bdtrc(crossed - 1, windows, false_abort) < _SUSPICION)


def _raised(noise: Noise, factor: float) -> Noise:
    """Noise that much stronger; of a gauge, within pods too."""
    return replace(
        noise,
        dispersion=noise.dispersion * factor,
        pod_spread=noise.pod_spread * factor,
        within_pod=noise.within_pod * factor,
        bounds=tuple(BoundNoise(one.dispersion * factor, one.pod_spread * factor) for one in noise.bounds),
    )


def _worded(noise: Noise, report: PlaceboReport, *, suspicious: bool) -> tuple[Noise, PlaceboReport]:
    """Say in the noise's source and in the report what had to be done, if anything."""
    if report.factor == 1:
        return noise, report
    seen = f"stable's pods compared with each other gave {report.crossed} false alarms in {report.windows} windows"
    source = f"{noise.source}, raised {times(report.factor)}: {seen}"
    if not suspicious:
        return replace(noise, source=source), replace(
            report, warning=f"{seen}; assuming {times(report.factor)} the noise"
        )
    warning = (
        f"{seen}, and {report.left} with {times(report.factor)} the noise: this metric varies in a way that the test "
        "does not model; widen its tolerance, state its noise, or set `gating: none`"
    )
    return replace(noise, source=source), replace(report, warning=warning)
