"""Gauges: one pod's level in a block. Made by `kinds`. Pure.

A gauge's level is the mean of its samples since the block began; a counter's is what it grew by per second. All
series of a pod are added up, over containers too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analyzer.model.block import NoData, PodLevel
from analyzer.observation.counter import Counter
from analyzer.observation.edges import PodKey, ScrapeTarget
from analyzer.observation.scrapes import RESTARTED, youngest


@dataclass(frozen=True, slots=True)
class PodLevels:
    """`means` holds, at each edge, the mean since the edge before, added up within each scrape target."""

    means: Counter

    def between(self, pod: PodKey, begin: int, end: int) -> PodLevel | NoData:
        """The mean of this pod's samples between the edges."""
        targets = [target for target in self.means.chosen(pod, end, end) if end in self.means.values[target]]
        scrapes = self.means.scrapes
        if any(scrapes.restarted(target, begin, end) for target in [*targets, *scrapes.of(pod)]):
            return RESTARTED
        if not targets:
            return NoData(f"no sample of {self.means.selector} in this block: not scraped, or other labels")
        return _level(sum(self.means.values[target][end] for target in targets), self.means.selector)

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process of this pod started, as seen at this edge."""
        return _started(self.means, pod, edge)


@dataclass(frozen=True, slots=True)
class PodSpeeds:
    """A gauge that is kept as a counter: CPU seconds per second."""

    counter: Counter

    def between(self, pod: PodKey, begin: int, end: int) -> PodLevel | NoData:
        """What this pod's counter grew by per second between the edges."""
        grown = self.counter.sum(pod, begin, end)
        return grown if isinstance(grown, NoData) else _level(grown * 1000 / (end - begin), self.counter.selector)

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process of this pod started, as seen at this edge."""
        return _started(self.counter, pod, edge)


def _level(value: float, selector: str) -> PodLevel | NoData:
    if not math.isfinite(value):
        return NoData(f"{selector} is not a finite number ({value:g})")
    if value < 0:
        return NoData(f"{selector} is negative ({value:g}); levels are compared by their ratio")
    return PodLevel(value)


def _started(counter: Counter, pod: PodKey, edge: int) -> float | None:
    """From the targets that have the level, or from the pod's others where these (a kubelet) cannot tell."""
    known: list[ScrapeTarget] = [target for target in counter.of(pod) if counter.scrapes.knows(target)]
    return youngest(counter.scrapes, known or counter.scrapes.of(pod), edge)
