"""What is particular to metrics that count events in the sentences of `wording`: sides, limits and boundaries in their
own units. Called by `count_verdict`."""

from __future__ import annotations

import math

from analyzer.judge.wording import Comparison, allowance, share_of
from analyzer.model.block import Counts
from analyzer.model.metric import CountMetric, HistogramMetric, Margin
from analyzer.model.numbers import count, number, times
from analyzer.model.verdict import Sides

_SECONDS_AT_MOST = 600.0


def compared(
    metric: CountMetric, boundary: str | None, counts: tuple[Counts, Counts], ratio: str, limit: str, sides: Sides
) -> Comparison:
    """The canary's and stable's counts beside each other."""
    canary, stable = counts
    return Comparison(
        name=metric.name,
        canary=f"{sides.canary} {_side(metric, canary, boundary)}",
        stable=f"{sides.stable} {_side(metric, stable, None)}",
        ratio=ratio,
        limit=limit,
    )


def bound(metric: CountMetric, margin: Margin) -> str:
    """A margin in the metric's own unit: 1.25x + 0.05 pp, 2x + 0.02 per pod-hour, 0.8x where less is worse."""
    if metric.less_is_worse:
        return _fewer(margin)
    if metric.exposure is None:
        return allowance(margin)
    per = metric.exposure.unit.removesuffix("s")
    return f"{margin.ratio:g}x" + (f" + {number(margin.absolute)} per {per}" if margin.absolute else "")


def boundary_name(metric: HistogramMetric, le: float, bounds: tuple[float, ...]) -> str:
    """A bound as people say it: 250 ms, 2.5 s; 512 where the unit is not known."""
    name = metric.buckets.partition("{")[0]
    if "milliseconds" in name or name.endswith("_ms_bucket"):
        return f"{le:g} ms"
    unknown = not name or "_" not in name
    if "seconds" in name or "duration" in name or (unknown and bounds[-1] <= _SECONDS_AT_MOST and bounds[0] < 1):
        return f"{le * 1000:g} ms" if le < 1 else f"{le:g} s"
    return f"{le:g}"


def _side(metric: CountMetric, counts: Counts, boundary: str | None) -> str:
    over = metric.exposure
    if over is None:
        return share_of(counts, "" if boundary is None else f" over {boundary}")
    counted = f"{count(counts.events)} in {number(counts.total)} {over.unit}"
    if over.pace is None:
        return counted
    return (f"{number(counts.events / counts.total)}{over.pace} " if counts.total else "") + f"({counted})"


def _fewer(margin: Margin) -> str:
    text = times(1 / margin.ratio) if margin.ratio > 0 else times(math.inf)
    return text + (f" - {number(margin.absolute / margin.ratio)}" if margin.absolute else "")
