"""Keys of margins, by what their numbers mean: how much worse than stable is tolerated, and what is ruled out."""

from __future__ import annotations

from pydantic import Field

from analyzer.config.keys import Keys
from analyzer.model.metric import RatioMetric, RestartsMetric

_RATIO = RatioMetric(name="", events="", total="")
_RESTARTS = RestartsMetric(name="")


class ToleranceKeys(Keys):
    """How much worse the canary may be before it is aborted: above ratio x stable + absolute."""

    ratio: float = Field(default=_RATIO.tolerance.ratio, ge=1, description="Factor on the share of stable.")
    absolute: float = Field(
        default=_RATIO.tolerance.absolute,
        ge=0,
        lt=1,
        description="Share of all requests that is added (0.0005 is 0.05 pp).",
    )


class PromoteMarginKeys(Keys):
    """What must be ruled out before promotion: ratio x stable + absolute, or worse."""

    ratio: float | None = Field(
        default=None,
        ge=1,
        description="Factor on the share of stable. Default: 1.5, or that of `tolerance` if wider.",
    )
    absolute: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of all requests that is added. Default: 0.001, or that of `tolerance` if wider.",
    )


class LatencyToleranceKeys(Keys):
    """How much larger the share of requests above any boundary may be; in place of each boundary's own default."""

    ratio: float = Field(default=1.25, ge=1, description="Factor on the share of stable.")
    absolute: float = Field(
        default=0.001,
        ge=0,
        lt=1,
        description="Share of all requests that is added (0.001 is 0.1 pp).",
    )


class FactorKeys(Keys):
    """A margin that is a factor alone."""

    ratio: float | None = Field(default=None, ge=1, description="How many times worse than stable.")


class RestartsToleranceKeys(Keys):
    """How many more restarts the canary may have before it is aborted."""

    ratio: float = Field(default=_RESTARTS.tolerance.ratio, ge=1, description="Factor on the rate of stable.")
    absolute: float = Field(
        default=_RESTARTS.tolerance.absolute, ge=0, description="Restarts per pod and hour that are added."
    )


class RestartsMarginKeys(Keys):
    """What must be ruled out before promotion, where restarts gate it."""

    ratio: float | None = Field(
        default=None, ge=1, description="Factor on the rate of stable. Default: 2, or that of `tolerance` if wider."
    )
    absolute: float | None = Field(
        default=None,
        ge=0,
        description="Restarts per pod and hour that are added. Default: 0.02, or that of `tolerance` if wider.",
    )
