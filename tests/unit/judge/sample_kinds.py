"""Blocks of histograms, rates and restarts for the judge's tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.judge import begin, enter, fold, judge, prove_from
from analyzer.model.block import Arrivals, Block, Buckets, Restarts, SideBlock
from analyzer.model.metric import Analysis, Metric
from analyzer.model.noise import Noise
from analyzer.model.verdict import MetricVerdict
from tests.unit.judge.sample_blocks import TIMING

BOUNDS = (0.1, 0.25, 1.0, math.inf)


def histogram(
    index: int, canary: Sequence[float], stable: Sequence[float], bounds: tuple[float, ...] = BOUNDS
) -> Block[Buckets]:
    """One pod a side, with requests per bucket (not cumulative)."""
    sides = [SideBlock({pod: buckets(each)}, bounds=bounds) for pod, each in (("c", canary), ("s", stable))]
    return Block(index, sides[0], sides[1], sides[1])


def buckets(per_bucket: Sequence[float]) -> Buckets:
    """Cumulative counts."""
    return Buckets(tuple(sum(per_bucket[: place + 1]) for place in range(len(per_bucket))))


def rate(index: int, canary: tuple[float, float], stable: tuple[float, float]) -> Block[Arrivals]:
    """Events and exposure of one pod a side."""
    after = SideBlock({"s": Arrivals(*stable)})
    return Block(index, SideBlock({"c": Arrivals(*canary)}), after, after)


def restarts(index: int, canary: Mapping[str, float], stable: float, hours: float) -> Block[Restarts]:
    """Restarts of canary pods, and of one stable pod; each has served so many hours."""
    after = SideBlock({"s": Restarts(stable, hours)})
    return Block(index, SideBlock({pod: Restarts(count, hours) for pod, count in canary.items()}), after, after)


def verdict(metric: Metric, blocks: Sequence[Block[Any]], noise: Noise | None = None, steps: int = 1) -> MetricVerdict:
    """What is said about a metric whose step and proof began at block 0."""
    analysis = Analysis((metric,), fast_lane=None)
    begun = begin(analysis, steps, TIMING, None if noise is None else {metric.name: noise})
    evidence = prove_from(enter(begun, 0, abort_from=0), 0)
    return judge(fold(evidence, metric.name, blocks)).metrics[0]
