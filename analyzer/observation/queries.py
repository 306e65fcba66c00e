"""Asks Prometheus for values at edges, by scrape target, for many pods at once. Used by `meters`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.model.metric import SeriesLabels
from analyzer.observation.bucket_labels import BOUND, match_any_spelling
from analyzer.observation.connection import MAX_POINTS, PrometheusConnection
from analyzer.observation.edges import EdgeGrid, EdgeValues, PodKey, ScrapeTarget
from analyzer.observation.response import Series, used_up
from analyzer.promql import Matcher, Selector, one_of, with_matchers

REGEX_LENGTH = 400_000
"""How many characters of pod names go into one query: those of 5,000 pods. The longest query has them twice, and stays
below the usual megabyte of proxies."""

ANSWER_POINTS = 120_000
"""How many samples one answer may have, about: some 10 MB of JSON. The most memory is in use while one is read; on the
other hand 500 releases of 10 pods with every preset shall ask no more than 10 questions a sweep."""

START_TIME = "process_start_time_seconds"
"""Exported by every official client library; tells a restart from a series that vanished."""

_READS = "analyzer_reads"
"""A label of our own, which tells two expressions in one query apart."""

_START = Selector((Matcher.named(START_TIME),))


@dataclass(frozen=True, slots=True)
class StartTimes:
    """When each target's process started, and when the sample was scraped that says so; seconds since the epoch."""

    starts: EdgeValues
    sample_times: EdgeValues


@dataclass(frozen=True, slots=True)
class BucketValues:
    """Cumulative counts by upper bound, and the targets that have series which are no classic histogram's."""

    by_bound: Mapping[float, EdgeValues]
    refused: frozenset[ScrapeTarget]


@dataclass(frozen=True, slots=True)
class EdgeQueries:
    """Asks for sums per scrape target at the moments of `grid`. Raises ObservationError from every method."""

    connection: PrometheusConnection
    labels: SeriesLabels
    grid: EdgeGrid
    pods: frozenset[PodKey]

    def sums(self, selector: Selector) -> EdgeValues:
        """The counters that a selector matches, added up within each scrape target."""
        bound = match_any_spelling(selector)

        def query(narrowed: Selector, _: int | None) -> str:
            # Two spellings of one bound are one counter, not two to be added up.
            counters = f"max without ({BOUND}) ({narrowed})" if bound is not None else str(narrowed)
            return f"sum by ({self._by()}) ({counters})"

        return self._by_target(self._read(query, bound or selector))

    def means(self, selector: Selector, since: int) -> EdgeValues:
        """Gauges: the mean of each series since the edge `since` milliseconds before, added up within each target.

        At an extra moment the mean reaches back to the same edge as at the edge before it.
        """

        def query(narrowed: Selector, at: int | None) -> str:
            window = since if at is None else since + (at - self.grid.first) % self.grid.step
            return f"sum by ({self._by()}) (avg_over_time({narrowed}[{window}ms]))"

        return self._by_target(self._read(query, selector))

    def buckets(self, selector: Selector) -> BucketValues:
        """Cumulative counts of classic histograms, added up within each scrape target."""
        found: dict[float, dict[ScrapeTarget, dict[int, float]]] = {}
        refused: set[ScrapeTarget] = set()
        by = self._by("le")
        for target, series in self._read(lambda narrowed, _: f"sum by ({by}) ({narrowed})", selector, weight=16):
            bound = _bound(series)
            if bound is None:
                refused.add(target)
                continue
            points = found.setdefault(bound, {}).setdefault(target, {})
            for at, value in _points(series).items():
                # Where Prometheus began to write "1.0" for "1", both are seen for a while.
                points[at] = max(value, points.get(at, value))
        return BucketValues(dict(found), frozenset(refused))

    def start_times(self) -> StartTimes:
        """Both in one query."""

        def query(narrowed: Selector, _: int | None) -> str:
            times = f"max by ({self._by()}) (timestamp({narrowed}))"
            return f'max by ({self._by()}) ({narrowed}) or label_replace({times}, "{_READS}", "time", "", "")'

        starts: dict[ScrapeTarget, dict[int, float]] = {}
        times: dict[ScrapeTarget, dict[int, float]] = {}
        for target, series in self._read(query, _START, weight=2):
            values = times if _READS in series.labels else starts
            values.setdefault(target, {}).update(_points(series))
        return StartTimes(starts, times)

    def _by(self, *more: str) -> str:
        return ", ".join((self.labels.namespace, self.labels.pod, "container", "job", "instance", *more))

    def _by_target(self, found: Iterable[tuple[ScrapeTarget, Series]]) -> EdgeValues:
        values: dict[ScrapeTarget, dict[int, float]] = {}
        for target, series in found:
            values.setdefault(target, {}).update(_points(series))
        return values

    def _read(
        self, query: Callable[[Selector, int | None], str], selector: Selector, weight: int = 1
    ) -> Iterator[tuple[ScrapeTarget, Series]]:
        """`query` makes PromQL of a narrowed selector and an extra moment (None: the range); `weight` is how many
        series a pod has in the answer, about."""
        grid = self.grid
        if grid.points == 0:
            return
        known: dict[ScrapeTarget, ScrapeTarget] = {}  # the buckets of a histogram share theirs
        most = max(1, ANSWER_POINTS // (weight * min(grid.points, MAX_POINTS)))
        for matchers in pod_matchers(self.labels, self.pods, most):
            narrowed = with_matchers(selector, matchers)
            span = (grid.first / 1000, grid.last / 1000, grid.step / 1000)
            answers = list(self.connection.range(query(narrowed, None), *span))
            for extra in grid.extras:
                answers += self.connection.instant(query(narrowed, extra), extra / 1000)
            for series in used_up(answers):
                target = self._target(series)
                if target.key in self.pods:
                    yield known.setdefault(target, target), series

    def _target(self, series: Series) -> ScrapeTarget:
        label = series.labels.get
        key = PodKey(label(self.labels.namespace, ""), label(self.labels.pod, ""))
        return ScrapeTarget(key, label("container", ""), label("job", ""), label("instance", ""))


def pod_matchers(labels: SeriesLabels, pods: Iterable[PodKey], most: int) -> Iterator[tuple[Matcher, Matcher]]:
    """Matchers that together cover these pods, in parts of at most `most` that are short enough for one query each.

    They may match more than these pods: the same name in another namespace. The names stand there one by one, without
    wildcards, because Prometheus looks such alternatives up in its index and tries every other regex on all pods.
    """
    for part in _portions(sorted(pods, key=lambda key: (key.pod, key.namespace)), most):
        namespaces, names = {key.namespace for key in part}, {key.pod for key in part}
        yield one_of(labels.namespace, namespaces), one_of(labels.pod, names)


def _portions(pods: Sequence[PodKey], most: int) -> Iterator[Sequence[PodKey]]:
    begin, length = 0, 0
    namespaces: set[str] = set()
    for position, key in enumerate(pods):
        size = len(key.pod) + 1 + (0 if key.namespace in namespaces else len(key.namespace) + 1)
        if position > begin and (length + size > REGEX_LENGTH or position - begin >= most):
            yield pods[begin:position]
            begin, length = position, 0
            namespaces.clear()
        length += size
        namespaces.add(key.namespace)
    if begin < len(pods):
        yield pods[begin:]


def _points(series: Series) -> dict[int, float]:
    return {round(when * 1000): value for when, value in series.samples}


def _bound(series: Series) -> float | None:
    """The upper bound in `le`, "1" and "1.0" alike; None when this is no series of a classic histogram."""
    try:
        bound = float(series.labels["le"])
    except (KeyError, ValueError):
        return None
    return None if series.native or math.isnan(bound) else bound
