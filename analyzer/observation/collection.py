"""All requests of a sweep that share their timing, answered with few queries. Called by `source`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzer.model.block import Block, Reading, Sample, Timing
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
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import Edges, PodKey
from analyzer.observation.histograms import alike
from analyzer.observation.meters import Meters
from analyzer.observation.sides import blocks, may_be_expected, may_be_in_slots, raw_blocks, slots
from analyzer.ports import BlockRequest, Collected

Answer = Sequence[Block[Sample]] | Sequence[Reading] | ObservationError


class Collection:
    """One use answers one group: `requests` have one timing, and each has at least one closed block or slot to ask
    for at `now` (seconds since the epoch, Prometheus' clock)."""

    def __init__(
        self, connection: PrometheusConnection, labels: SeriesLabels, requests: Sequence[BlockRequest], now: float
    ) -> None:
        self._requests = requests
        self._edges = _edges(requests[0].timing, requests, now)
        self._meters = Meters(connection, labels, self._edges)
        for request in requests:
            for metric in request.metrics:
                self._meters.expect(metric, self._pods(request, metric))

    def answers(self) -> dict[str, Collected]:
        """By target; a metric whose query failed has its error there."""
        return {request.target: self._collected(request) for request in self._requests}

    def _collected(self, request: BlockRequest) -> Collected:
        found: dict[str, Answer] = {}
        fast: dict[str, Sequence[Block]] = {}
        for metric in request.metrics:
            try:
                found[metric.name] = self._answer(request, metric) if self._closed(request) else ()
                if isinstance(metric, RatioMetric) and request.fast_after is not None:
                    fast[metric.name] = slots(request, self._meters.newborn(metric), self._edges)
            except ObservationError as error:
                found[metric.name] = error
        return Collected(max(request.after, self._edges.last - 1), found, fast)

    def _answer(self, request: BlockRequest, metric: Metric | TestedMetric) -> Answer:
        edges, meters = self._edges, self._meters
        match metric:
            case RatioMetric():
                return blocks(request, meters.ratio(metric), edges)
            case HistogramMetric():
                meters.refuse_native(metric, self._pods(request, metric))
                return tuple(map(alike, raw_blocks(request, meters.histogram(metric), edges)))
            case GaugeMetric():
                return blocks(request, meters.gauge(metric), edges)
            case RateMetric():
                return blocks(request, meters.rate(metric), edges)
            case RestartsMetric():
                return blocks(request, meters.restarts(_ready(request)), edges)
            case QueryMetric():
                found = meters.readings(metric)
                return tuple(found[index] for index in range(request.after + 1, edges.last))

    def _pods(self, request: BlockRequest, metric: Metric | TestedMetric) -> set[PodKey]:
        """Those that any block or slot of this request could expect."""
        in_slots = isinstance(metric, RatioMetric)
        return {
            PodKey(request.namespace, entry.pod)
            for entry in request.roster
            if (self._closed(request) and may_be_expected(entry, request, self._edges.last))
            or (in_slots and may_be_in_slots(entry, request, self._edges.fast_last))
        }

    def _closed(self, request: BlockRequest) -> bool:
        return request.after + 1 < self._edges.last


def _edges(timing: Timing, requests: Sequence[BlockRequest], now: float) -> Edges:
    last = timing.last_closed_block(now) + 1
    fast = [request.fast_after for request in requests if request.fast_after is not None]
    last_slot = timing.last_closed_slot(now) + 1
    edges = Edges(
        timing=timing,
        first=min(min(request.after for request in requests) + 1, last),
        last=last,
        fast_first=min(min(fast) + 1, last_slot) if fast else None,
        fast_last=last_slot,
    )
    later = edges.at_slot(last_slot) >= edges.after_last
    return Edges(timing, edges.first, last, later, edges.fast_first, last_slot)


def _ready(request: BlockRequest) -> Mapping[PodKey, float]:
    return {PodKey(request.namespace, entry.pod): entry.ready_at.timestamp() for entry in request.roster}
