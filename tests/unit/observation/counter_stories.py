"""Counters of a few scrape targets at the edges of 10 s blocks, short to write and easy to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzer.model.block import Timing
from analyzer.observation.counter import Counter
from analyzer.observation.counts import PodCounters
from analyzer.observation.edges import Edges, EdgeValues, PodKey, ScrapeTarget
from analyzer.observation.scrapes import Scrapes

TIMING = Timing(block=10.0, slot=5.0, delay=2.0)
POD = PodKey("shop", "a")
Points = Sequence[float | None]


def target(pod: str = "a", container: str = "", instance: str = "10.0.0.1:80", job: str = "pods") -> ScrapeTarget:
    """A scrape target in the namespace shop."""
    return ScrapeTarget(PodKey("shop", pod), container, job, instance)


def at_edges(values: Mapping[ScrapeTarget, Points]) -> EdgeValues:
    """Values at edges 0, 10, 20, ... seconds; None: no sample."""
    return {
        place: {index * 10_000: value for index, value in enumerate(points) if value is not None}
        for place, points in values.items()
    }


def scrapes(starts: Mapping[ScrapeTarget, Points], ages: Mapping[ScrapeTarget, Points] | None = None) -> Scrapes:
    """Start times of processes at edges, in samples that are one second old unless `ages` says otherwise."""
    seen = {
        place: [
            None if value is None else index * 10 - ((ages or {}).get(place, [1.0] * len(points))[index] or 0.0)
            for index, value in enumerate(points)
        ]
        for place, points in starts.items()
    }
    return Scrapes(at_edges(starts), at_edges(seen), TIMING.slot)


def counters(
    total: Mapping[ScrapeTarget, Points],
    events: Mapping[ScrapeTarget, Points],
    starts: Mapping[ScrapeTarget, Points] | None = None,
    ages: Mapping[ScrapeTarget, Points] | None = None,
    *,
    newborn: bool = False,
) -> PodCounters:
    """Counters of a ratio metric. Without `starts` the process of each target of `total` started long ago."""
    known = scrapes(_long_ago(total) if starts is None else starts, ages)
    return PodCounters("hits_total", at_edges(events), at_edges(total), known, newborn)


def counter(
    values: Mapping[ScrapeTarget, Points],
    starts: Mapping[ScrapeTarget, Points] | None = None,
    ages: Mapping[ScrapeTarget, Points] | None = None,
) -> Counter:
    """One counter, selected as x. Without `starts` the process of each target started long ago."""
    return Counter("count", "x", at_edges(values), scrapes(_long_ago(values) if starts is None else starts, ages))


def _long_ago(values: Mapping[ScrapeTarget, Points]) -> Mapping[ScrapeTarget, Points]:
    return {place: [-1000.0] * len(points) for place, points in values.items()}


def edges(last: int, *, later: bool = False) -> Edges:
    """Edges 0 to `last`."""
    return Edges(TIMING, 0, last, later)
