"""What stable pods measured in the hours before a release, in batches of 5 minutes. Called by `source.history`.

The rules are those of blocks, with one difference: whoever is absent from a batch is simply not in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from analyzer.model.block import Block, History, NoData, Sample, SideBlock, Timing
from analyzer.model.duration import show_duration
from analyzer.model.errors import ObservationError
from analyzer.model.metric import SeriesLabels, TestedMetric
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import Edges, PodKey
from analyzer.observation.kinds import KINDS, MeasuredPods, questions_of
from analyzer.observation.meters import MetricReaders
from analyzer.observation.scrapes import Scrapes
from analyzer.observation.sides import Meter, RawBlock

BATCH = 300.0
"""Seconds of one batch."""

LONGEST_BACK = timedelta(days=7)
"""History from before that says little about today."""

LONGEST_SCRAPE = 60.0
"""Seconds; pods that are scraped more rarely have no history."""

WARM_AFTER = 60.0
"""Seconds after its start in which a process is not typical yet."""

V = TypeVar("V")


class Past:
    """One use reads one history. `now` is in seconds since the epoch, on Prometheus' clock."""

    def __init__(
        self,
        connection: PrometheusConnection,
        labels: SeriesLabels,
        pods: Sequence[PodKey],
        span: tuple[float, timedelta, float],
    ) -> None:
        now, back, delay = span
        last = math.floor((now - delay) / BATCH)
        first = last - math.floor(min(back, LONGEST_BACK) / timedelta(seconds=BATCH))
        timing = Timing(block=BATCH, slot=LONGEST_SCRAPE, delay=delay)
        self._pods = list(pods)
        self._edges = Edges(timing, min(first, last), last)
        self._meters = MetricReaders(connection, labels, self._edges, slots=False)

    def of(self, metrics: Sequence[TestedMetric]) -> dict[str, History[Sample] | NoData]:
        """By metric. Raises ObservationError when a query fails."""
        for metric in metrics:
            self._meters.expect(questions_of(metric), self._pods, in_slots=metric.fast_lane)
        return {metric.name: self._one(metric) for metric in metrics}

    def _one(self, metric: TestedMetric) -> History[Sample] | NoData:
        kind = KINDS[type(metric)]
        pods = MeasuredPods(frozenset(self._pods), lambda: _first_starts(self._meters.scrapes(), self._pods))
        try:
            kind.refuse(self._meters, metric, pods)
        except ObservationError as error:
            return NoData(str(error))
        return self._history(kind.meter(self._meters, metric, pods), kind.finish)

    def _history(self, meter: Meter[V], finish: Callable[[RawBlock[V]], Block[Sample]]) -> History[Sample] | NoData:
        batches: list[SideBlock[Sample]] = []
        reason = "no time has passed yet"
        for index in range(self._edges.first, self._edges.last):
            found = self._batch(meter, index)
            side = finish(RawBlock(index, {}, found)).stable
            reason = next(iter(side.absent.values()), reason)
            if side.pods or batches:
                batches.append(SideBlock(side.pods, bounds=side.bounds))
        while batches and not batches[-1].pods:
            batches.pop()
        if not batches:
            return NoData(f"no history of {show_duration(BATCH)} yet; last reason: {reason}")
        return History(BATCH, tuple(batches))

    def _batch(self, meter: Meter[V], index: int) -> dict[str, V | NoData]:
        begin, end = self._edges.at(index), self._edges.at(index + 1)
        found: dict[str, V | NoData] = {}
        for pod in self._pods:
            started = meter.started(pod, begin)
            if started is not None and started + WARM_AFTER > begin / 1000:
                found[pod.pod] = NoData("just started")
            else:
                found[pod.pod] = meter.between(pod, begin, end)
        return found


def _first_starts(scrapes: Scrapes, pods: Sequence[PodKey]) -> Mapping[PodKey, float]:
    """When the first process of each pod started that Prometheus knows of: the later ones are restarts."""
    return {
        pod: min(start for target in scrapes.of(pod) for start in scrapes.starts[target].values())
        for pod in pods
        if scrapes.of(pod)
    }
