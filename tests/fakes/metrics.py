"""Prometheus and the users in one: a `MetricSource` over a `FakeCluster`, with every way to go wrong.

Counts are drawn per (seed, pod, slot) and kept, so a block is the same however often, and by whom, it is asked for.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import numpy as np

from analyzer.model.block import (
    Arrivals,
    Block,
    Buckets,
    Counts,
    GuardReading,
    History,
    NoData,
    PodLevel,
    Restarts,
    Sample,
    SideBlock,
    Timing,
    timing_for,
)
from analyzer.model.collection import BlockRequest, Collected
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
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.ports import Clock
from tests.fakes.cluster import FakeCluster, FakePod

BOUNDS = (0.1, 0.25, math.inf)
"""Upper bounds of every histogram, in seconds: half of the requests are faster than the first one."""

S = TypeVar("S", bound=Sample)
Span = tuple[float, float]


@dataclass(slots=True)
class Traffic:
    """All users together: requests per second, by version the share of errors, the share of requests that take
    longer than 0.25 s and the level of every gauge, and Prometheus' rhythm in seconds."""

    rps: float = 400.0
    error_rates: Mapping[str, float] = field(default_factory=dict)
    usual_errors: float = 0.04
    slow_rates: Mapping[str, float] = field(default_factory=dict)
    usual_slow: float = 0.05
    levels: Mapping[str, float] = field(default_factory=dict)
    usual_level: float = 100.0
    seed: int = 0
    scrape: float = 1.0
    delay: float = 2.0


class FakeMetricSource:
    """Metrics of all kinds see the cluster's requests, errors and restarts; guards read `guards` by name and block,
    and `pasts` by name is what stable measured before a release.

    Switches: `down` (Prometheus can't be asked), `refused` (a metric's query is refused, by name), `absent` (why a
    side or a pod has no series), `unmeasurable` (no timing yet), `hang` (called before each answer: let it block).
    `asked` lists every request, `remembered` the pods of every question about history.
    """

    def __init__(self, cluster: FakeCluster, clock: Clock, traffic: Traffic) -> None:
        self.traffic = traffic
        self.down = False
        self.refused: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.guards: dict[str, Callable[[int], float | NoData]] = {}
        self.pasts: dict[str, History[Sample]] = {}
        self.unmeasurable: str | None = None
        self.hang: Callable[[], None] | None = None
        self.asked: list[BlockRequest] = []
        self.remembered: list[tuple[str, ...]] = []
        self._cluster = cluster
        self._clock = clock
        self._slots: dict[tuple[str, int], Counts] = {}

    def collect(self, requests: Sequence[BlockRequest]) -> Iterator[tuple[str, Collected | ObservationError]]:
        self.asked += requests
        if self.hang is not None:
            self.hang()
        self._cluster.run()
        for request in requests:
            yield request.target, self._answer(request)

    def measure(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric], interval: float
    ) -> Timing | NoData:
        if self.down:
            raise ObservationError("connection refused")
        if self.unmeasurable is not None or not pods:
            return NoData(self.unmeasurable or "no pods")
        return timing_for(interval, self.traffic.scrape, self.traffic.delay)

    def history(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[TestedMetric], back: timedelta
    ) -> Mapping[str, History[Sample] | NoData]:
        if self.down:
            raise ObservationError("connection refused")
        self.remembered.append(tuple(pods))
        return {metric.name: self.pasts.get(metric.name, NoData("nothing was recorded")) for metric in metrics}

    def _answer(self, request: BlockRequest) -> Collected | ObservationError:
        if self.down:
            return ObservationError("connection refused")
        upto = max(request.after, request.timing.last_closed_block(self._upto(request)))
        metrics = {metric.name: self._measured(metric, request, upto) for metric in request.metrics}
        ratios = [metric for metric in request.metrics if isinstance(metric, RatioMetric)]
        known = [metric for metric in ratios if request.fast_after is not None and metric.name not in self.refused]
        return Collected(upto, metrics, {metric.name: self._fast(request) for metric in known})

    def _measured(
        self, metric: Metric, request: BlockRequest, upto: int
    ) -> Sequence[Block[Sample]] | Sequence[GuardReading] | ObservationError:
        if metric.name in self.refused:
            return ObservationError(self.refused[metric.name])
        numbers = range(request.after + 1, upto + 1)
        if isinstance(metric, QueryMetric):
            guard = self.guards.get(metric.name, _nothing)
            return [GuardReading(number, guard(number)) for number in numbers]
        return [self._block(number, request, metric, latest=number == upto) for number in numbers]

    def _block(self, number: int, request: BlockRequest, metric: TestedMetric, *, latest: bool) -> Block[Sample]:
        timing = request.timing
        span = (number * timing.block, (number + 1) * timing.block)
        later = latest and self._upto(request) - timing.delay >= span[1] + timing.slot
        expected = [entry for entry in request.roster if _expected(entry, span, request.warmup)]

        def measure(pod: FakePod, span: Span) -> Sample | NoData:
            if not pod.was_up(*span) and not isinstance(metric, RestartsMetric):
                return NoData("its process was not up for the whole block")
            return self._sample(metric, pod, span, timing.slot)

        return self._two_sides(number, expected, measure, span, timing.slot if later else None)

    def _fast(self, request: BlockRequest) -> Sequence[Block]:
        slot = request.timing.slot
        upto = request.timing.last_closed_slot(self._upto(request))
        found = []
        for number in range((request.fast_after or 0) + 1, upto + 1):
            span = (number * slot, (number + 1) * slot)
            expected = [entry for entry in request.roster if _present(entry, span)]
            later = slot if number < upto else None
            found.append(
                self._two_sides(number, expected, lambda pod, span: self._counts(pod, span, slot), span, later)
            )
        return found

    def _two_sides(
        self,
        number: int,
        expected: Sequence[RosterEntry],
        measure: Callable[[FakePod, Span], S | NoData],
        span: Span,
        later: float | None,
    ) -> Block[S]:
        def side(side: Side, extra: float = 0.0) -> SideBlock[S]:
            return self._side([entry for entry in expected if entry.side is side], measure, (span[0], span[1] + extra))

        return Block(
            index=number,
            canary=side(Side.CANARY),
            stable=side(Side.STABLE),
            stable_later=None if later is None else side(Side.STABLE, later),
        )

    def _side(
        self, expected: Sequence[RosterEntry], measure: Callable[[FakePod, Span], S | NoData], span: Span
    ) -> SideBlock[S]:
        known = {pod.name: pod for pod in self._cluster.pods}
        pods: dict[str, S] = {}
        absent: dict[str, str] = {}
        for entry in expected:
            reason = self.absent.get(entry.side.value) or self.absent.get(entry.pod)
            found = NoData(reason) if reason else measure(known[entry.pod], span)
            if isinstance(found, NoData):
                absent[entry.pod] = found.reason
            else:
                pods[entry.pod] = found
        bounds = BOUNDS if any(isinstance(one, Buckets) for one in pods.values()) else ()
        return SideBlock(pods, absent, bounds)

    def _sample(self, metric: TestedMetric, pod: FakePod, span: Span, slot: float) -> Sample:
        seconds = span[1] - span[0]
        match metric:
            case RatioMetric():
                return self._counts(pod, span, slot)
            case HistogramMetric():
                total = self._counts(pod, span, slot).total
                slow = self.traffic.slow_rates.get(pod.version, self.traffic.usual_slow)
                above = self._random(pod, round(span[0] / slot)).binomial(round(total), slow)
                return Buckets((total // 2, max(total // 2, total - above), total))
            case GaugeMetric():
                level = self.traffic.levels.get(pod.version, self.traffic.usual_level)
                return PodLevel(level * math.exp(self._random(pod, round(span[0] / slot)).normal(0.0, 0.05)))
            case RateMetric():
                counts = self._counts(pod, span, slot)
                return Arrivals(counts.total - counts.events, seconds)
            case RestartsMetric():
                begun = sum(span[0] < since <= span[1] for since, _ in pod.ups[1:])
                return Restarts(begun, seconds / 3600)

    def _counts(self, pod: FakePod, span: tuple[float, float], slot: float) -> Counts:
        numbers = range(round(span[0] / slot), round(span[1] / slot))
        counts = [self._slot(pod, number, slot) for number in numbers]
        return Counts(sum(one.events for one in counts), sum(one.total for one in counts))

    def _slot(self, pod: FakePod, number: int, slot: float) -> Counts:
        key = (pod.name, number)
        if key not in self._slots:
            random = self._random(pod, number)
            share = self._cluster.requests_per_rps(pod, number * slot, (number + 1) * slot)
            total = int(random.poisson(self.traffic.rps * share))
            rate = self.traffic.error_rates.get(pod.version, self.traffic.usual_errors)
            self._slots[key] = Counts(int(random.binomial(total, rate)), total)
        return self._slots[key]

    def _random(self, pod: FakePod, number: int) -> np.random.Generator:
        return np.random.default_rng((self.traffic.seed, zlib.crc32(pod.name.encode()), number))

    def _upto(self, request: BlockRequest) -> float:
        now = self._clock.now() if request.until is None else min(request.until, self._clock.now())
        return now.timestamp()


def _nothing(_number: int) -> float | NoData:
    return NoData("the query gave nothing")


def _expected(entry: RosterEntry, span: Span, warmup: float) -> bool:
    """Ready and warmed up before the block began, and not gone before it ended."""
    return entry.ready_at.timestamp() + warmup <= span[0] and _stayed(entry, span)


def _present(entry: RosterEntry, span: Span) -> bool:
    """Ready at some moment of the slot, and not gone before it ended."""
    return entry.ready_at.timestamp() < span[1] and _stayed(entry, span)


def _stayed(entry: RosterEntry, span: Span) -> bool:
    return entry.gone_at is None or entry.gone_at.timestamp() >= span[1]
