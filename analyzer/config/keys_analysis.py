"""Keys under `analysis`: how often a target is ticked, the error rates of the tests, and what is compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from analyzer.config.keys import Keys
from analyzer.config.keys_metrics import GaugeKeys, HistogramKeys, QueryKeys, RateKeys, RatioKeys, RestartsKeys
from analyzer.config.keys_noise import AnalysisNoise, FastLane, FastLaneKeys, NoiseKeys
from analyzer.config.keys_presets import CpuKeys, HttpErrorsKeys, HttpLatencyKeys, MemoryKeys, RestartsPresetKeys
from analyzer.config.scalars import Duration, DurationText
from analyzer.model.metric import Analysis

_ANALYSIS = Analysis(metrics=())

METRIC_KINDS = ("preset", "ratio", "histogram", "gauge", "rate", "restarts", "query")
"""The key that says of which kind a metric is; exactly one of them stands in each."""

PRESETS = ("http-errors", "http-latency", "cpu", "memory", "restarts")
"""What a preset may be."""

METRIC_TAGS = frozenset({f"<{kind}>" for kind in METRIC_KINDS} | {f"<preset {preset}>" for preset in PRESETS})
"""How pydantic names these kinds in the location of an error."""

MIXED_KINDS = "metric_kind"
"""Error type of a metric without exactly one of those keys, or with an unknown preset."""


def _kind(metric: Any) -> str | None:
    kinds = [kind for kind in METRIC_KINDS if isinstance(metric, Mapping) and kind in metric]
    if len(kinds) != 1:
        return None
    if kinds[0] != "preset":
        return f"<{kinds[0]}>"
    preset = metric["preset"]
    return f"<preset {preset}>" if isinstance(preset, str) and preset in PRESETS else None


MetricKeys = Annotated[
    Annotated[HttpErrorsKeys, Tag("<preset http-errors>")]
    | Annotated[HttpLatencyKeys, Tag("<preset http-latency>")]
    | Annotated[CpuKeys, Tag("<preset cpu>")]
    | Annotated[MemoryKeys, Tag("<preset memory>")]
    | Annotated[RestartsPresetKeys, Tag("<preset restarts>")]
    | Annotated[RatioKeys, Tag("<ratio>")]
    | Annotated[HistogramKeys, Tag("<histogram>")]
    | Annotated[GaugeKeys, Tag("<gauge>")]
    | Annotated[RateKeys, Tag("<rate>")]
    | Annotated[RestartsKeys, Tag("<restarts>")]
    | Annotated[QueryKeys, Tag("<query>")],
    Discriminator(_kind, custom_error_type=MIXED_KINDS, custom_error_message="exactly one kind"),
]


class AnalysisKeys(Keys):
    """Metrics, how often they are judged, and the error rates of their tests."""

    interval: Annotated[timedelta, DurationText(minimum=timedelta(seconds=1))] = Field(
        default=_ANALYSIS.interval,
        description="How often a target is ticked, at least 1s. A block of evidence is the smallest multiple "
        "of it that spans two scrapes.",
    )
    warmup: Duration = Field(
        default=_ANALYSIS.warmup,
        description="How long requests of a pod do not count as evidence after it became ready.",
    )
    false_abort: float = Field(
        default=_ANALYSIS.false_abort,
        gt=0,
        le=0.5,
        description="Highest probability (alpha) that the statistical tests abort a healthy release, over all "
        "ticks and metrics of the release. Smaller is slower to abort.",
    )
    false_promote: float = Field(
        default=_ANALYSIS.false_promote,
        gt=0,
        le=0.5,
        description="Highest probability (beta), per metric, that a release as bad as `promoteMargin` is "
        "promoted. Smaller is slower to promote.",
    )
    noise: AnalysisNoise = Field(
        default=NoiseKeys(),
        description="Normal variation of the metrics. `auto` (the default): estimated from the history of stable when "
        "the release starts. The `noise` of a metric replaces it as a whole.",
    )
    fast_lane: FastLane = Field(
        default=FastLaneKeys(),
        description="A second test for outright failure of every ratio metric, with a tenth of its `falseAbort`, on "
        "every scrape and already while pods warm up. `off`: none.",
    )
    metrics: list[MetricKeys] = Field(
        default_factory=list,
        min_length=1,
        description=f"Metrics, each with exactly one of {', '.join(METRIC_KINDS)}.",
    )
