"""Makes the meters of metrics from as few queries as possible. Used by `collection` and `history`.

Equal selectors are asked for once, for the pods of every target that uses them. What one query gave, or the error
that it met, is kept for every metric that needs it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from analyzer.model.block import Reading
from analyzer.model.errors import ObservationError
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    Metric,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    SeriesLabels,
    TestedMetric,
)
from analyzer.observation.arrivals import PodArrivals
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.counter import Counter
from analyzer.observation.counts import PodCounters
from analyzer.observation.edges import Edges, EdgeValues, Grid, PodKey
from analyzer.observation.histograms import NATIVE, PodHistograms
from analyzer.observation.levels import PodLevels, PodSpeeds
from analyzer.observation.reader import BucketValues, EdgeReader
from analyzer.observation.readings import read
from analyzer.observation.restarts import RESTARTS_TOTAL, PodRestarts
from analyzer.observation.scrapes import Scrapes
from analyzer.promql import Selector, parse_selector

T = TypeVar("T")
Question = tuple[str, str]
"""How a selector is read (`sums`, `means`, `buckets`), and the selector."""


class Meters:
    """One use answers for one set of edges. Every method but `expect` raises ObservationError.

    First `expect` all metrics with their pods, then ask for meters. `slots`: what ratio metrics need is read at
    the edges of slots, which hold those of blocks; else at the edges of blocks only.
    """

    def __init__(
        self, connection: PrometheusConnection, labels: SeriesLabels, edges: Edges, *, slots: bool = True
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._edges = edges
        self._fine = edges.slots if slots else edges.blocks
        self._pods: defaultdict[Question, set[PodKey]] = defaultdict(set)
        self._all_pods: set[PodKey] = set()
        self._on_slots: set[Question] = set()
        self._kept: dict[tuple[str, ...], object] = {}

    def expect(self, metric: Metric | TestedMetric, pods: Iterable[PodKey]) -> None:
        """Note that this metric will be asked for, of these pods."""
        questions = _questions(metric)
        if isinstance(metric, RatioMetric):
            self._on_slots.update(questions)
        for question in questions:
            self._pods[question].update(pods)
        if not isinstance(metric, QueryMetric):
            self._all_pods.update(pods)

    def ratio(self, metric: RatioMetric) -> PodCounters:
        """Counts of a ratio metric."""
        return self._once(
            ("ratio", metric.events, metric.total),
            lambda: PodCounters(metric.total, self._sums(metric.events), self._sums(metric.total), self.scrapes()),
        )

    def newborn(self, metric: RatioMetric) -> PodCounters:
        """The same for slots, where a process counts from its first sample on."""
        key = ("newborn", metric.events, metric.total)
        return self._once(key, lambda: replace(self.ratio(metric), newborn=True))

    def histogram(self, metric: HistogramMetric) -> PodHistograms:
        """Buckets of a histogram metric."""
        text = metric.buckets

        def ask() -> PodHistograms:
            found: BucketValues = self._reader("buckets", text).buckets(_selector(text))
            return PodHistograms(text, found.by_bound, self.scrapes(), found.refused)

        return self._once(("histogram", text), ask)

    def gauge(self, metric: GaugeMetric) -> PodLevels | PodSpeeds:
        """Levels of a gauge metric."""
        if metric.counter:
            return PodSpeeds(self._counter(metric.value))
        return self._once(
            ("gauge", metric.value),
            lambda: PodLevels(Counter("mean", metric.value, self._means(metric.value), self.scrapes())),
        )

    def rate(self, metric: RateMetric) -> PodArrivals:
        """Arrivals of a rate metric."""
        return PodArrivals(self._counter(metric.events))

    def restarts(self, ready: Mapping[PodKey, float]) -> PodRestarts:
        """Restarts; `ready` says since when each pod had its first process up, in seconds since the epoch."""
        return PodRestarts(self._counter(RESTARTS_TOTAL), ready)

    def readings(self, metric: QueryMetric) -> Mapping[int, Reading]:
        """Values of a guard's query, by block."""
        return self._once(("query", metric.query), lambda: read(self._connection, metric.query, self._edges))

    def refuse_native(self, metric: HistogramMetric, pods: set[PodKey]) -> None:
        """Raise ObservationError when these pods have nothing but native histograms."""
        if self.histogram(metric).only_native(pods):
            raise ObservationError(f"{metric.buckets}: {NATIVE}")

    def scrapes(self) -> Scrapes:
        """Start times of all pods that were announced."""

        def ask() -> Scrapes:
            reader = EdgeReader(self._connection, self._labels, self._fine, frozenset(self._all_pods))
            found = reader.start_times()
            return Scrapes(found.starts, found.sample_times, self._edges.timing.slot)

        return self._once(("scrapes",), ask)

    def _counter(self, text: str) -> Counter:
        key = ("counter", text)
        return self._once(key, lambda: Counter("count", text, self._sums(text), self.scrapes()))

    def _sums(self, text: str) -> EdgeValues:
        return self._once(("sums", text), lambda: self._reader("sums", text).sums(_selector(text)))

    def _means(self, text: str) -> EdgeValues:
        return self._once(
            ("means", text), lambda: self._reader("means", text).means(_selector(text), self._edges.block)
        )

    def _reader(self, how: str, text: str) -> EdgeReader:
        grid: Grid = self._fine if (how, text) in self._on_slots else self._edges.blocks
        return EdgeReader(self._connection, self._labels, grid, frozenset(self._pods[how, text]))

    def _once(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """Ask, or repeat what was answered; a failure is not tried again."""
        if key not in self._kept:
            try:
                self._kept[key] = ask()
            except ObservationError as error:
                self._kept[key] = error
        kept = self._kept[key]
        if isinstance(kept, ObservationError):
            raise kept
        return kept  # type: ignore[return-value] # what `ask` gave for this key


def _questions(metric: Metric | TestedMetric) -> tuple[Question, ...]:
    match metric:
        case RatioMetric():
            return ("sums", metric.events), ("sums", metric.total)
        case HistogramMetric():
            return (("buckets", metric.buckets),)
        case GaugeMetric():
            return (("sums" if metric.counter else "means", metric.value),)
        case RateMetric():
            return (("sums", metric.events),)
        case RestartsMetric():
            return (("sums", RESTARTS_TOTAL),)
        case QueryMetric():
            return ()


def _selector(text: str) -> Selector:
    try:
        return parse_selector(text)
    except ValueError as error:
        raise ObservationError(str(error)) from error
