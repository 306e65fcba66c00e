"""What is measured, and how much worse the canary may be. One class per kind of metric."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Literal


class Gating(StrEnum):
    """Which decisions a metric takes part in."""

    BOTH = "both"
    ABORT = "abort"
    NONE = "none"

    @property
    def aborts(self) -> bool:
        """May this metric end a release?"""
        return self is not Gating.NONE

    @property
    def promotes(self) -> bool:
        """Must this metric be proven before a release is promoted?"""
        return self is Gating.BOTH


class Scope(StrEnum):
    """What a guard measures: the canary alone (it rolls back), or both sides (it holds and alerts)."""

    CANARY = "canary"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Margin:
    """`canary <= ratio * stable + absolute`; `absolute` in the metric's own unit (for ratios: a share)."""

    ratio: float
    absolute: float = 0.0

    def at_least(self, other: Margin) -> Margin:
        """This margin, widened to where it is narrower than `other`."""
        return Margin(max(self.ratio, other.ratio), max(self.absolute, other.absolute))

    def at_most(self, other: Margin) -> Margin:
        """This margin, narrowed to where it is wider than `other`."""
        return Margin(min(self.ratio, other.ratio), min(self.absolute, other.absolute))


@dataclass(frozen=True, slots=True)
class BoundMargins:
    """The margins of a boundary of a histogram where none are configured."""

    tolerance: Margin
    promote: Margin


class Direction(StrEnum):
    """Which way is worse."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class NoiseSetting:
    """Where a metric's noise comes from: stated numbers, or stable's own `history` (how far back it is read).

    A number that is None is estimated; one that is given is used as it is. `within_pod` is for gauges only: the
    standard deviation of the log of a pod's 5-minute means.
    """

    dispersion: float | None = None
    pod_spread: float | None = None
    within_pod: float | None = None
    history: timedelta = timedelta(hours=6)

    @property
    def stated(self) -> bool:
        """Nothing has to be estimated: what is not given has its default."""
        return any(number is not None for number in (self.dispersion, self.pod_spread, self.within_pod))


@dataclass(frozen=True, slots=True)
class RatioMetric:
    """Bad events out of a total, both counters, as plain series selectors without pod matchers."""

    usual_dispersion: ClassVar[float] = 1.5
    name: str
    events: str
    total: str
    tolerance: Margin = Margin(1.25, 0.0005)
    promote_margin: Margin = Margin(1.5, 0.001)
    importance: float = 1.0
    gating: Gating = Gating.BOTH
    noise: NoiseSetting | None = None
    kind: Literal["ratio"] = "ratio"


@dataclass(frozen=True, slots=True)
class QueryMetric:
    """A plain guard: any PromQL with one value, bounds, and how many consecutive valid blocks break it."""

    name: str
    query: str
    min: float | None = None
    max: float | None = None
    blocks: int = 3
    scope: Scope = Scope.BOTH
    gating: Gating = Gating.ABORT
    kind: Literal["query"] = "query"


@dataclass(frozen=True, slots=True)
class HistogramMetric:
    """A classic histogram, as the selector of its cumulative `_bucket` series; judged per boundary, never by quantiles.

    `objective` is in the unit of `le`; the boundary nearest to it gets half of the weight. A margin that is None is
    the default of each boundary: that of the `body` below the 90th percentile of stable, that of the `tail` above it.
    """

    body: ClassVar[BoundMargins] = BoundMargins(Margin(1.1, 0.005), Margin(1.25, 0.01))
    tail: ClassVar[BoundMargins] = BoundMargins(Margin(1.25, 0.001), Margin(1.5, 0.002))
    usual_dispersion: ClassVar[float] = 3.0
    name: str
    buckets: str
    objective: float | None = None
    tolerance: Margin | None = None
    promote_margin: Margin | None = None
    importance: float = 1.0
    gating: Gating = Gating.BOTH
    noise: NoiseSetting | None = None
    kind: Literal["histogram"] = "histogram"


@dataclass(frozen=True, slots=True)
class GaugeMetric:
    """A level per pod (CPU, memory, a queue), compared on the log scale; `absolute` margins have no meaning here.

    `counter`: `value` selects a counter (CPU seconds); a pod's level in a block is what it grew by per second.
    """

    usual_dispersion: ClassVar[float] = 1.0
    name: str
    value: str
    counter: bool = False
    direction: Direction = Direction.UP
    tolerance: Margin = Margin(1.25)
    promote_margin: Margin = Margin(1.5)
    importance: float = 1.0
    gating: Gating = Gating.BOTH
    noise: NoiseSetting | None = None
    kind: Literal["gauge"] = "gauge"


@dataclass(frozen=True, slots=True)
class RateMetric:
    """Successes per pod (orders, logins) as a counter: fewer than stable's is bad, by default."""

    usual_dispersion: ClassVar[float] = 3.0
    name: str
    events: str
    direction: Direction = Direction.DOWN
    tolerance: Margin = Margin(1.25)
    promote_margin: Margin = Margin(1.5)
    importance: float = 1.0
    gating: Gating = Gating.BOTH
    noise: NoiseSetting | None = None
    kind: Literal["rate"] = "rate"


@dataclass(frozen=True, slots=True)
class RestartsMetric:
    """Restarts of containers per pod-hour; `absolute` margins are restarts per pod-hour."""

    usual_dispersion: ClassVar[float] = 1.5
    name: str
    tolerance: Margin = Margin(2.0, 0.02)
    promote_margin: Margin = Margin(2.0, 0.02)
    importance: float = 1.0
    gating: Gating = Gating.ABORT
    noise: NoiseSetting | None = None
    kind: Literal["restarts"] = "restarts"


TestedMetric = RatioMetric | HistogramMetric | GaugeMetric | RateMetric | RestartsMetric
"""Metrics that are judged by a statistical test of canary against stable, and so share alpha.

`usual_dispersion` of a kind is taken without history: latencies move together in a pod, and orders come in batches;
gauges have none.
"""

Metric = TestedMetric | QueryMetric
"""Everything that an analysis may look at."""


@dataclass(frozen=True, slots=True)
class SeriesLabels:
    """Names of the labels that hold a series' namespace and pod."""

    namespace: str = "namespace"
    pod: str = "pod"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is looked at, how often, and the error rates aimed at. Frozen when the release starts."""

    metrics: tuple[Metric, ...]
    interval: timedelta = timedelta(seconds=15)
    warmup: timedelta = timedelta(seconds=60)
    false_abort: float = 0.01
    false_promote: float = 0.05
    noise: NoiseSetting = NoiseSetting()
    fast_lane: Margin | None = Margin(5.0, 0.1)
