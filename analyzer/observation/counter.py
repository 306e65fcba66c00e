"""One counter of many pods, and what it grew by between two edges, or why that cannot be told. Pure.

Every kind of metric that is made of counters is built on it. The rules: differences of raw counters, within one
scrape target; a fall is a restart only when the process' start time says so; nothing is taken across a restart;
a series that is new on a target already scraped counts from 0; whatever vanished makes the pod absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.model.block import NoData
from analyzer.observation.edges import EdgeValues, PodKey, ScrapeTarget, by_pod
from analyzer.observation.queries import START_TIME
from analyzer.observation.scrapes import RESTARTED, Scrapes, youngest


@dataclass(frozen=True, slots=True)
class Counter:
    """`name` is what it is called in reasons ("total"), `selector` how it was selected.

    In the methods, `newborn` lets a process that began between the edges count from 0; else that is a restart, or
    a first scrape that came too late.
    """

    name: str
    selector: str
    values: EdgeValues
    scrapes: Scrapes
    _by_pod: Mapping[PodKey, list[ScrapeTarget]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_pod", by_pod(self.values))

    def of(self, pod: PodKey) -> list[ScrapeTarget]:
        """All targets of this pod that ever had the counter."""
        return self._by_pod.get(pod, [])

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process behind this pod's counter started, as seen at this edge."""
        return youngest(self.scrapes, self.of(pod), edge)

    def chosen(self, pod: PodKey, begin: int, end: int) -> list[ScrapeTarget]:
        """One target for each container that has the counter at an edge: what is scraped twice counts once."""
        containers: dict[str, list[ScrapeTarget]] = {}
        for target in self.of(pod):
            containers.setdefault(target.container, []).append(target)
        found = (self._choose(targets, begin, end) for targets in containers.values())
        return [target for target in found if target is not None]

    def sum(self, pod: PodKey, begin: int, end: int) -> float | NoData:
        """What this pod's counter grew by, containers added up."""
        chosen = self.chosen(pod, begin, end)
        if not chosen:
            return self.missing(pod, begin, end)
        total = 0.0
        for target in chosen:
            rise = self.gap(target, begin, end) or self.risen(target, begin, end)
            if isinstance(rise, NoData):
                return rise
            total += rise
        return total

    def gap(self, target: ScrapeTarget, begin: int, end: int, *, newborn: bool = False) -> NoData | None:
        """Why nothing can be told of this target between the edges, whatever its counter says."""
        values = self.values.get(target, {})
        if newborn and self.scrapes.began_inside(target, begin, end):
            return self._stale(target, end, "end") if end in values else None
        if self.scrapes.restarted(target, begin, end):
            return RESTARTED
        if begin not in values and not self.scrapes.fresh(target, begin):
            return NoData("first scraped after the block began")
        stale = self._stale(target, begin, "start") if begin in values else None
        return stale or (self._stale(target, end, "end") if end in values else None)

    def risen(self, target: ScrapeTarget, begin: int, end: int, *, newborn: bool = False) -> float | NoData:
        """What it grew by within one target without a gap."""
        points = self.values.get(target, {})
        before, after = points.get(begin), points.get(end)
        if newborn and self.scrapes.began_inside(target, begin, end):
            before = None
        if after is None:
            if before is None:
                return 0.0
            return NoData(f"series of {self.name} ended in this block: a scrape failed, or the target is gone")
        rise = after - (before or 0.0)
        if not math.isfinite(rise):
            return NoData(f"its {self.name} is not a finite number ({after:g})")
        if rise < 0 or after < 0:
            return NoData(self._fallen(target, before or 0.0, after))
        return rise

    def missing(self, pod: PodKey, begin: int, end: int) -> NoData:
        """Why no target of this pod has the counter."""
        if self.scrapes.scraped(pod, begin, end):
            known = "no request yet, or other names or labels"
            return NoData(f"scraped, but has no series {self.selector} ({known})")
        return NoData(f"no sample of {self.selector} at the start and end of the block: not scraped, or other labels")

    def _choose(self, targets: list[ScrapeTarget], begin: int, end: int) -> ScrapeTarget | None:
        """The first with data at both edges, else at the end, else at the beginning: for these edges always the
        same one, whatever else was asked for."""
        for edges in ((begin, end), (end,), (begin,)):
            for target in targets:
                if all(edge in self.values[target] for edge in edges):
                    return target
        return None

    def _stale(self, target: ScrapeTarget, edge: int, place: str) -> NoData | None:
        if not self.scrapes.knows(target) or self.scrapes.fresh(target, edge):
            return None
        return NoData(f"not scraped shortly before the {place} of the block")

    def _fallen(self, target: ScrapeTarget, before: float, after: float) -> str:
        if after < 0:
            return f"its {self.name} is negative ({after:g}): not a counter"
        cause = (
            "without a restart"
            if self.scrapes.knows(target)
            else f"and {START_TIME} is missing, so a restart cannot be ruled out"
        )
        return f"its {self.name} fell from {before:g} to {after:g} {cause}: a series ended"
