"""Keys that say where noise comes from, and the fast lane: each a word or a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from analyzer.config.fields import DurationText, show_found
from analyzer.config.keys import Keys, Mistake, check
from analyzer.model.duration import show_duration
from analyzer.model.metric import Analysis, HistogramMetric, Margin, NoiseSetting, RatioMetric
from analyzer.model.noise import USUAL_SPREAD, USUAL_WITHIN

_FAST_LANE = Analysis(metrics=()).fast_lane or Margin(1.0)
NOISE = "`noise` of this metric, in place of that of the analysis."

HistoryDuration = Annotated[timedelta, DurationText(minimum=timedelta(minutes=10))]


class _NoiseKeys(Keys):
    """Any form of it."""

    def setting(self) -> NoiseSetting:
        """Where noise comes from, once there are no mistakes."""
        return NoiseSetting(**{name: value for name, value in self if value is not None})


class _HistoryKeys(_NoiseKeys):
    """Noise that may be estimated."""

    history: HistoryDuration | None = Field(
        default=None,
        description="How much history of stable is read to estimate it, at least 10m. Default: "
        f"{show_duration(NoiseSetting().history)}. Not together with given numbers.",
    )

    @check
    def _stated_and_estimated(self) -> Iterator[Mistake]:
        names = self.names()
        stated = [key for name, key in names.items() if name != "history" and getattr(self, name) is not None]
        if self.history is not None and stated:
            message = f"`history` is for estimated noise, but {' and '.join(stated)} is given; remove one of them"
            yield (("history",), message)


class _DispersionKeys(_NoiseKeys):
    dispersion: float | None = Field(
        default=None,
        ge=1,
        le=1e6,
        description="Given: variance of the counts over that of independent requests. Default if `podSpread` is given: "
        f"{RatioMetric.usual_dispersion:g}, for histograms and rates {HistogramMetric.usual_dispersion:g}.",
    )


class _SpreadKeys(_NoiseKeys):
    pod_spread: float | None = Field(
        default=None,
        ge=0,
        le=3,
        description="Given: lasting differences between pods, as the standard deviation of the logarithm of their "
        f"levels (0.1 is about 10 %). Default if another number is given: {USUAL_SPREAD:g}.",
    )


class _WithinKeys(_NoiseKeys):
    within_pod: float | None = Field(
        default=None,
        gt=0,
        le=3,
        description="Given, for gauges: standard deviation of the logarithm of the 5-minute means of one pod. Default "
        f"if another number is given: {USUAL_WITHIN:g}.",
    )


class CountNoiseKeys(_SpreadKeys, _DispersionKeys, _HistoryKeys):
    """Noise of counted events; given numbers are used as they are, and one that is left out then has its default."""


class LevelNoiseKeys(_WithinKeys, _SpreadKeys, _HistoryKeys):
    """Noise of a level."""


class NoiseKeys(_WithinKeys, _SpreadKeys, _DispersionKeys, _HistoryKeys):
    """Noise of every metric of an analysis."""


class StatedNoiseKeys(_WithinKeys, _SpreadKeys, _DispersionKeys):
    """Noise of any metric of a recorded case."""


class FastLaneKeys(Keys):
    """How wide the second test's tolerance is."""

    ratio: float = Field(default=_FAST_LANE.ratio, ge=1, le=1000, description="Factor on the share of stable.")
    absolute: float = Field(
        default=_FAST_LANE.absolute,
        ge=0,
        lt=1,
        description="Share of all requests that is added.",
    )


def _noise(given: object) -> object:
    if given == "auto":
        return {}
    if isinstance(given, dict):
        return given
    raise ValueError(
        "expected `auto`, numbers such as {dispersion: 1.5, podSpread: 0.1}, or {history: 6h}, found "
        f"{show_found(given)}"
    )


def _fast_lane(given: object) -> object:
    if given == "off":
        return None
    if isinstance(given, dict):
        return given
    raise ValueError(f"expected `off` or a tolerance such as {{ratio: 5, absolute: 0.1}}, found {show_found(given)}")


AnalysisNoise = Annotated[NoiseKeys, BeforeValidator(_noise, json_schema_input_type=Literal["auto"] | NoiseKeys)]
FastLane = Annotated[
    FastLaneKeys | None, BeforeValidator(_fast_lane, json_schema_input_type=Literal["off"] | FastLaneKeys)
]
LevelNoise = Annotated[
    LevelNoiseKeys | None, BeforeValidator(_noise, json_schema_input_type=Literal["auto"] | LevelNoiseKeys)
]
CountNoise = Annotated[
    CountNoiseKeys | None, BeforeValidator(_noise, json_schema_input_type=Literal["auto"] | CountNoiseKeys)
]


class WithCountNoise(Keys):
    """A metric of counted events."""

    noise: CountNoise = Field(default=None, description=NOISE)
