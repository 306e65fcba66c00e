"""Keys under `analysis`: how often it looks, the error rates aimed at, and one model per kind of metric."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from analyzer.config.keys import Keys
from analyzer.config.scalars import (
    Duration,
    DurationText,
    LabelName,
    MetricName,
    SeriesName,
    Text,
)
from analyzer.model.metric import Analysis, Gating, QueryMetric, RatioMetric, Scope

_ANALYSIS = Analysis(metrics=())
_RATIO = RatioMetric(name="", events="", total="")
_QUERY = QueryMetric(name="", query="")

METRIC_KINDS = ("preset", "ratio", "query")
"""The key that says of which kind a metric is; exactly one of them stands in each."""

METRIC_TAGS = frozenset(f"<{kind}>" for kind in METRIC_KINDS)
"""How pydantic names these kinds in the location of an error."""

MIXED_KINDS = "metric_kind"
"""Error type of a metric without exactly one of those keys."""


class PresetName(StrEnum):
    """Metrics that need no selectors."""

    HTTP_ERRORS = "http-errors"


class ToleranceKeys(Keys):
    """How much worse the canary may be before it is aborted: above ratio x stable + absolute."""

    ratio: float = Field(default=_RATIO.tolerance.ratio, ge=1, description="Times stable's share.")
    absolute: float = Field(
        default=_RATIO.tolerance.absolute,
        ge=0,
        lt=1,
        description="Share of all requests added to that (0.0005 is 0.05 %).",
    )


class PromoteMarginKeys(Keys):
    """What must be ruled out before promotion: ratio x stable + absolute, or worse."""

    ratio: float | None = Field(
        default=None,
        ge=1,
        description="Times stable's share. Default: 1.5, or the tolerance's where that is wider.",
    )
    absolute: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of all requests added to that. Default: 0.001, or the tolerance's where that is wider.",
    )


class _ComparedKeys(Keys):
    """What every metric that compares canary to stable has."""

    tolerance: ToleranceKeys = Field(
        default=ToleranceKeys(),
        description="How much worse than stable the canary may be; beyond it the release is aborted.",
    )
    promote_margin: PromoteMarginKeys = Field(
        default=PromoteMarginKeys(),
        description="Promotion needs proof that the canary is not this much worse. Wider is proven sooner.",
    )
    importance: float = Field(
        default=_RATIO.importance,
        gt=0,
        le=1000,
        description="The metric's part of `falseAbort`, relative to the other metrics. More is aborted sooner.",
    )
    gating: Annotated[Gating, Field(strict=False)] = Field(
        default=_RATIO.gating,
        description="`both`: can abort, and must be proven to promote; `abort`: can only abort; `none`: only shown.",
    )


class PresetKeys(_ComparedKeys):
    """A metric that knows its own series."""

    preset: Annotated[PresetName, Field(strict=False)] = Field(
        description="`http-errors`: requests answered with a 5xx code, of all requests."
    )
    name: MetricName | None = Field(default=None, description="What it is called. Default: the preset's name.")
    series: SeriesName = Field(default="http_requests_total", description="The counter of requests.")
    code_label: LabelName = Field(default="code", description="The label that holds the HTTP status code.")
    codes: Text = Field(default="5..", description="Regular expression of the codes that count as errors, anchored.")


class RatioSelectors(Keys):
    """Two counters."""

    events: Text = Field(description="Selector of the counter of bad events.")
    total: Text = Field(description="Selector of the counter of all events.")


class RatioKeys(_ComparedKeys):
    """Bad events of all events."""

    name: MetricName = Field(description="What it is called.")
    ratio: RatioSelectors = Field(
        description="Two counters as plain series selectors; matchers for pods are added to them."
    )


class QueryKeys(Keys):
    """A plain guard: a value with bounds. A rule, not a test; it has no error guarantee."""

    name: MetricName = Field(description="What it is called.")
    query: Text = Field(description="PromQL with one value as its result.")
    min: float | None = Field(default=_QUERY.min, description="Lowest good value. At least one of `min` and `max`.")
    max: float | None = Field(default=_QUERY.max, description="Highest good value.")
    for_: int = Field(
        default=_QUERY.blocks,
        alias="for",
        ge=1,
        le=1000,
        description="How many consecutive valid blocks out of bounds break it.",
    )
    scope: Annotated[Scope, Field(strict=False)] = Field(
        default=_QUERY.scope,
        description="`canary`: it measures the canary alone, and rolls back; `both`: it measures both "
        "sides, and holds and alerts.",
    )
    gating: Annotated[Gating, Field(strict=False)] = Field(
        default=_QUERY.gating,
        description="`abort`: it acts; `both`: it must also be within bounds to promote; `none`: only shown.",
    )


def _kind(metric: Any) -> str | None:
    kinds = [kind for kind in METRIC_KINDS if isinstance(metric, Mapping) and kind in metric]
    return f"<{kinds[0]}>" if len(kinds) == 1 else None


MetricKeys = Annotated[
    Annotated[PresetKeys, Tag("<preset>")]
    | Annotated[RatioKeys, Tag("<ratio>")]
    | Annotated[QueryKeys, Tag("<query>")],
    Discriminator(_kind, custom_error_type=MIXED_KINDS, custom_error_message="exactly one kind"),
]


class AnalysisKeys(Keys):
    """What is looked at, how often, and the error rates aimed at."""

    interval: Annotated[timedelta, DurationText(minimum=timedelta(seconds=1))] = Field(
        default=_ANALYSIS.interval,
        description="How often it looks, at least 1s. A block of evidence is the smallest multiple of it "
        "that spans two scrapes.",
    )
    warmup: Duration = Field(
        default=_ANALYSIS.warmup,
        description="How long after it is ready a pod's requests do not count as evidence.",
    )
    false_abort: float = Field(
        default=_ANALYSIS.false_abort,
        gt=0,
        le=0.5,
        description="Probability (alpha) that a healthy release is aborted by the statistical tests, all "
        "looks and metrics together. Smaller is slower to abort.",
    )
    false_promote: float = Field(
        default=_ANALYSIS.false_promote,
        gt=0,
        le=0.5,
        description="Probability (beta), per metric, that a release at the margin is promoted. Smaller is"
        " slower to promote.",
    )
    fast_lane: Literal["off"] = Field(default="off", description="Only `off` until the fast lane is built.")
    metrics: list[MetricKeys] = Field(
        default_factory=list,
        min_length=1,
        description="What is compared: in each, exactly one of `preset`, `ratio` and `query`.",
    )
