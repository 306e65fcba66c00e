"""Ratio metrics: one pod's events and total between two edges, or why they cannot be told. Made by `kinds`. Pure.

Both come from one scrape; events without a total are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.model.block import Counts, NoData
from analyzer.observation.counter import Counter
from analyzer.observation.edges import EdgeValues, PodKey, ScrapeTarget
from analyzer.observation.scrapes import Scrapes

ROUNDING = 1e-6
"""Events may exceed the total by this much: sums of fractions are added up in any order."""


@dataclass(frozen=True, slots=True)
class PodCounters:
    """The counters of one ratio metric, of all pods. `named` is the total's selector, for reasons.

    `newborn` (for slots): a process that began between the edges counts from 0.
    """

    named: str
    events: EdgeValues
    total: EdgeValues
    scrapes: Scrapes
    newborn: bool = False
    _events: Counter = field(init=False, repr=False, compare=False)
    _total: Counter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_events", Counter("events", self.named, self.events, self.scrapes))
        object.__setattr__(self, "_total", Counter("total", self.named, self.total, self.scrapes))

    def between(self, pod: PodKey, begin: int, end: int) -> Counts | NoData:
        """What this pod counted from edge `begin` to edge `end`; containers are added up."""
        chosen = self._total.chosen(pod, begin, end)
        if not chosen:
            return self._total.missing(pod, begin, end)
        stray = self._stray(pod, begin, end)
        if stray is not None:
            return NoData(
                f"`events` are scraped at {stray.instance or stray.job!r}, which has no `total`; both must come from "
                f"one scrape target"
            )
        found = [self._difference(target, begin, end) for target in chosen]
        counted = [one for one in found if isinstance(one, Counts)]
        if len(counted) < len(found):
            return next(one for one in found if isinstance(one, NoData))
        return Counts(sum(one.events for one in counted), sum(one.total for one in counted))

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process behind this pod's total started, as seen at this edge."""
        return self._total.started(pod, edge)

    def _stray(self, pod: PodKey, begin: int, end: int) -> ScrapeTarget | None:
        """A target with events at these edges, but no total."""
        for target in self._events.of(pod):
            edges = self.events[target].keys() & {begin, end}
            if edges and not self.total.get(target, {}).keys() & {begin, end}:
                return target
        return None

    def _difference(self, target: ScrapeTarget, begin: int, end: int) -> Counts | NoData:
        problem = self._total.gap(target, begin, end, newborn=self.newborn)
        if problem is not None:
            return problem
        total = self._total.risen(target, begin, end, newborn=self.newborn)
        events = self._events.risen(target, begin, end, newborn=self.newborn)
        if isinstance(total, NoData):
            return total
        if isinstance(events, NoData):
            return events
        if events > total + ROUNDING:
            return NoData(f"found {events:g} events of {total:g} in total; `events` must select a part of `total`")
        return Counts(min(events, total), total)
