"""How each kind of metric is read: what must be asked for it, and what its pods measured. Used by `collection` and
`history`; KINDS has a row per kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from analyzer.model.block import Block, Sample
from analyzer.model.errors import ObservationError
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    Metric,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    TestedMetric,
)
from analyzer.observation.arrivals import PodArrivals
from analyzer.observation.counter import Counter
from analyzer.observation.counts import PodCounters
from analyzer.observation.edges import PodKey
from analyzer.observation.histograms import NATIVE, PodHistograms, alike
from analyzer.observation.levels import PodLevels, PodSpeeds
from analyzer.observation.meters import SCRAPES, MetricReaders, Question
from analyzer.observation.restarts import RESTARTS_TOTAL, PodRestarts
from analyzer.observation.sides import Meter, RawBlock, plain


@dataclass(frozen=True, slots=True)
class MeasuredPods:
    """The pods of one target. `ready` says since when each had its first process up (seconds since the epoch)."""

    keys: frozenset[PodKey]
    ready: Callable[[], Mapping[PodKey, float]]


def _any_series(_readers: MetricReaders, _metric: TestedMetric, _pods: MeasuredPods) -> None:
    """Whatever these pods have will do."""


@dataclass(frozen=True, slots=True)
class KindReader:
    """How one kind is read; the functions take metrics of this kind, and raise ObservationError.

    `meter` says what a pod measured between two edges, `in_slots` the same for a metric with a fast lane; `finish`
    makes a block of what its pods measured. `refuse` raises where the pods have series that cannot be read at all.
    """

    questions: Callable[[Any], tuple[Question, ...]]
    meter: Callable[[MetricReaders, Any, MeasuredPods], Meter[Any]]
    finish: Callable[[RawBlock[Any]], Block[Sample]] = plain
    refuse: Callable[[MetricReaders, Any, MeasuredPods], None] = _any_series
    in_slots: Callable[[MetricReaders, Any], Meter[Any]] | None = None


def _counters(readers: MetricReaders, metric: RatioMetric, _pods: MeasuredPods | None = None) -> PodCounters:
    def made() -> PodCounters:
        return PodCounters(metric.total, readers.sums(metric.events), readers.sums(metric.total), readers.scrapes())

    return readers.once(("ratio", metric.events, metric.total), made)


def _newborn(readers: MetricReaders, metric: RatioMetric) -> PodCounters:
    """A process counts from its first sample on."""
    key = ("newborn", metric.events, metric.total)
    return readers.once(key, lambda: replace(_counters(readers, metric), newborn=True))


def _histograms(readers: MetricReaders, metric: HistogramMetric, _pods: MeasuredPods | None = None) -> PodHistograms:
    def made() -> PodHistograms:
        found = readers.buckets(metric.buckets)
        return PodHistograms(metric.buckets, found.by_bound, readers.scrapes(), found.refused)

    return readers.once(("histogram", metric.buckets), made)


def _refuse_native(readers: MetricReaders, metric: HistogramMetric, pods: MeasuredPods) -> None:
    """These pods have nothing but native histograms."""
    if _histograms(readers, metric).only_native(pods.keys):
        raise ObservationError(f"{metric.buckets}: {NATIVE}")


def _levels(readers: MetricReaders, metric: GaugeMetric, _pods: MeasuredPods) -> PodLevels | PodSpeeds:
    if metric.counter:
        return PodSpeeds(readers.counter(metric.value))

    def made() -> PodLevels:
        return PodLevels(Counter("mean", metric.value, readers.means(metric.value), readers.scrapes()))

    return readers.once(("gauge", metric.value), made)


KINDS: Mapping[type[TestedMetric], KindReader] = {
    RatioMetric: KindReader(
        questions=lambda metric: (SCRAPES, ("sums", metric.events), ("sums", metric.total)),
        meter=_counters,
        in_slots=_newborn,
    ),
    HistogramMetric: KindReader(
        questions=lambda metric: (SCRAPES, ("buckets", metric.buckets)),
        meter=_histograms,
        finish=alike,
        refuse=_refuse_native,
    ),
    GaugeMetric: KindReader(
        questions=lambda metric: (SCRAPES, ("sums" if metric.counter else "means", metric.value)),
        meter=_levels,
    ),
    RateMetric: KindReader(
        questions=lambda metric: (SCRAPES, ("sums", metric.events)),
        meter=lambda readers, metric, _: PodArrivals(readers.counter(metric.events)),
    ),
    RestartsMetric: KindReader(
        questions=lambda _: (SCRAPES, ("sums", RESTARTS_TOTAL)),
        meter=lambda readers, _, pods: PodRestarts(readers.counter(RESTARTS_TOTAL), pods.ready()),
    ),
}
"""All but guards, whose query gives no values of pods."""


def questions_of(metric: Metric) -> tuple[Question, ...]:
    """All that must be asked for a metric."""
    if isinstance(metric, QueryMetric):
        return (("query", metric.query),)
    return KINDS[type(metric)].questions(metric)
