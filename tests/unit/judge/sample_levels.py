"""Blocks of gauges for the judge's tests, short to write and easy to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.judge.gauges.evidence import GaugeEvidence, fold_levels
from analyzer.judge.gauges.verdict import judge_gauge
from analyzer.judge.order import Starts
from analyzer.judge.thresholds import Thresholds
from analyzer.model.block import Block, PodLevel, SideBlock
from analyzer.model.metric import GaugeMetric, Margin
from analyzer.model.noise import Noise
from analyzer.model.verdict import MetricVerdict

CPU = GaugeMetric("cpu", "cpu_seconds", counter=True, tolerance=Margin(1.1), promote_margin=Margin(1.5))
QUIET = Noise(within_pod=0.1)
SECONDS = 30.0
STEP = Starts(0, 0)
AT = Thresholds(abort=4.6, promote=3.0, block=SECONDS, settled=True)

Levels = Mapping[str, float | str]


def side(levels: Levels) -> SideBlock[PodLevel]:
    """A side: per pod its level, or why it is absent."""
    return SideBlock(
        pods={pod: PodLevel(one) for pod, one in levels.items() if not isinstance(one, str)},
        absent={pod: one for pod, one in levels.items() if isinstance(one, str)},
    )


def alike(level: float, pods: int, name: str) -> Levels:
    """So many pods at one level."""
    return {f"{name}{pod}": level for pod in range(pods)}


def block(index: int, canary: float | Levels, stable: float | Levels) -> Block[PodLevel]:
    """A block with 2 canary and 4 stable pods at a level, or with the pods that are given."""
    return Block(
        index,
        side(alike(canary, 2, "c") if isinstance(canary, float) else canary),
        side(alike(stable, 4, "s") if isinstance(stable, float) else stable),
    )


def run(canary: float, stable: float, blocks: range) -> list[Block[PodLevel]]:
    """The same levels in each block."""
    return [block(index, canary, stable) for index in blocks]


def folded(
    blocks: Iterable[Block[PodLevel]], metric: GaugeMetric = CPU, noise: Noise = QUIET, starts: Starts = STEP
) -> GaugeEvidence:
    """The evidence of these blocks."""
    return fold_levels(GaugeEvidence(metric, noise, SECONDS), list(blocks), starts)


def verdict(
    blocks: Iterable[Block[PodLevel]], metric: GaugeMetric = CPU, noise: Noise = QUIET, at: Thresholds = AT
) -> MetricVerdict:
    """What is said about a gauge after these blocks."""
    return judge_gauge(folded(blocks, metric, noise), at)
