"""`MetricSource` and `HistorySource` on Prometheus. Made by the composition root, used by the engine."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from analyzer.model.block import History, NoData, Sample, Timing, timing_for
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric, SeriesLabels, TestedMetric
from analyzer.observation.collection import Collection
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import PodKey
from analyzer.observation.history import Past
from analyzer.observation.measure import Measurement
from analyzer.ports import BlockRequest, Collected

SETTLED = 30.0
"""Seconds after which samples are taken for stored where the scrape's length is not known."""

FEW = 4
"""Blocks; targets that are fewer behind share their queries."""


class PrometheusMetricSource:
    """Blocks from Prometheus; implements `MetricSource` and `HistorySource`. Safe to use from several threads.

    `labels` says where a series names its pod. `delay` (seconds) is how late samples arrive; None: the longest
    scrape of the release's pods, rounded up to a second, plus one.
    """

    def __init__(
        self, connection: PrometheusConnection, labels: SeriesLabels | None = None, delay: float | None = None
    ) -> None:
        self._connection = connection
        self._labels = labels or SeriesLabels()
        self._delay = delay

    def collect(self, requests: Sequence[BlockRequest]) -> Mapping[str, Collected | ObservationError]:
        """Every block that has closed on Prometheus' clock, by target. A block depends on its edges alone (but
        for `stable_later`, which only the latest one has): asked for again, it is the same."""
        try:
            now = self._connection.server_time()
        except ObservationError as error:
            return {request.target: error for request in requests}
        answers: dict[str, Collected | ObservationError] = {}
        groups: defaultdict[tuple[Timing, int], list[BlockRequest]] = defaultdict(list)
        for request in requests:
            missing = _missing(request, now)
            if missing > 0:
                # A target that catches up a day must not make those that need one block read a day too.
                groups[request.timing, (missing // FEW).bit_length()].append(request)
            else:
                nothing: dict[str, tuple[()]] = {metric.name: () for metric in request.metrics}
                answers[request.target] = Collected(upto=request.after, metrics=nothing)
        for group in groups.values():
            answers.update(Collection(self._connection, self._labels, group, now).answers())
        return answers

    def measure(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric], interval: float
    ) -> Timing | NoData:
        """Cut time for a release by its pods' live scrapes. Raises ObservationError."""
        if not pods:
            return NoData("waiting for a pod of stable")
        measurement = Measurement(self._connection, self._labels, (PodKey(namespace, pod) for pod in pods))
        found = measurement.series(metrics)
        waiting = measurement.without_interval(found)
        if waiting is not None:
            return waiting
        scrape = measurement.interval(found)
        return timing_for(interval, scrape, self._delay_of(measurement.longest_scrape(found), scrape))

    def history(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[TestedMetric], back: timedelta
    ) -> Mapping[str, History[Sample] | NoData]:
        """Batches of 5 minutes of these pods, at most 7 days of them. Raises ObservationError."""
        now = self._connection.server_time()
        delay = SETTLED if self._delay is None else max(SETTLED, self._delay)
        keys = [PodKey(namespace, pod) for pod in pods]
        return Past(self._connection, self._labels, keys, (now, back, delay)).of(metrics)

    def _delay_of(self, longest: float | None, scrape: float) -> float:
        if self._delay is not None:
            return self._delay
        # Where scrape durations are not stored: a scrape never takes longer than the interval.
        return math.ceil(scrape if longest is None else longest) + 1.0


def _missing(request: BlockRequest, now: float) -> int:
    """How many blocks this request is behind; slots count as far as they are more than the usual few."""
    timing = request.timing
    blocks = timing.last_closed_block(now) - request.after
    if request.fast_after is None:
        return blocks
    slots = timing.last_closed_slot(now) - request.fast_after
    # A newest block is always read again, and with it the slots since: both are of one size.
    return max(blocks, math.ceil(slots * timing.slot / timing.block))
