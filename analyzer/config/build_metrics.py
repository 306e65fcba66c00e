"""Key models of an analysis into the model's own values. Called by `load` once they are free of mistakes."""

from __future__ import annotations

from typing import TypedDict, assert_never

from analyzer.config.keys_analysis import AnalysisKeys, MetricKeys
from analyzer.config.keys_margins import FactorKeys, PromoteMarginKeys, RestartsMarginKeys
from analyzer.config.keys_metrics import (
    ComparedKeys,
    GaugeKeys,
    HistogramKeys,
    LatencyKeys,
    QueryKeys,
    RateKeys,
    RatioKeys,
    RestartsKeys,
    RestartsSettings,
    SharesKeys,
)
from analyzer.config.keys_noise import CountNoiseKeys, LevelNoiseKeys, NoiseKeys
from analyzer.config.keys_presets import CpuKeys, HttpErrorsKeys, HttpLatencyKeys, MemoryKeys, RestartsPresetKeys
from analyzer.config.presets import cpu, http_errors, http_latency, memory
from analyzer.model.metric import (
    Analysis,
    Gating,
    GaugeMetric,
    HistogramMetric,
    Margin,
    NoiseSetting,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    TestedMetric,
)

_RATIO_PROMOTE = RatioMetric(name="", events="", total="").promote_margin
_RESTARTS_PROMOTE = RestartsMetric(name="").promote_margin
_LATENCY_PROMOTE = Margin(1.5, 0.002)
"""Where a histogram's tolerance is given and its margin is not."""

_GAUGE = GaugeMetric(name="", value="")
_RATE = RateMetric(name="", events="")
_RESOURCE_TOLERANCE = 1.1
"""Of CPU and memory, which vary less than queues."""


class _Compared(TypedDict):
    importance: float
    gating: Gating
    noise: NoiseSetting | None


def analysis_of(keys: AnalysisKeys) -> Analysis:
    """What is judged."""
    lane = keys.fast_lane
    return Analysis(
        metrics=tuple(_metric(metric) for metric in keys.metrics),
        interval=keys.interval,
        warmup=keys.warmup,
        false_abort=keys.false_abort,
        false_promote=keys.false_promote,
        noise=_setting(keys.noise),
        fast_lane=None if lane is None else Margin(lane.ratio, lane.absolute),
    )


def _metric(keys: MetricKeys) -> TestedMetric | QueryMetric:  # noqa: PLR0911 (one for each kind)
    match keys:
        case QueryKeys():
            return _query(keys)
        case RatioKeys():
            return _ratio(keys, keys.name, (keys.ratio.events, keys.ratio.total))
        case HttpErrorsKeys():
            return _ratio(keys, keys.name or keys.preset, http_errors(keys))
        case HistogramKeys():
            return _histogram(keys, keys.name, keys.histogram.buckets, keys.histogram.objective)
        case HttpLatencyKeys():
            return _histogram(keys, keys.name or keys.preset, http_latency(keys), keys.objective)
        case GaugeKeys() | CpuKeys() | MemoryKeys():
            return _gauge(keys)
        case RateKeys():
            return _rate(keys)
        case RestartsKeys():
            return _restarts(keys, keys.name)
        case RestartsPresetKeys():
            return _restarts(keys, keys.name or keys.preset)
        case _:
            assert_never(keys)


def _query(keys: QueryKeys) -> QueryMetric:
    return QueryMetric(
        name=keys.name,
        query=keys.query,
        min=keys.min,
        max=keys.max,
        blocks=keys.for_,
        scope=keys.scope,
        gating=keys.gating,
    )


def _ratio(keys: SharesKeys, name: str, selectors: tuple[str, str]) -> RatioMetric:
    tolerance = Margin(keys.tolerance.ratio, keys.tolerance.absolute)
    return RatioMetric(
        name=name,
        events=selectors[0],
        total=selectors[1],
        tolerance=tolerance,
        promote_margin=_margin(keys.promote_margin, _RATIO_PROMOTE, tolerance),
        **_compared(keys, keys.noise),
    )


def _histogram(keys: LatencyKeys, name: str, buckets: str, objective: float | None) -> HistogramMetric:
    tolerance = None if keys.tolerance is None else Margin(keys.tolerance.ratio, keys.tolerance.absolute)
    margin = keys.promote_margin
    return HistogramMetric(
        name=name,
        buckets=buckets,
        objective=objective,
        tolerance=tolerance,
        promote_margin=None
        if margin is None and tolerance is None
        else _margin(margin or PromoteMarginKeys(), _LATENCY_PROMOTE, tolerance or Margin(1.0)),
        **_compared(keys, keys.noise),
    )


def _gauge(keys: GaugeKeys | CpuKeys | MemoryKeys) -> GaugeMetric:
    least = keys.tolerance.ratio
    match keys:
        case GaugeKeys():
            name, value, counter, direction = keys.name, keys.gauge.value, keys.gauge.counter, keys.direction
            tolerance = Margin(_GAUGE.tolerance.ratio if least is None else least)
        case CpuKeys() | MemoryKeys():
            name, direction, counter = keys.name or keys.preset, _GAUGE.direction, isinstance(keys, CpuKeys)
            value = cpu(keys) if isinstance(keys, CpuKeys) else memory(keys)
            tolerance = Margin(_RESOURCE_TOLERANCE if least is None else least)
        case _:
            assert_never(keys)
    return GaugeMetric(
        name=name,
        value=value,
        counter=counter,
        direction=direction,
        tolerance=tolerance,
        promote_margin=_margin(keys.promote_margin, _GAUGE.promote_margin, tolerance),
        **_compared(keys, keys.noise),
    )


def _rate(keys: RateKeys) -> RateMetric:
    tolerance = Margin(_RATE.tolerance.ratio if keys.tolerance.ratio is None else keys.tolerance.ratio)
    return RateMetric(
        name=keys.name,
        events=keys.rate.events,
        direction=keys.direction,
        tolerance=tolerance,
        promote_margin=_margin(keys.promote_margin, _RATE.promote_margin, tolerance),
        **_compared(keys, keys.noise),
    )


def _restarts(keys: RestartsSettings, name: str) -> RestartsMetric:
    tolerance = Margin(keys.tolerance.ratio, keys.tolerance.absolute)
    return RestartsMetric(
        name=name,
        tolerance=tolerance,
        promote_margin=_margin(keys.promote_margin, _RESTARTS_PROMOTE, tolerance),
        **_compared(keys, keys.noise),
    )


def _compared(keys: ComparedKeys, noise: CountNoiseKeys | LevelNoiseKeys | None) -> _Compared:
    return _Compared(importance=keys.importance, gating=keys.gating, noise=None if noise is None else _setting(noise))


def _margin(keys: PromoteMarginKeys | RestartsMarginKeys | FactorKeys, default: Margin, tolerance: Margin) -> Margin:
    """What is given, else the default, but never narrower than the tolerance by default alone."""
    widened = default.at_least(tolerance)
    given = keys.model_dump(exclude_none=True)
    return Margin(**{"ratio": widened.ratio, "absolute": widened.absolute, **given})


def _setting(keys: CountNoiseKeys | LevelNoiseKeys | NoiseKeys) -> NoiseSetting:
    stated = keys.model_dump(include={"dispersion", "pod_spread", "within_pod", "history"}, exclude_none=True)
    return NoiseSetting(**stated)
