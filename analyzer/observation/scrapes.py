"""What is known of scrape targets apart from any metric: when their process started, and how old their samples are.

The counters and levels of all metrics ask it whether they can be trusted between two edges. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.model.block import NoData
from analyzer.observation.edges import EdgeValues, PodKey, ScrapeTarget, by_pod

STALE_SLOTS = 2.0
"""A sample older than this many slots at an edge was left over from before a gap."""

RESTART_SECONDS = 1.0
"""Start times that differ by less are the same: the kernel's boot time, which they are taken from, is adjusted."""

RESTARTED = NoData("container restarted in this block")


@dataclass(frozen=True, slots=True)
class Scrapes:
    """Start of the process and time of the sample that tells it, by target and edge, in seconds since the epoch.

    Empty for targets that do not export their start time. `slot` in seconds.
    """

    starts: EdgeValues
    sample_times: EdgeValues
    slot: float
    _by_pod: Mapping[PodKey, list[ScrapeTarget]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_pod", by_pod(self.starts))

    def of(self, pod: PodKey) -> list[ScrapeTarget]:
        """The targets of this pod that export their start time."""
        return self._by_pod.get(pod, [])

    def start(self, target: ScrapeTarget, edge: int) -> float | None:
        """When the process started that was scraped at this edge."""
        return self.starts.get(target, {}).get(edge)

    def scraped(self, pod: PodKey, begin: int, end: int) -> bool:
        """Was any target of this pod scraped shortly before both edges?"""
        return any(self.fresh(target, begin) and self.fresh(target, end) for target in self.of(pod))

    def knows(self, target: ScrapeTarget) -> bool:
        """Does this target export its start time?"""
        return target in self.starts

    def fresh(self, target: ScrapeTarget, edge: int) -> bool:
        """Was it scraped shortly before this edge? False too when that cannot be known."""
        seen = self.sample_times.get(target, {}).get(edge)
        return seen is not None and edge / 1000 - seen <= STALE_SLOTS * self.slot

    def restarted(self, target: ScrapeTarget, begin: int, end: int) -> bool:
        """Is the process at `end` another one than at `begin`?"""
        before, after = self.start(target, begin), self.start(target, end)
        if before is None or after is None:
            return False
        return not same_process(before, after) or (after != before and after > begin / 1000)

    def began_inside(self, target: ScrapeTarget, begin: int, end: int) -> bool:
        """Did the process that was scraped at `end` start after `begin`?"""
        start = self.start(target, end)
        return start is not None and start >= begin / 1000

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process of this pod started, as seen at this edge."""
        return youngest(self, self.of(pod), edge)


def youngest(scrapes: Scrapes, targets: list[ScrapeTarget], edge: int) -> float | None:
    """When the youngest process of these targets started, as seen at this edge."""
    return max((start for target in targets if (start := scrapes.start(target, edge))), default=None)


def same_process(before: float, after: float) -> bool:
    """Do these two start times belong to one process?"""
    return abs(after - before) <= RESTART_SECONDS
