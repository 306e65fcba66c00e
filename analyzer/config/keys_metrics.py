"""Keys of a metric whose series are named one by one: one model per kind. Presets are in `keys_presets`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from analyzer.config.keys import Keys
from analyzer.config.keys_margins import (
    FactorKeys,
    LatencyToleranceKeys,
    PromoteMarginKeys,
    RestartsMarginKeys,
    RestartsToleranceKeys,
    ToleranceKeys,
)
from analyzer.config.keys_noise import CountNoise, LevelNoise
from analyzer.config.scalars import MetricName, ObjectiveText, Text
from analyzer.model.metric import Direction, Gating, QueryMetric, RatioMetric, RestartsMetric, Scope

_RATIO = RatioMetric(name="", events="", total="")
_RESTARTS = RestartsMetric(name="")
_QUERY = QueryMetric(name="", query="")

_TOLERANCE = "How much worse than stable the canary may be. Beyond it the release is aborted."
_MARGIN = "Promotion requires proof that the canary is not this much worse. A wider margin is proven sooner."
_GATING = "`both`: can abort, and promotion requires its proof; `abort`: can only abort; `none`: only shown."
_NOISE = "`noise` of this metric, in place of that of the analysis."

Name = Annotated[MetricName, Field(description="Name of the metric.")]
ObjectiveNumber = Annotated[float | None, ObjectiveText()]


class ComparedKeys(Keys):
    """What every metric that compares canary to stable has."""

    importance: float = Field(
        default=_RATIO.importance,
        gt=0,
        le=1000,
        description="Share of `falseAbort` relative to the other metrics. A higher one is aborted sooner.",
    )
    gating: Annotated[Gating, Field(strict=False)] = Field(default=_RATIO.gating, description=_GATING)


class SharesKeys(ComparedKeys):
    """A share of requests."""

    tolerance: ToleranceKeys = Field(default=ToleranceKeys(), description=_TOLERANCE)
    promote_margin: PromoteMarginKeys = Field(default=PromoteMarginKeys(), description=_MARGIN)
    noise: CountNoise = Field(default=None, description=_NOISE)


class LatencyKeys(ComparedKeys):
    """Shares of requests above boundaries."""

    tolerance: LatencyToleranceKeys | None = Field(
        default=None,
        description=f"{_TOLERANCE} Default for histograms: 1.1 and 0.005 below the 90th percentile of stable, 1.25 and "
        "0.001 above it. A given one applies to every boundary.",
    )
    promote_margin: PromoteMarginKeys | None = Field(
        default=None,
        description=f"{_MARGIN} Default for histograms: by boundary, as for `tolerance`; "
        "if that is given: 1.5 and 0.002, or that of `tolerance` if wider.",
    )
    noise: CountNoise = Field(default=None, description=_NOISE)


class FactorsKeys(ComparedKeys):
    """Levels and rates."""

    tolerance: FactorKeys = Field(
        default=FactorKeys(),
        description=f"{_TOLERANCE} Default for gauges and rates: ratio 1.25; for the presets cpu and memory: 1.1.",
    )
    promote_margin: FactorKeys = Field(
        default=FactorKeys(),
        description=f"{_MARGIN} Default for gauges and rates: ratio 1.5, or that of `tolerance` if wider.",
    )


class RatioSelectors(Keys):
    """Two counters."""

    events: Text = Field(description="Selector of the counter of bad events.")
    total: Text = Field(description="Selector of the counter of all events.")


class RatioKeys(SharesKeys):
    """Bad events of all events."""

    name: Name
    ratio: RatioSelectors = Field(
        description="Two counters as plain series selectors; matchers for the pods are added."
    )


class HistogramSelectors(Keys):
    """A classic histogram."""

    buckets: Text = Field(description="Selector of the cumulative `_bucket` series of a classic histogram.")
    objective: ObjectiveNumber = Field(
        default=None,
        description="Boundary that matters most; it gets half of the weight. A duration for series in seconds, else a "
        "number as in `le`.",
    )


class HistogramKeys(LatencyKeys):
    """A distribution, judged at each of its boundaries and never by quantiles."""

    name: Name
    histogram: HistogramSelectors = Field(description="A classic histogram; more above a boundary is worse.")


class GaugeSelectors(Keys):
    """A level."""

    value: Text = Field(description="Selector of the gauge.")
    counter: bool = Field(
        default=False, description="`true`: the series is a counter, and its rate per second is the level."
    )


class GaugeKeys(FactorsKeys):
    """A level per pod, compared as a factor."""

    name: Name
    gauge: GaugeSelectors = Field(description="Level of each pod, above 0: a queue, connections, threads.")
    direction: Annotated[Direction, Field(strict=False)] = Field(
        default=Direction.UP, description="Which direction is worse."
    )
    noise: LevelNoise = Field(default=None, description=_NOISE)


class RateSelectors(Keys):
    """Counter of good events."""

    events: Text = Field(description="Selector of the counter of good events.")


class RateKeys(FactorsKeys):
    """How often something good happens, for each pod."""

    name: Name
    rate: RateSelectors = Field(description="Counter of orders, logins, messages: fewer per pod is worse.")
    direction: Annotated[Direction, Field(strict=False)] = Field(
        default=Direction.DOWN, description="Which direction is worse."
    )
    noise: CountNoise = Field(default=None, description=_NOISE)


class NoKeys(Keys):
    """No keys."""


class RestartsSettings(ComparedKeys):
    """Restarts, by the kind or by the preset."""

    gating: Annotated[Gating, Field(strict=False)] = Field(default=_RESTARTS.gating, description=_GATING)
    tolerance: RestartsToleranceKeys = Field(default=RestartsToleranceKeys(), description=_TOLERANCE)
    promote_margin: RestartsMarginKeys = Field(default=RestartsMarginKeys(), description=_MARGIN)
    noise: CountNoise = Field(default=None, description=_NOISE)


class RestartsKeys(RestartsSettings):
    """Restarts of containers."""

    name: Name
    restarts: NoKeys = Field(description="`{}`: restarts of containers per pod and hour.")


class QueryKeys(Keys):
    """A plain guard: a value with bounds. A rule, not a test; it has no error guarantee."""

    name: Name
    query: Text = Field(description="PromQL expression with one value as its result.")
    min: float | None = Field(
        default=_QUERY.min, description="Lowest good value. At least one of `min` and `max` is required."
    )
    max: float | None = Field(default=_QUERY.max, description="Highest good value.")
    for_: int = Field(
        default=_QUERY.blocks,
        alias="for",
        ge=1,
        le=1000,
        description="Number of consecutive valid blocks out of bounds after which the guard fails.",
    )
    scope: Annotated[Scope, Field(strict=False)] = Field(
        default=_QUERY.scope,
        description="`canary`: the query measures the canary alone, and a failed guard rolls back; `both`: it "
        "measures both sides, and a failed guard holds and alerts.",
    )
    gating: Annotated[Gating, Field(strict=False)] = Field(
        default=_QUERY.gating,
        description="`abort`: it can act; `both`: promotion also requires it within bounds; `none`: only shown.",
    )
