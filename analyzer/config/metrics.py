"""Metrics whose series are named one by one: one model per kind, with its checks and what it means. KINDS has them all.

Presets, which know their own series, are in `presets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from analyzer.config.fields import MetricName, ObjectiveNumber, Text, Word
from analyzer.config.keys import Around, Keys, Mistake, check
from analyzer.config.margins import (
    GAUGE,
    OBJECTIVE,
    ComparedKeys,
    FactorsKeys,
    LatencyKeys,
    MetricKeys,
    RestartsSettings,
    SharesKeys,
)
from analyzer.config.noise import NOISE, CountNoise, LevelNoise, WithCountNoise
from analyzer.config.selectors import SelectorKeys, bucket_mistakes
from analyzer.model.metric import Direction, Gating, QueryMetric, RateMetric, Scope
from analyzer.promql import check_expression

RATE = RateMetric(name="", events="")
QUERY = QueryMetric(name="", query="")

Name = Annotated[MetricName, Field(description="Name of the metric.")]


class SeriesKeys(ComparedKeys):
    """A metric with a name, and its series under the key of its kind; what is there is named as in the model."""

    if TYPE_CHECKING:
        name: str

    def called(self) -> str:
        """Its name."""
        return self.name

    def measured(self) -> dict[str, Any]:
        """Its series."""
        return dict(getattr(self, self.usual.kind))


class RatioSelectors(SelectorKeys):
    """Two counters."""

    events: Text = Field(description="Selector of the counter of bad events.")
    total: Text = Field(description="Selector of the counter of all events.")


class RatioKeys(WithCountNoise, SharesKeys, SeriesKeys):
    """Bad events of all events."""

    name: Name
    ratio: RatioSelectors = Field(
        description="Two counters as plain series selectors; matchers for the pods are added."
    )


class HistogramSelectors(Keys):
    """A classic histogram."""

    planned: ClassVar = {"native": "give `buckets`, the `_bucket` series of a classic histogram"}
    buckets: Text = Field(description="Selector of the cumulative `_bucket` series of a classic histogram.")
    objective: ObjectiveNumber = Field(default=None, description=OBJECTIVE)

    @check
    def _buckets(self, around: Around) -> Iterator[Mistake]:
        return bucket_mistakes(("buckets",), self.buckets, around)


class HistogramKeys(WithCountNoise, LatencyKeys, SeriesKeys):
    """A distribution, judged at each of its boundaries and never by quantiles."""

    name: Name
    histogram: HistogramSelectors = Field(description="A classic histogram; more above a boundary is worse.")


class GaugeSelectors(SelectorKeys):
    """A level."""

    value: Text = Field(description="Selector of the gauge.")
    counter: bool = Field(
        default=GAUGE.counter, description="`true`: the series is a counter, and its rate per second is the level."
    )


class GaugeKeys(FactorsKeys, SeriesKeys):
    """A level per pod, compared as a factor."""

    usual = GAUGE
    name: Name
    gauge: GaugeSelectors = Field(description="Level of each pod, above 0: a queue, connections, threads.")
    direction: Word[Direction] = Field(default=GAUGE.direction, description="Which direction is worse.")
    noise: LevelNoise = Field(default=None, description=NOISE)

    def measured(self) -> dict[str, Any]:
        """Its series and direction."""
        return {**super().measured(), "direction": self.direction}


class RateSelectors(SelectorKeys):
    """Counter of good events."""

    events: Text = Field(description="Selector of the counter of good events.")


class RateKeys(FactorsKeys, SeriesKeys):
    """How often something good happens, for each pod."""

    usual = RATE
    name: Name
    rate: RateSelectors = Field(description="Counter of orders, logins, messages: fewer per pod is worse.")
    direction: Word[Direction] = Field(default=RATE.direction, description="Which direction is worse.")
    noise: CountNoise = Field(default=None, description=NOISE)

    def measured(self) -> dict[str, Any]:
        """Its series and direction."""
        return {**super().measured(), "direction": self.direction}


class NoKeys(Keys):
    """No keys."""


class RestartsKeys(WithCountNoise, RestartsSettings, SeriesKeys):
    """Restarts of containers."""

    name: Name
    restarts: NoKeys = Field(description="`{}`: restarts of containers per pod and hour.")


class GuardKeys(MetricKeys):
    """Bounds of a value, and what it means to be out of them."""

    min: float | None = Field(
        default=QUERY.min, description="Lowest good value. At least one of `min` and `max` is required."
    )
    max: float | None = Field(default=QUERY.max, description="Highest good value.")
    for_: int = Field(
        default=QUERY.blocks,
        alias="for",
        ge=1,
        le=1000,
        description="Number of consecutive valid blocks out of bounds after which the guard fails.",
    )
    scope: Word[Scope] = Field(
        default=QUERY.scope,
        description="`canary`: the query measures the canary alone, and a failed guard rolls back; `both`: it "
        "measures both sides, and a failed guard holds and alerts.",
    )
    gating: Word[Gating] = Field(
        default=QUERY.gating,
        description="`abort`: it can act; `both`: promotion also requires it within bounds; `none`: only shown.",
    )

    def metric(self) -> QueryMetric:
        """What is judged, once there are no mistakes."""
        return QueryMetric(self.called(), "", self.min, self.max, self.for_, self.scope, self.gating)

    @check
    def _bounds(self) -> Iterator[Mistake]:
        if self.min is None and self.max is None:
            yield ((), "a query requires `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            yield (("min",), f"min {self.min:g} is above max {self.max:g}; no value could pass")


class _Query(Keys):
    name: Name
    query: Text = Field(description="PromQL expression with one value as its result.")


class QueryKeys(GuardKeys, _Query):
    """A plain guard: a value with bounds. A rule, not a test; it has no error guarantee."""

    def called(self) -> str:
        """Its name."""
        return self.name

    def metric(self) -> QueryMetric:
        """What is judged, once there are no mistakes."""
        return replace(super().metric(), query=self.query)

    @check
    def _expression(self) -> Iterator[Mistake]:
        try:
            check_expression(self.query)
        except ValueError as error:
            yield (("query",), str(error))


KINDS: dict[str, type[MetricKeys]] = {
    "ratio": RatioKeys,
    "histogram": HistogramKeys,
    "gauge": GaugeKeys,
    "rate": RateKeys,
    "restarts": RestartsKeys,
    "query": QueryKeys,
}
"""The models, by the key that says of which kind a metric is."""
