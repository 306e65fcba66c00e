"""Which family a metric belongs to: counts, gauges or guards. Called by `evidence`, `verdict` and the offline judge.

A family is a package of its own, which adds up blocks and says what they come to. FAMILIES has a row per kind of
metric.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.judge.counts.evidence import CountEvidence, fold_blocks, fresh_counts
from analyzer.judge.counts.fast_lane import FastEvidence
from analyzer.judge.counts.verdict import judge_count
from analyzer.judge.gauges.evidence import GaugeEvidence, fold_levels
from analyzer.judge.gauges.verdict import judge_gauge
from analyzer.judge.guards.evidence import GuardEvidence, fold_readings
from analyzer.judge.guards.verdict import judge_guard
from analyzer.judge.order import Starts
from analyzer.judge.thresholds import Thresholds
from analyzer.model.block import Block, GuardReading, Timing
from analyzer.model.metric import (
    Analysis,
    CountMetric,
    GaugeMetric,
    HistogramMetric,
    Metric,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
)
from analyzer.model.noise import Noise
from analyzer.model.verdict import MetricVerdict

MetricEvidence = CountEvidence | GaugeEvidence | GuardEvidence


@dataclass(frozen=True, slots=True)
class Family:
    """The way from no evidence (`fresh`) through blocks of so many seconds, or readings, to a verdict.

    The functions take metrics and evidence of the family's own types.
    """

    takes: type[Block[Any] | GuardReading]
    fresh: Callable[[Any, Noise, Analysis, Timing], MetricEvidence]
    fold: Callable[[Any, Sequence[Any], Starts, float], MetricEvidence]
    judge: Callable[[Any, Thresholds], MetricVerdict]


def _fresh_counts(metric: CountMetric, noise: Noise, analysis: Analysis, _timing: Timing) -> CountEvidence:
    fast = FastEvidence(analysis.fast_lane) if metric.fast_lane and analysis.fast_lane is not None else None
    return fresh_counts(metric, noise, fast)


_COUNTS = Family(Block, _fresh_counts, fold_blocks, judge_count)
_GAUGES = Family(
    takes=Block,
    fresh=lambda metric, noise, _, timing: GaugeEvidence(metric, noise, timing.block),
    fold=lambda one, blocks, starts, _: fold_levels(one, blocks, starts),
    judge=judge_gauge,
)
_GUARDS = Family(
    takes=GuardReading,
    fresh=lambda metric, *_: GuardEvidence(metric),
    fold=lambda one, readings, starts, _: fold_readings(one, readings, starts),
    judge=lambda one, _: judge_guard(one),
)

FAMILIES: Mapping[type[Metric], Family] = {
    RatioMetric: _COUNTS,
    HistogramMetric: _COUNTS,
    RateMetric: _COUNTS,
    RestartsMetric: _COUNTS,
    GaugeMetric: _GAUGES,
    QueryMetric: _GUARDS,
}


def family_of(metric: Metric) -> Family:
    """How a metric is judged."""
    return FAMILIES[type(metric)]
