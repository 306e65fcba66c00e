"""One pod's events and total between two edges, or why they can't be told. Called by `sides`. Pure.

The rules: differences of raw counters, within one scrape target; a fall is a restart only when the process'
start time says so; nothing is taken across a restart; a series that is new on a target already scraped counts
from 0; whatever vanished makes the pod absent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.model.block import Counts, NoData
from analyzer.observation.edges import START_TIME, EdgeValues, PodKey, ScrapeTarget

STALE_SLOTS = 2.0
"""A sample older than this many slots at an edge was left over from before a gap."""

RESTART_SECONDS = 1.0
"""Start times that differ by less are the same: the kernel's boot time, which they are taken from, is adjusted."""

ROUNDING = 1e-6
"""Events may exceed the total by this much: sums of fractions are added up in any order."""


@dataclass(frozen=True, slots=True)
class Scrapes:
    """What is known of scrape targets apart from the metric: start of the process, and age of the samples.

    Both in seconds since the epoch, by edge; empty for targets that do not export their start time. `slot` in
    seconds.
    """

    starts: EdgeValues
    sample_times: EdgeValues
    slot: float
    _by_pod: Mapping[PodKey, list[ScrapeTarget]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_pod", _by_pod(self.starts))

    def start(self, target: ScrapeTarget, edge: int) -> float | None:
        """When the process started that was scraped at this edge."""
        return self.starts.get(target, {}).get(edge)

    def scraped(self, pod: PodKey, begin: int, end: int) -> bool:
        """Was any target of this pod scraped shortly before both edges?"""
        targets = self._by_pod.get(pod, ())
        return any(self.fresh(target, begin) and self.fresh(target, end) for target in targets)

    def knows(self, target: ScrapeTarget) -> bool:
        """Does this target export its start time?"""
        return target in self.starts

    def fresh(self, target: ScrapeTarget, edge: int) -> bool:
        """Was it scraped shortly before this edge? False too when that can't be known."""
        seen = self.sample_times.get(target, {}).get(edge)
        return seen is not None and edge / 1000 - seen <= STALE_SLOTS * self.slot

    def restarted(self, target: ScrapeTarget, begin: int, end: int) -> bool:
        """Is the process at `end` another one than at `begin`?"""
        before, after = self.start(target, begin), self.start(target, end)
        if before is None or after is None:
            return False
        return abs(after - before) > RESTART_SECONDS or (after != before and after > begin / 1000)


@dataclass(frozen=True, slots=True)
class PodCounters:
    """The counters of one ratio metric, of all pods. `named` is the total's selector, for reasons."""

    named: str
    events: EdgeValues
    total: EdgeValues
    scrapes: Scrapes
    _total_of: Mapping[PodKey, list[ScrapeTarget]] = field(init=False, repr=False, compare=False)
    _events_of: Mapping[PodKey, list[ScrapeTarget]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_total_of", _by_pod(self.total))
        object.__setattr__(self, "_events_of", _by_pod(self.events))

    def between(self, pod: PodKey, begin: int, end: int) -> Counts | NoData:
        """What this pod counted from edge `begin` to edge `end`; containers are added up."""
        chosen = self._chosen(pod, begin, end)
        if not chosen:
            return NoData(self._missing(pod, begin, end))
        stray = self._stray(pod, begin, end)
        if stray is not None:
            return NoData(
                f"its events are scraped at {stray.instance or stray.job!r}, where it has no total; both must come "
                f"from one scrape"
            )
        found = [self._difference(target, begin, end) for target in chosen]
        counted = [one for one in found if isinstance(one, Counts)]
        if len(counted) < len(found):
            return next(one for one in found if isinstance(one, NoData))
        return Counts(sum(one.events for one in counted), sum(one.total for one in counted))

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process behind this pod's total started, as seen at this edge."""
        targets = self._total_of.get(pod, ())
        return max((start for target in targets if (start := self.scrapes.start(target, edge))), default=None)

    def _chosen(self, pod: PodKey, begin: int, end: int) -> list[ScrapeTarget]:
        """One target for each container: a container that is scraped twice counts once."""
        containers: dict[str, list[ScrapeTarget]] = {}
        for target in self._total_of.get(pod, ()):
            containers.setdefault(target.container, []).append(target)
        chosen = (self._choose(targets, begin, end) for targets in containers.values())
        return [target for target in chosen if target is not None]

    def _choose(self, targets: list[ScrapeTarget], begin: int, end: int) -> ScrapeTarget | None:
        """The first with data at both edges, else at the end, else at the beginning: for these edges always the
        same one, whatever else was asked for."""
        for edges in ((begin, end), (end,), (begin,)):
            for target in targets:
                if all(edge in self.total[target] for edge in edges):
                    return target
        return None

    def _stray(self, pod: PodKey, begin: int, end: int) -> ScrapeTarget | None:
        """A target with events at these edges, but no total."""
        for target in self._events_of.get(pod, ()):
            edges = self.events[target].keys() & {begin, end}
            if edges and not self.total.get(target, {}).keys() & {begin, end}:
                return target
        return None

    def _difference(self, target: ScrapeTarget, begin: int, end: int) -> Counts | NoData:
        problem = self._gap(target, begin, end)
        if problem is not None:
            return problem
        total = self._risen(self.total, target, begin, end)
        events = self._risen(self.events, target, begin, end)
        if isinstance(total, NoData):
            return total
        if isinstance(events, NoData):
            return events
        if events > total + ROUNDING:
            return NoData(f"{events:g} events of {total:g} in total: `events` must select a part of `total`")
        return Counts(min(events, total), total)

    def _gap(self, target: ScrapeTarget, begin: int, end: int) -> NoData | None:
        if self.scrapes.restarted(target, begin, end):
            return NoData("its container restarted in this block")
        known = self.scrapes.knows(target)
        if begin not in self.total[target] and not self.scrapes.fresh(target, begin):
            return NoData("its first scrape came after the block began")
        for edge, place in ((begin, "beginning"), (end, "end")):
            if known and edge in self.total[target] and not self.scrapes.fresh(target, edge):
                return NoData(f"it was not scraped shortly before the block's {place}")
        return None

    def _risen(self, values: EdgeValues, target: ScrapeTarget, begin: int, end: int) -> float | NoData:
        name = "total" if values is self.total else "events"
        points = values.get(target, {})
        before, after = points.get(begin), points.get(end)
        if after is None:
            if before is None:
                return 0.0
            return NoData(f"its series of {name} vanished: a failed scrape, or the target is gone")
        rise = after - (before or 0.0)
        if not math.isfinite(rise):
            return NoData(f"its {name} is not a finite number ({after:g})")
        if rise < 0:
            cause = "without a restart" if self.scrapes.knows(target) else f"and no {START_TIME} tells of a restart"
            return NoData(f"its {name} fell from {before:g} to {after:g} {cause}: a series vanished")
        return rise

    def _missing(self, pod: PodKey, begin: int, end: int) -> str:
        if self.scrapes.scraped(pod, begin, end):
            return f"it is scraped, but has no series of {self.named} (no request yet, or another name or label)"
        return f"no sample of {self.named} at the block's edges: it was not scraped, or has other labels"


def _by_pod(values: EdgeValues) -> dict[PodKey, list[ScrapeTarget]]:
    found: defaultdict[PodKey, list[ScrapeTarget]] = defaultdict(list)
    for target in sorted(values):
        found[target.key].append(target)
    return dict(found)
