"""What counters stood at, at the edges of blocks, by scrape target: the raw material of `counts`.

`collection` asks for it once for many targets of a sweep. Times are whole milliseconds since the epoch, as in
Prometheus, so that an edge is the same number however it was reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.model.block import Timing
from analyzer.model.metric import SeriesLabels
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.envelope import Series
from analyzer.promql import Matcher, Selector, one_of, with_matchers

REGEX_LENGTH = 8_000
"""How many characters of pod names go into one query."""

START_TIME = "process_start_time_seconds"
"""Exported by every official client library; tells a restart from a series that vanished."""


class PodKey(NamedTuple):
    """A pod, named as in Kubernetes."""

    namespace: str
    pod: str


class ScrapeTarget(NamedTuple):
    """One place that Prometheus scrapes: what is summed never crosses its border."""

    key: PodKey
    container: str
    job: str
    instance: str


EdgeValues = Mapping[ScrapeTarget, Mapping[int, float]]
"""By scrape target and edge (milliseconds since the epoch)."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges that a group of requests needs: every one from `first` to `last`, numbered in blocks, and one
    slot after `last` where its samples are stored already (`later`)."""

    timing: Timing
    first: int
    last: int
    later: bool = False

    def at(self, index: int) -> int:
        """Milliseconds at the start of this block."""
        return index * round(self.timing.block * 1000)

    @property
    def after_last(self) -> int:
        """Milliseconds one slot after the last edge."""
        return self.at(self.last) + math.ceil(self.timing.slot * 1000)


@dataclass(frozen=True, slots=True)
class EdgeReader:
    """Asks for sums per scrape target. Raises ObservationError from every method."""

    connection: PrometheusConnection
    labels: SeriesLabels
    edges: Edges
    pods: frozenset[PodKey] = field(default_factory=frozenset)

    def sums(self, selector: Selector) -> EdgeValues:
        """The counters that a selector matches, added up within each scrape target."""
        return self._read("sum", selector, "{}")

    def starts(self) -> EdgeValues:
        """When each target's process started, in seconds since the epoch."""
        return self._read("max", _START, "{}")

    def sample_times(self) -> EdgeValues:
        """When the sample that stands at an edge was scraped, in seconds since the epoch."""
        return self._read("max", _START, "timestamp({})")

    def _read(self, aggregate: str, selector: Selector, form: str) -> EdgeValues:
        by = ", ".join((self.labels.namespace, self.labels.pod, "container", "job", "instance"))
        values: dict[ScrapeTarget, dict[int, float]] = {}
        for matchers in pod_matchers(self.labels, self.pods):
            query = f"{aggregate} by ({by}) ({form.format(with_matchers(selector, matchers))})"
            for series in self._evaluate(query):
                target = self._target(series)
                if target.key in self.pods:
                    points = {round(when * 1000): value for when, value in series.samples}
                    values.setdefault(target, {}).update(points)
        return values

    def _evaluate(self, query: str) -> Iterator[Series]:
        edges = self.edges
        first, last = edges.at(edges.first) / 1000, edges.at(edges.last) / 1000
        yield from self.connection.range(query, first, last, edges.timing.block)
        if edges.later:
            yield from self.connection.instant(query, edges.after_last / 1000)

    def _target(self, series: Series) -> ScrapeTarget:
        label = series.labels.get
        key = PodKey(label(self.labels.namespace, ""), label(self.labels.pod, ""))
        return ScrapeTarget(key, label("container", ""), label("job", ""), label("instance", ""))


_START = Selector((Matcher.named(START_TIME),))


def pod_matchers(labels: SeriesLabels, pods: Iterable[PodKey]) -> Iterator[tuple[Matcher, Matcher]]:
    """Matchers that together cover these pods, in parts that are short enough for one query each.

    They may match more than these pods: the same name in another namespace.
    """
    for part in _portions(sorted(pods, key=lambda key: (key.pod, key.namespace))):
        namespaces, names = {key.namespace for key in part}, {key.pod for key in part}
        yield one_of(labels.namespace, namespaces), one_of(labels.pod, names)


def _portions(pods: Sequence[PodKey]) -> Iterator[Sequence[PodKey]]:
    begin, length = 0, 0
    for position, key in enumerate(pods):
        size = len(key.pod) + len(key.namespace) + 2
        if length + size > REGEX_LENGTH and position > begin:
            yield pods[begin:position]
            begin, length = position, 0
        length += size
    if begin < len(pods):
        yield pods[begin:]
