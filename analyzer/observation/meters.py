"""Makes the meters of metrics from as few queries as possible. Used by `collection` and `history`.

Equal selectors are asked for once, for the pods of every target that uses them. What one query gave, or the error
that it met, is kept for every metric that needs it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar, cast

from analyzer.model.block import GuardReading
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
from analyzer.observation.edges import EdgeGrid, Edges, EdgeValues, PodKey
from analyzer.observation.histograms import NATIVE, PodHistograms
from analyzer.observation.levels import PodLevels, PodSpeeds
from analyzer.observation.queries import BucketValues, EdgeQueries
from analyzer.observation.readings import read
from analyzer.observation.restarts import RESTARTS_TOTAL, PodRestarts
from analyzer.observation.scrapes import Scrapes
from analyzer.promql import Selector, parse_selector

T = TypeVar("T")
Question = tuple[str, str]
"""How something is read (`sums`, `means` or `buckets` of a selector, a guard's `query`, all `scrapes`), and what."""

SCRAPES: Question = ("scrapes", "")


class MetricReaders:
    """One use answers for one set of edges. Every method that gives a meter raises ObservationError.

    First `expect` all metrics with their pods, then ask for meters. Questions that were not asked by `ask` (from
    several threads, if need be) are asked then. `slots`: what ratio metrics need is read at the edges of slots, which
    hold those of blocks; else at the edges of blocks only.
    """

    def __init__(
        self, connection: PrometheusConnection, labels: SeriesLabels, edges: Edges, *, slots: bool = True
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._edges = edges
        self._fine = edges.slots if slots else edges.blocks
        self._pods: defaultdict[Question, set[PodKey]] = defaultdict(set)
        self._on_slots: set[Question] = set()
        self._kept: dict[tuple[str, ...], object] = {}

    def expect(self, metric: Metric | TestedMetric, pods: Iterable[PodKey]) -> None:
        """Note that this metric will be asked for, of these pods."""
        questions = questions_of(metric)
        if isinstance(metric, RatioMetric):
            self._on_slots.update(questions)
        for question in questions:
            self._pods[question].update(pods)

    def ask(self, question: Question) -> None:
        """Ask one question; its answer, or the error that it met, is kept."""
        with suppress(ObservationError):
            self._once(question, lambda: self._asked(question))

    def give_up(self, question: Question, reason: str) -> None:
        """Take a question that has no answer yet for failed, whatever comes later."""
        self._kept.setdefault(question, ObservationError(reason))

    def forget(self) -> None:
        """Let go of all answers."""
        self._kept.clear()

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

        def made() -> PodHistograms:
            found: BucketValues = self._answer(("buckets", text))
            return PodHistograms(text, found.by_bound, self.scrapes(), found.refused)

        return self._once(("histogram", text), made)

    def gauge(self, metric: GaugeMetric) -> PodLevels | PodSpeeds:
        """Levels of a gauge metric."""
        if metric.counter:
            return PodSpeeds(self._counter(metric.value))
        return self._once(
            ("gauge", metric.value),
            lambda: PodLevels(Counter("mean", metric.value, self._answer(("means", metric.value)), self.scrapes())),
        )

    def rate(self, metric: RateMetric) -> PodArrivals:
        """Arrivals of a rate metric."""
        return PodArrivals(self._counter(metric.events))

    def restarts(self, ready: Mapping[PodKey, float]) -> PodRestarts:
        """Restarts; `ready` says since when each pod had its first process up, in seconds since the epoch."""
        return PodRestarts(self._counter(RESTARTS_TOTAL), ready)

    def readings(self, metric: QueryMetric) -> Mapping[int, GuardReading]:
        """Values of a guard's query, by block."""
        return cast("Mapping[int, GuardReading]", self._answer(("query", metric.query)))

    def refuse_native(self, metric: HistogramMetric, pods: set[PodKey]) -> None:
        """Raise ObservationError when these pods have nothing but native histograms."""
        if self.histogram(metric).only_native(pods):
            raise ObservationError(f"{metric.buckets}: {NATIVE}")

    def scrapes(self) -> Scrapes:
        """Start times of all pods that were announced."""
        return cast("Scrapes", self._answer(SCRAPES))

    def _counter(self, text: str) -> Counter:
        key = ("counter", text)
        return self._once(key, lambda: Counter("count", text, self._sums(text), self.scrapes()))

    def _sums(self, text: str) -> EdgeValues:
        return cast("EdgeValues", self._answer(("sums", text)))

    def _answer(self, question: Question) -> Any:
        """What this question's query gave."""
        return self._once(question, lambda: self._asked(question))

    def _asked(self, question: Question) -> EdgeValues | BucketValues | Scrapes | Mapping[int, GuardReading]:
        match question:
            case ("sums", text):
                return self._reader(question).sums(_selector(text))
            case ("means", text):
                return self._reader(question).means(_selector(text), self._edges.block)
            case ("buckets", text):
                return self._reader(question).buckets(_selector(text))
            case ("query", text):
                return read(self._connection, text, self._edges)
            case _:
                reader = EdgeQueries(self._connection, self._labels, self._fine, frozenset(self._pods[SCRAPES]))
                found = reader.start_times()
                return Scrapes(found.starts, found.sample_times, self._edges.timing.slot)

    def _reader(self, question: Question) -> EdgeQueries:
        grid: EdgeGrid = self._fine if question in self._on_slots else self._edges.blocks
        return EdgeQueries(self._connection, self._labels, grid, frozenset(self._pods[question]))

    def _once(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """Ask, or repeat what was answered; a failure is not tried again."""
        kept = self._kept.get(key)
        if kept is None:
            try:
                kept = self._kept.setdefault(key, ask())
            except ObservationError as error:
                kept = self._kept.setdefault(key, error)
        if isinstance(kept, ObservationError):
            raise kept
        return kept  # type: ignore[return-value] # what `ask` gave for this key


def questions_of(metric: Metric | TestedMetric) -> tuple[Question, ...]:
    """All that must be asked for a metric."""
    match metric:
        case RatioMetric():
            return SCRAPES, ("sums", metric.events), ("sums", metric.total)
        case HistogramMetric():
            return SCRAPES, ("buckets", metric.buckets)
        case GaugeMetric():
            return SCRAPES, ("sums" if metric.counter else "means", metric.value)
        case RateMetric():
            return SCRAPES, ("sums", metric.events)
        case RestartsMetric():
            return SCRAPES, ("sums", RESTARTS_TOTAL)
        case QueryMetric():
            return (("query", metric.query),)


def is_guard(question: Question) -> bool:
    """Is this a query of a user's own?"""
    return question[0] == "query"


def _selector(text: str) -> Selector:
    try:
        return parse_selector(text)
    except ValueError as error:
        raise ObservationError(str(error)) from error
