"""Prometheus and the users in one: a `MetricSource` over a `FakeCluster`, with every way to go wrong.

Counts are drawn per (seed, pod, slot) and kept, so a block is the same however often, and by whom, it is asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.model.block import Block, Counts, NoData, Reading, RosterEntry, SideBlock, Timing, timing_for
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric, QueryMetric
from analyzer.model.target import Side
from analyzer.ports import BlockRequest, Clock, Collected
from tests.fakes.cluster import FakeCluster, FakePod


@dataclass(slots=True)
class Traffic:
    """All users together: requests per second, share of errors by version, and Prometheus' rhythm in seconds."""

    rps: float = 400.0
    error_rates: Mapping[str, float] = field(default_factory=dict)
    usual_errors: float = 0.04
    seed: int = 0
    scrape: float = 1.0
    delay: float = 2.0


class FakeMetricSource:
    """Ratio metrics count the cluster's requests and errors; guards read `guards` by name and block.

    Switches: `down` (Prometheus can't be asked), `refused` (a metric's query is refused, by name), `absent` (why a
    side or a pod has no series), `unmeasurable` (no timing yet), `hang` (called before each answer: let it block).
    `asked` lists every request.
    """

    def __init__(self, cluster: FakeCluster, clock: Clock, traffic: Traffic) -> None:
        self.traffic = traffic
        self.down = False
        self.refused: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.guards: dict[str, Callable[[int], float | NoData]] = {}
        self.unmeasurable: str | None = None
        self.hang: Callable[[], None] | None = None
        self.asked: list[BlockRequest] = []
        self._cluster = cluster
        self._clock = clock
        self._slots: dict[tuple[str, int], Counts] = {}

    def collect(self, requests: Sequence[BlockRequest]) -> Mapping[str, Collected | ObservationError]:
        self.asked += requests
        if self.hang is not None:
            self.hang()
        self._cluster.run()
        return {request.target: self._answer(request) for request in requests}

    def measure(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric], interval: float
    ) -> Timing | NoData:
        if self.down:
            raise ObservationError("connection refused")
        if self.unmeasurable is not None or not pods:
            return NoData(self.unmeasurable or "no pods")
        return timing_for(interval, self.traffic.scrape, self.traffic.delay)

    def _answer(self, request: BlockRequest) -> Collected | ObservationError:
        if self.down:
            return ObservationError("connection refused")
        upto = max(request.after, request.timing.last_closed_block(self._now()))
        metrics = {metric.name: self._measured(metric, request, upto) for metric in request.metrics}
        return Collected(upto, metrics)

    def _measured(
        self, metric: Metric, request: BlockRequest, upto: int
    ) -> Sequence[Block] | Sequence[Reading] | ObservationError:
        if metric.name in self.refused:
            return ObservationError(self.refused[metric.name])
        numbers = range(request.after + 1, upto + 1)
        if isinstance(metric, QueryMetric):
            guard = self.guards.get(metric.name, _nothing)
            return [Reading(number, guard(number)) for number in numbers]
        return [self._block(number, request, latest=number == upto) for number in numbers]

    def _block(self, number: int, request: BlockRequest, *, latest: bool) -> Block:
        timing = request.timing
        span = (number * timing.block, (number + 1) * timing.block)
        later = latest and self._now() - timing.delay >= span[1] + timing.slot
        return Block(
            index=number,
            canary=self._side(Side.CANARY, span, request),
            stable=self._side(Side.STABLE, span, request),
            stable_later=self._side(Side.STABLE, span, request, extra=timing.slot) if later else None,
        )

    def _side(self, side: Side, span: tuple[float, float], request: BlockRequest, extra: float = 0.0) -> SideBlock:
        known = {pod.name: pod for pod in self._cluster.pods}
        pods: dict[str, Counts] = {}
        absent: dict[str, str] = {}
        for entry in request.roster:
            if entry.side is not side or not _expected(entry, span, request.warmup):
                continue
            reason = self.absent.get(side.value) or self.absent.get(entry.pod)
            pod = known[entry.pod]
            if reason is None and not pod.was_up(span[0], span[1] + extra):
                reason = "its process was not up for the whole block"
            if reason is None:
                pods[entry.pod] = self._counts(pod, (span[0], span[1] + extra), request.timing.slot)
            else:
                absent[entry.pod] = reason
        return SideBlock(pods, absent)

    def _counts(self, pod: FakePod, span: tuple[float, float], slot: float) -> Counts:
        numbers = range(round(span[0] / slot), round(span[1] / slot))
        counts = [self._slot(pod, number, slot) for number in numbers]
        return Counts(sum(one.events for one in counts), sum(one.total for one in counts))

    def _slot(self, pod: FakePod, number: int, slot: float) -> Counts:
        key = (pod.name, number)
        if key not in self._slots:
            random = np.random.default_rng((self.traffic.seed, zlib.crc32(pod.name.encode()), number))
            share = self._cluster.requests_per_rps(pod, number * slot, (number + 1) * slot)
            total = int(random.poisson(self.traffic.rps * share))
            rate = self.traffic.error_rates.get(pod.version, self.traffic.usual_errors)
            self._slots[key] = Counts(int(random.binomial(total, rate)), total)
        return self._slots[key]

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _nothing(_number: int) -> float | NoData:
    return NoData("the query gave nothing")


def _expected(entry: RosterEntry, span: tuple[float, float], warmup: float) -> bool:
    """Ready and warmed up before the block began, and not gone before it ended."""
    gone = entry.gone_at is not None and entry.gone_at.timestamp() < span[1]
    return entry.ready_at.timestamp() + warmup <= span[0] and not gone
