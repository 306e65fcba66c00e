"""Rate metrics: one pod's events between two edges, and the seconds they came from. Made by `kinds`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.model.block import Arrivals, NoData
from analyzer.observation.counter import Counter
from analyzer.observation.edges import PodKey


@dataclass(frozen=True, slots=True)
class PodArrivals:
    """The counter of one rate metric, of all pods. A pod without the series is absent, not without events."""

    events: Counter

    def between(self, pod: PodKey, begin: int, end: int) -> Arrivals | NoData:
        """What this pod counted from edge `begin` to edge `end`; containers are added up."""
        grown = self.events.sum(pod, begin, end)
        return grown if isinstance(grown, NoData) else Arrivals(grown, (end - begin) / 1000)

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process behind this pod's counter started, as seen at this edge."""
        return self.events.started(pod, edge)
