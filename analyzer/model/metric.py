"""What is measured, and how much worse the canary may be. One class per kind of metric."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal


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


@dataclass(frozen=True, slots=True)
class RatioMetric:
    """Bad events out of a total, both counters, as plain series selectors without pod matchers."""

    name: str
    events: str
    total: str
    tolerance: Margin = Margin(1.25, 0.0005)
    promote_margin: Margin = Margin(1.5, 0.001)
    importance: float = 1.0
    gating: Gating = Gating.BOTH
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


Metric = RatioMetric | QueryMetric


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
