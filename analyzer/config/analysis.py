"""Keys under `analysis`: how often a target is ticked, the error rates of the tests, and what is compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Discriminator, Field, Tag

from analyzer.config.fields import Duration, DurationText, show_found
from analyzer.config.keys import Each, Keys, Mistake, check, known
from analyzer.config.margins import MetricKeys
from analyzer.config.metrics import KINDS
from analyzer.config.noise import AnalysisNoise, FastLane, FastLaneKeys, NoiseKeys
from analyzer.config.presets import PRESET_KEYS
from analyzer.config.problems import did_you_mean, one_of, refusal
from analyzer.model.metric import Analysis, Margin

_ANALYSIS = Analysis(metrics=())
_KINDS = ("preset", *KINDS)
"""The keys of which exactly one is in each metric."""


def _of_one_kind(metric: Any) -> Any:
    """Raises ValueError or ValidationError for a metric that has no model."""
    if not isinstance(metric, Mapping):
        found = "a string" if isinstance(metric, str) else show_found(metric)  # a text may be a misplaced secret
        raise ValueError(f"expected a mapping of keys, found {found}")  # noqa: TRY004 (a mistake at its place)
    kinds = [kind for kind in _KINDS if kind in metric]
    if len(kinds) != 1:
        hints = {did_you_mean(key, _KINDS) for key in metric} if not kinds else set()
        found = " and ".join(kinds) or "none"
        raise ValueError(f"expected exactly one of {', '.join(_KINDS)}, found {found}{max(hints, default='')}")
    if kinds == ["preset"] and metric["preset"] not in list(PRESET_KEYS):
        raise refusal("preset", one_of(metric["preset"], PRESET_KEYS))
    return metric


def _tag(metric: Mapping[str, Any]) -> str:
    return f"preset {metric['preset']}" if "preset" in metric else next(kind for kind in KINDS if kind in metric)


if TYPE_CHECKING:
    AnyMetricKeys = MetricKeys
else:
    _MODELS = {**{f"preset {name}": model for name, model in PRESET_KEYS.items()}, **KINDS}
    AnyMetricKeys = Annotated[
        Union[tuple(Annotated[model, Tag(tag)] for tag, model in _MODELS.items())],  # noqa: UP007 (of a table)
        Discriminator(_tag),
        BeforeValidator(_of_one_kind),
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
    metrics: Each[AnyMetricKeys] = Field(
        default_factory=list,
        min_length=1,
        description=f"Metrics, each with exactly one of {', '.join(_KINDS)}.",
    )

    def analysis(self) -> Analysis:
        """What is judged, once there are no mistakes."""
        return Analysis(
            metrics=tuple(metric.metric() for metric in self.metrics),
            interval=self.interval,
            warmup=self.warmup,
            false_abort=self.false_abort,
            false_promote=self.false_promote,
            noise=self.noise.setting(),
            fast_lane=None if self.fast_lane is None else Margin(self.fast_lane.ratio, self.fast_lane.absolute),
        )

    @check
    def _named_twice(self) -> Iterator[Mistake]:
        names: dict[str, int] = {}
        for index, metric in known(self.metrics):
            if ("name",) not in metric.faults and (first := names.setdefault(metric.called(), index)) != index:
                message = f"duplicate metric name {metric.called()!r}, also of metrics[{first}]; rename one"
                yield (("metrics", index, "name"), message)

    @check
    def _nothing_aborts(self) -> Iterator[Mistake]:
        if self.metrics and not any(metric.gating.aborts for metric in self.metrics):
            yield (("metrics",), "no metric can abort a release; set `gating: both` on one")
