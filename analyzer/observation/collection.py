"""All requests of a sweep that share their timing, answered with few queries. Called by `source`.

Equal selectors are asked for once, for the pods of every target that uses them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from analyzer.model.block import Block, Reading
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric, QueryMetric, RatioMetric, SeriesLabels
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.counts import PodCounters, Scrapes
from analyzer.observation.edges import EdgeReader, Edges, EdgeValues, PodKey
from analyzer.observation.readings import read
from analyzer.observation.sides import blocks, may_be_expected
from analyzer.ports import BlockRequest, Collected
from analyzer.promql import parse_selector

T = TypeVar("T")
Answer = Sequence[Block] | Sequence[Reading] | ObservationError


class Collection:
    """One use answers one group: `requests` have one timing, and each has at least one block before edge `last`.

    What one query gave, or the error that it met, is kept for every metric that needs it.
    """

    def __init__(
        self, connection: PrometheusConnection, labels: SeriesLabels, requests: Sequence[BlockRequest], now: float
    ) -> None:
        timing = requests[0].timing
        last = timing.last_closed_block(now) + 1
        later = now - timing.delay >= last * timing.block + timing.slot
        self._requests = requests
        self._connection = connection
        self._labels = labels
        self._edges = Edges(timing, min(request.after for request in requests) + 1, last, later)
        self._pods: defaultdict[str, set[PodKey]] = defaultdict(set)
        for request in requests:
            pods = {
                PodKey(request.namespace, entry.pod)
                for entry in request.roster
                if may_be_expected(entry, request, last)
            }
            for metric in request.metrics:
                if isinstance(metric, RatioMetric):
                    self._pods[metric.events] |= pods
                    self._pods[metric.total] |= pods
        self._kept: dict[tuple[str, ...], object] = {}

    def answers(self) -> dict[str, Collected]:
        """By target; a metric whose query failed has its error there."""
        return {
            request.target: Collected(
                upto=self._edges.last - 1,
                metrics={metric.name: self._answer(request, metric) for metric in request.metrics},
            )
            for request in self._requests
        }

    def _answer(self, request: BlockRequest, metric: Metric) -> Answer:
        try:
            match metric:
                case RatioMetric(events=events, total=total):
                    counters = self._once(("counters", events, total), lambda: self._counters(events, total))
                    return blocks(request, counters, self._edges)
                case QueryMetric(query=query):
                    found = self._once(("query", query), lambda: read(self._connection, query, self._edges))
                    return tuple(found[index] for index in range(request.after + 1, self._edges.last))
        except ObservationError as error:
            return error

    def _counters(self, events: str, total: str) -> PodCounters:
        return PodCounters(
            named=total,
            events=self._once(("sums", events), lambda: self._sums(events)),
            total=self._once(("sums", total), lambda: self._sums(total)),
            scrapes=self._once(("scrapes",), self._scrapes),
        )

    def _once(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """Ask, or repeat what was answered; a failure is not tried again in this sweep."""
        if key not in self._kept:
            try:
                self._kept[key] = ask()
            except ObservationError as error:
                self._kept[key] = error
        kept = self._kept[key]
        if isinstance(kept, ObservationError):
            raise kept
        return kept  # type: ignore[return-value] # what `ask` gave for this key

    def _sums(self, text: str) -> EdgeValues:
        try:
            selector = parse_selector(text)
        except ValueError as error:
            raise ObservationError(str(error)) from error
        return self._reader(self._pods[text]).sums(selector)

    def _scrapes(self) -> Scrapes:
        reader = self._reader({pod for pods in self._pods.values() for pod in pods})
        return Scrapes(reader.starts(), reader.sample_times(), self._edges.timing.slot)

    def _reader(self, pods: set[PodKey]) -> EdgeReader:
        return EdgeReader(self._connection, self._labels, self._edges, frozenset(pods))
