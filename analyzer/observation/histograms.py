"""Classic histograms: one pod's cumulative counts between two edges. Made by `kinds`. Pure.

Pods are compared per bound, so the pods of a block have the bounds that most of them have; the others are absent.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from analyzer.model.block import Block, Buckets, NoData, SideBlock
from analyzer.observation.counter import Counter
from analyzer.observation.edges import EdgeValues, PodKey, ScrapeTarget
from analyzer.observation.scrapes import Scrapes
from analyzer.observation.sides import Found, RawBlock

ROUNDING = 1e-6
"""A bucket may fall short of the one below it by this much: sums of fractions are added up in any order."""

NATIVE = (
    "native histograms are not supported: expected the cumulative series of a classic histogram, with an `le` label "
    "and a name that ends in _bucket"
)

_INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Bucketed:
    """What one pod counted, by its own bounds."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PodHistograms:
    """The buckets of one histogram metric, of all pods. `refused` are targets with series that are none."""

    selector: str
    by_bound: Mapping[float, EdgeValues]
    scrapes: Scrapes
    refused: frozenset[ScrapeTarget] = frozenset()
    _counters: Mapping[float, Counter] = field(init=False, repr=False, compare=False)
    _all: Counter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counters = {
            bound: Counter(f"bucket le={bound:g}", self.selector, self.by_bound[bound], self.scrapes)
            for bound in sorted(self.by_bound)
        }
        values: dict[ScrapeTarget, dict[int, float]] = {}
        for bound in counters:  # ascending: what stands at an edge in the end is the highest bound's
            for target, points in self.by_bound[bound].items():
                values.setdefault(target, {}).update(points)
        object.__setattr__(self, "_counters", counters)
        object.__setattr__(self, "_all", Counter("count", self.selector, values, self.scrapes))

    def only_native(self, pods: Collection[PodKey]) -> bool:
        """Is there something for these pods, but no classic histogram?"""
        return any(target.key in pods for target in self.refused) and not any(self._all.of(pod) for pod in pods)

    def between(self, pod: PodKey, begin: int, end: int) -> Bucketed | NoData:
        """What this pod counted from edge `begin` to edge `end`; containers are added up."""
        chosen = self._all.chosen(pod, begin, end)
        if not chosen:
            refused = any(target.key == pod for target in self.refused)
            return NoData(NATIVE) if refused else self._all.missing(pod, begin, end)
        found: list[Bucketed] = []
        for target in chosen:
            one = self._all.gap(target, begin, end) or self._counted(target, begin, end)
            if isinstance(one, NoData):
                return one
            found.append(one)
        if len({one.bounds for one in found}) > 1:
            return NoData("its containers have different bucket bounds")
        sums = tuple(sum(counts) for counts in zip(*(one.counts for one in found), strict=True))
        return Bucketed(found[0].bounds, sums)

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process behind this pod's histogram started, as seen at this edge."""
        return self._all.started(pod, edge)

    def _counted(self, target: ScrapeTarget, begin: int, end: int) -> Bucketed | NoData:
        risen: dict[float, float] = {}
        for bound, counter in self._counters.items():
            if not counter.values.get(target, {}).keys() & {begin, end}:
                continue
            rise = counter.risen(target, begin, end)
            if isinstance(rise, NoData):
                return rise
            risen[bound] = rise
        if _INFINITE not in risen:
            return NoData(f'{self.selector} has no bucket with le="+Inf": the histogram is incomplete')
        for below, above in pairwise(risen):
            if risen[below] > risen[above] + ROUNDING:
                return NoData(
                    f"bucket le={below:g} counted {risen[below]:g}, bucket le={above:g} only {risen[above]:g}; "
                    f"buckets must be cumulative"
                )
        return Bucketed(tuple(risen), tuple(risen.values()))


def alike(raw: RawBlock[Bucketed]) -> Block[Buckets]:
    """The block of those pods whose bounds are the usual ones; stable's decide when as many have others."""
    tally = Tally(one.bounds for side in (raw.stable, raw.canary) for one in side.values() if isinstance(one, Bucketed))
    bounds = max(tally, key=lambda one: tally[one], default=())  # of equals the one that was met first
    return Block(
        index=raw.index,
        canary=_side(raw.canary, bounds),
        stable=_side(raw.stable, bounds),
        stable_later=None if raw.stable_later is None else _side(raw.stable_later, bounds),
    )


def _side(found: Found[Bucketed], bounds: tuple[float, ...]) -> SideBlock[Buckets]:
    pods: dict[str, Buckets] = {}
    absent: dict[str, str] = {}
    for pod, one in found.items():
        match one:
            case NoData(reason):
                absent[pod] = reason
            case Bucketed() if one.bounds != bounds:
                absent[pod] = (
                    f"its bucket bounds are {_listed(one.bounds)}, those of other pods {_listed(bounds)}; "
                    f"they cannot be compared"
                )
            case Bucketed():
                pods[pod] = Buckets(one.counts)
    return SideBlock(pods, absent, bounds)


def _listed(bounds: tuple[float, ...]) -> str:
    return ", ".join(f"{bound:g}" for bound in bounds)
