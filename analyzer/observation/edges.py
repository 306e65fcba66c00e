"""The moments at which a group of requests is measured, and the places that are scraped there.

Times are whole milliseconds since the epoch, as in Prometheus, so that an edge is the same number however it was
reached. Used by everything in this package that reads or compares values at edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from analyzer.model.block import Timing


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


def by_pod(targets: Iterable[ScrapeTarget]) -> dict[PodKey, list[ScrapeTarget]]:
    """Scrape targets of each pod, always in the same order."""
    found: defaultdict[PodKey, list[ScrapeTarget]] = defaultdict(list)
    for target in sorted(targets):
        found[target.key].append(target)
    return dict(found)


@dataclass(frozen=True, slots=True)
class EdgeGrid:
    """Evenly spaced moments for one range query, and single ones beside them (`extras`).

    All in milliseconds. There is nothing to ask for when `last` is before `first`.
    """

    first: int
    last: int
    step: int
    extras: tuple[int, ...] = ()

    @property
    def points(self) -> int:
        """How many moments of the range query there are."""
        return max(0, (self.last - self.first) // self.step + 1)


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges that a request, or a group of requests, needs.

    Blocks: every edge from `first` to `last`, numbered in blocks, and one slot after `last` where its samples are
    stored already (`later`). In a group not all requests end at the same edge: `ends` has those after which one slot
    is needed. Slots: from `fast_first` to `fast_last`, numbered in slots; None where nobody asks.
    """

    timing: Timing
    first: int
    last: int
    later: bool = False
    fast_first: int | None = None
    fast_last: int = 0
    ends: frozenset[int] = frozenset()

    def at(self, index: int) -> int:
        """Milliseconds at the start of this block."""
        return index * self.block

    def at_slot(self, index: int) -> int:
        """Milliseconds at the start of this slot."""
        return index * self.slot

    @property
    def block(self) -> int:
        """A block's length in milliseconds."""
        return round(self.timing.block * 1000)

    @property
    def slot(self) -> int:
        """A slot's length in milliseconds."""
        return round(self.timing.slot * 1000)

    @property
    def after_last(self) -> int:
        """Milliseconds one slot after the last edge."""
        return self.at(self.last) + self.slot

    @property
    def blocks(self) -> EdgeGrid:
        """The edges of blocks alone."""
        # Without a block there is no edge that anyone needs.
        end = self.at(self.last) if self.first < self.last else self.at(self.first) - 1
        return EdgeGrid(self.at(self.first), end, self.block, self._confirming)

    @property
    def slots(self) -> EdgeGrid:
        """The edges of slots, which hold those of blocks and the ones a slot later."""
        begins = [self.at(self.first)] if self.first < self.last else []
        ends = [self.at(self.last), *self._confirming] if self.first < self.last else []
        if self.fast_first is not None:
            begins.append(self.at_slot(self.fast_first))
            ends.append(self.at_slot(self.fast_last))
        first = min(begins, default=0)
        return EdgeGrid(first, max(ends, default=first - 1), self.slot)

    @property
    def _confirming(self) -> tuple[int, ...]:
        ends = self.ends or ({self.last} if self.later else frozenset())
        return tuple(sorted(self.at(end) + self.slot for end in ends if end > self.first))
