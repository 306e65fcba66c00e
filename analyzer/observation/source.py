"""`MetricSource` and `HistorySource` on Prometheus. Made by the composition root, used by the engine."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from analyzer.model.block import History, NoData, Sample, Timing, timing_for
from analyzer.model.collection import BlockRequest, Collected, Sighting
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric, SeriesLabels, TestedMetric
from analyzer.observation.collection import Collection
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import PodKey
from analyzer.observation.history import Past
from analyzer.observation.live_series import find_live_series
from analyzer.observation.measure import Measurement
from analyzer.observation.query_scheduler import Pools, QueryScheduler

SETTLED = 30.0
"""Seconds after which samples are taken for stored where the scrape's length is not known."""

FEW = 4
"""Blocks; targets that are fewer behind share their queries."""

AGE = 16
"""Blocks; targets that ask about times further apart than this do not share their queries."""

PORTION = 120_000
"""Samples that one group of targets that catch up reads at most, about: some seconds of work for Prometheus."""

SERIES = 16
"""Series that a pod has in one answer, about: a histogram's."""

Group = list[tuple[BlockRequest, float]]
"""Requests that share their queries, each with the moment up to which it is answered."""


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
        self._pools = Pools(connection.timeout)
        self._turn = 0

    def collect(self, requests: Sequence[BlockRequest]) -> Iterator[tuple[str, Collected | ObservationError]]:
        """Every block that has closed on Prometheus' clock, by target. A block depends on its edges alone (but
        for `stable_later`, which only the latest one has): asked for again, it is the same.

        Ends within the connection's time-out: it bounds all queries of a sweep together.
        """
        patience = self._connection.timeout
        deadline = time.monotonic() + patience
        connection = self._connection.until(deadline)
        try:
            now = connection.server_time()
        except ObservationError as error:
            yield from ((request.target, error) for request in requests)
            return
        missing: list[tuple[BlockRequest, float]] = []
        for request in requests:
            upto = now if request.until is None else min(now, request.until.timestamp())
            if _missing(request, upto) > 0:
                missing.append((request, upto))
            else:
                nothing: dict[str, tuple[()]] = {metric.name: () for metric in request.metrics}
                yield request.target, Collected(upto=request.after, metrics=nothing)
        groups = [Collection(connection, self._labels, group) for group in self._turns(_grouped(missing, now))]
        yield from QueryScheduler(self._pools, groups, deadline, patience).answers()

    def _turns(self, groups: list[Group]) -> list[Group]:
        """The first stays first; the others catch up, and take turns in who does so before the time is over."""
        if len(groups) < 2:  # noqa: PLR2004 - two are needed to take turns
            return groups
        self._turn += 1
        first, *others = groups
        begin = self._turn % len(others)
        return [first, *others[begin:], *others[:begin]]

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

    def sight(self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric]) -> Sighting:
        """Which of these pods have live series. Raises ObservationError."""
        return find_live_series(self._connection, self._labels, [PodKey(namespace, pod) for pod in pods], metrics)

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
    # The slots since the newest block are of its size: who waits for those alone is not behind.
    return max(blocks, math.ceil(slots * timing.slot / timing.block))


def _grouped(requests: Group, now: float) -> list[Group]:
    """A target that catches up a day must not make those that need one block read a day too: those who keep up
    come first, then those who ask about a time long ago, the others in portions that can be read one by one."""
    alike: defaultdict[tuple[int, int, float, float], Group] = defaultdict(list)
    for request, upto in requests:
        behind = (_missing(request, upto) // FEW).bit_length()
        timing = request.timing
        ago = (timing.last_closed_block(now) - timing.last_closed_block(upto)) // AGE
        alike[behind, ago, timing.block, timing.slot].append((request, upto))
    groups: list[Group] = []
    for (behind, _, _, _), group in sorted(alike.items(), key=lambda one: one[0]):
        groups += [group] if behind == 0 else _portions(group)
    return groups


def _portions(group: Group) -> Iterator[Group]:
    portion: Group = []
    samples = 0
    for request, upto in group:
        weight = SERIES * len(request.roster) * _missing(request, upto)
        if portion and samples + weight > PORTION:
            yield portion
            portion, samples = [], 0
        portion.append((request, upto))
        samples += weight
    yield portion
