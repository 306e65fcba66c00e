"""Keys that say where noise comes from, and the fast lane: each a word or a mapping."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from analyzer.config.keys import Keys
from analyzer.config.scalars import DurationText, show_found
from analyzer.model.metric import Analysis

_FAST_LANE = Analysis(metrics=()).fast_lane

HistoryDuration = Annotated[timedelta, DurationText(minimum=timedelta(minutes=10))]


class _HistoryKeys(Keys):
    """What every form of it has."""

    history: HistoryDuration | None = Field(
        default=None,
        description="How much history of stable is read to estimate it, at least 10m. Default: 6h. "
        "Not together with given numbers.",
    )


class CountNoiseKeys(_HistoryKeys):
    """Noise of counted events; given numbers are used as they are, and one that is left out then has its default."""

    dispersion: float | None = Field(
        default=None,
        ge=1,
        le=1e6,
        description="Given: variance of the counts over that of independent requests. Default if `podSpread` is given: "
        "1.5, for histograms and rates 3.",
    )
    pod_spread: float | None = Field(
        default=None,
        ge=0,
        le=3,
        description="Given: lasting differences between pods, as the standard deviation of the logarithm of their "
        "levels (0.1 is about 10 %). Default if another number is given: 0.1.",
    )


class LevelNoiseKeys(_HistoryKeys):
    """Noise of a level."""

    pod_spread: float | None = Field(
        default=None,
        ge=0,
        le=3,
        description="Given: lasting differences between pods, as the standard deviation of the logarithm of their "
        "levels (0.1 is about 10 %). Default if another number is given: 0.1.",
    )
    within_pod: float | None = Field(
        default=None,
        gt=0,
        le=3,
        description="Given, for gauges: standard deviation of the logarithm of the 5-minute means of one pod. Default "
        "if another number is given: 0.1.",
    )


class NoiseKeys(LevelNoiseKeys, CountNoiseKeys):
    """Noise of every metric of an analysis."""


class FastLaneKeys(Keys):
    """How wide the second test's tolerance is."""

    ratio: float = Field(
        default=_FAST_LANE.ratio if _FAST_LANE else 1, ge=1, le=1000, description="Factor on the share of stable."
    )
    absolute: float = Field(
        default=_FAST_LANE.absolute if _FAST_LANE else 0,
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
CountNoise = Annotated[
    CountNoiseKeys | None, BeforeValidator(_noise, json_schema_input_type=Literal["auto"] | CountNoiseKeys)
]
LevelNoise = Annotated[
    LevelNoiseKeys | None, BeforeValidator(_noise, json_schema_input_type=Literal["auto"] | LevelNoiseKeys)
]
FastLane = Annotated[
    FastLaneKeys | None, BeforeValidator(_fast_lane, json_schema_input_type=Literal["off"] | FastLaneKeys)
]
