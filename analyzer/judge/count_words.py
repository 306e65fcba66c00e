"""What is said about a metric that counts events: comparisons, margins and noise in words. Called by
`count_verdict`."""

from __future__ import annotations

import math
from typing import assert_never

from analyzer.judge.bands import CountMetric
from analyzer.judge.effect import Effect
from analyzer.judge.explain import allowance, comparison, number, percent, span, times
from analyzer.model.block import Counts
from analyzer.model.metric import Direction, HistogramMetric, Margin, RateMetric, RatioMetric, RestartsMetric
from analyzer.model.noise import EXACT, BoundNoise, Noise

_SECONDS_AT_MOST = 600.0


def compared(metric: CountMetric, boundary: str | None, canary: Counts, stable: Counts, effect: Effect) -> str:
    """Both sides and the ratio with its interval, as far as there is one."""
    match metric:
        case RatioMetric():
            return comparison(metric.name, canary, stable, effect)
        case HistogramMetric():
            return (
                f"{metric.name} over {boundary}: {_share(canary)} against {_share(stable)} (canary "
                f"{canary.events:.0f} of {canary.total:.0f}, stable {stable.events:.0f} of {stable.total:.0f})"
                f"{span(effect)}"
            )
        case RateMetric():
            return f"{metric.name}: canary {_pace(canary)} against stable {_pace(stable)}{span(effect)}"
        case RestartsMetric():
            sides = (f"{one.events:.0f} in {number(one.total)} pod-hours" for one in (canary, stable))
            return f"{metric.name}: canary {' against stable '.join(sides)}{span(effect)}"
        case _:
            assert_never(metric)


def beyond(metric: CountMetric, margin: Margin) -> str:
    """What an abort has shown."""
    if isinstance(metric, RateMetric) and metric.direction is Direction.DOWN:
        return f"fewer than {_fewer(margin)}"
    return f"worse than {bound(metric, margin)}"


def within(metric: CountMetric, margin: Margin) -> str:
    """What a proof shows."""
    if isinstance(metric, RateMetric) and metric.direction is Direction.DOWN:
        return f"more than {_fewer(margin)}"
    return f"less than {bound(metric, margin)}"


def bound(metric: CountMetric, margin: Margin) -> str:
    """A margin in the metric's own unit: 1.25x + 0.05 %, 2x + 0.02 per pod-hour."""
    if isinstance(metric, RestartsMetric | RateMetric):
        unit = " per pod-hour" if isinstance(metric, RestartsMetric) else ""
        return f"{margin.ratio:g}x" + (f" + {number(margin.absolute)}{unit}" if margin.absolute else "")
    return allowance(margin)


def boundary_name(metric: HistogramMetric, le: float, bounds: tuple[float, ...]) -> str:
    """A bound as people say it: 250 ms, 2.5 s; `le 512` where the unit is not known."""
    name = metric.buckets.partition("{")[0]
    if "milliseconds" in name or name.endswith("_ms_bucket"):
        return f"{le:g} ms"
    unknown = not name or "_" not in name
    if "seconds" in name or "duration" in name or (unknown and bounds[-1] <= _SECONDS_AT_MOST and bounds[0] < 1):
        return f"{le * 1000:g} ms" if le < 1 else f"{le:g} s"
    return f"le {le:g}"


def noise_line(noise: Noise, at: BoundNoise, pods: float, visible: float | None, *, down: bool) -> str | None:
    """Where the noise comes from and what it hides; None where the test is exact."""
    if noise == EXACT:
        return None
    text = f"phi {number(at.dispersion)}, tau {number(at.pod_spread)} {noise.source}"
    if visible is None:
        return text
    many = "one canary pod" if round(pods) == 1 else f"{pods:.0f} canary pods"
    return f"{text}; smallest visible {'drop' if down else 'excess'} with {many} {times(visible)}"


def selectors(metric: CountMetric) -> str | None:
    """What is asked of Prometheus, without the pod matchers."""
    match metric:
        case RatioMetric():
            return f"{metric.events} / {metric.total}" if metric.events else None
        case HistogramMetric():
            return metric.buckets or None
        case RateMetric():
            return metric.events or None
        case RestartsMetric():
            return None
        case _:
            assert_never(metric)


def _share(counts: Counts) -> str:
    return percent(counts.events / counts.total) if counts.total else "nothing"


def _pace(counts: Counts) -> str:
    pace = f" ({number(counts.events / counts.total)} each)" if counts.total else ""
    return f"{counts.events:.0f} in {number(counts.total)}{pace}"


def _fewer(margin: Margin) -> str:
    text = times(1 / margin.ratio) if margin.ratio > 0 else times(math.inf)
    return text + (f" - {number(margin.absolute / margin.ratio)}" if margin.absolute else "")
