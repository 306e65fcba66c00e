"""What every metric that is compared with stable takes: margins, importance, gating. One model per meaning of a margin.

Defaults are those of the model's metrics; here they are only repeated in words, from the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from analyzer.config.fields import Word
from analyzer.config.keys import Keys, Mistake, check, quietly
from analyzer.model.metric import (
    Gating,
    GaugeMetric,
    HistogramMetric,
    Margin,
    Metric,
    RatioMetric,
    RestartsMetric,
    TestedMetric,
)

RATIO = RatioMetric(name="", events="", total="")
GAUGE = GaugeMetric(name="", value="")
RESTARTS = RestartsMetric(name="")
BODY, TAIL = HistogramMetric.body, HistogramMetric.tail
HISTOGRAM = HistogramMetric(name="", buckets="", tolerance=TAIL.tolerance, promote_margin=TAIL.promote)
"""With the margins of one whose tolerance is given in part."""
RESOURCE_TOLERANCE = Margin(1.1)
"""Of CPU and memory, which vary less than queues."""

_TOLERANCE = "How much worse than stable the canary may be. Beyond it the release is aborted."
_MARGIN = "Promotion requires proof that the canary is not this much worse. A wider margin is proven sooner."
_WIDER = "or that of `tolerance` if wider."
OBJECTIVE = (
    "Boundary that matters most; it gets half of the weight. A duration for series in seconds, else a number as in "
    "`le`."
)
GATING = "`both`: can abort, and promotion requires its proof; `abort`: can only abort; `none`: only shown."


class MarginKeys(Keys):
    """A margin, or a part of one."""

    def part(self, name: str, usual: float) -> float:
        """`ratio` or `absolute`, as usual where it is not given."""
        given: float | None = getattr(self, name) if name in type(self).model_fields else None
        return usual if given is None else given


class ToleranceKeys(MarginKeys):
    """How much worse the canary may be before it is aborted: above ratio x stable + absolute."""

    ratio: float = Field(default=RATIO.tolerance.ratio, ge=1, description="Factor on the share of stable.")
    absolute: float = Field(
        default=RATIO.tolerance.absolute,
        ge=0,
        lt=1,
        description="Share of all requests that is added (0.0005 is 0.05 pp).",
    )


class PromoteMarginKeys(MarginKeys):
    """What must be ruled out before promotion: ratio x stable + absolute, or worse."""

    ratio: float | None = Field(
        default=None,
        ge=1,
        description=f"Factor on the share of stable. Default: {RATIO.promote_margin.ratio:g}, {_WIDER}",
    )
    absolute: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description=f"Share of all requests that is added. Default: {RATIO.promote_margin.absolute:g}, {_WIDER}",
    )


class LatencyToleranceKeys(MarginKeys):
    """How much larger the share of requests above any boundary may be; in place of each boundary's own default."""

    ratio: float = Field(default=TAIL.tolerance.ratio, ge=1, description="Factor on the share of stable.")
    absolute: float = Field(
        default=TAIL.tolerance.absolute,
        ge=0,
        lt=1,
        description="Share of all requests that is added (0.001 is 0.1 pp).",
    )


class FactorKeys(MarginKeys):
    """A margin that is a factor alone."""

    ratio: float | None = Field(default=None, ge=1, description="How many times worse than stable.")


class RestartsToleranceKeys(MarginKeys):
    """How many more restarts the canary may have before it is aborted."""

    ratio: float = Field(default=RESTARTS.tolerance.ratio, ge=1, description="Factor on the rate of stable.")
    absolute: float = Field(
        default=RESTARTS.tolerance.absolute, ge=0, description="Restarts per pod and hour that are added."
    )


class RestartsMarginKeys(MarginKeys):
    """What must be ruled out before promotion, where restarts gate it."""

    ratio: float | None = Field(
        default=None,
        ge=1,
        description=f"Factor on the rate of stable. Default: {RESTARTS.promote_margin.ratio:g}, {_WIDER}",
    )
    absolute: float | None = Field(
        default=None,
        ge=0,
        description="Restarts per pod and hour that are added. Default: "
        f"{RESTARTS.promote_margin.absolute:g}, {_WIDER}",
    )


class MetricKeys(Keys):
    """Any metric."""

    if TYPE_CHECKING:
        gating: Gating

    def called(self) -> str:
        """Its name."""
        raise NotImplementedError

    def metric(self) -> Metric:
        """What is judged, once there are no mistakes."""
        raise NotImplementedError


class ComparedKeys(MetricKeys):
    """What every metric that compares canary to stable has. `usual` is the metric with all of its defaults."""

    usual: ClassVar[TestedMetric]
    if TYPE_CHECKING:
        tolerance: Any
        promote_margin: Any
        noise: Any

    importance: float = Field(
        default=RATIO.importance,
        gt=0,
        le=1000,
        description="Share of `falseAbort` relative to the other metrics. A higher one is aborted sooner.",
    )
    gating: Word[Gating] = Field(default=RATIO.gating, description=GATING)

    def metric(self) -> TestedMetric:
        """What is judged, once there are no mistakes."""
        tolerance, promote_margin = self.margins()
        own: dict[str, Any] = {
            "name": self.called(),
            "tolerance": tolerance,
            "promote_margin": promote_margin,
            "importance": self.importance,
            "gating": self.gating,
            "noise": None if self.noise is None else self.noise.setting(),
        }
        return replace(self.usual, **own, **self.measured())

    def measured(self) -> dict[str, Any]:
        """What only this kind of metric has, as named in the model."""
        return {}

    def margins(self) -> tuple[Margin | None, Margin | None]:
        """Tolerance and margin for promotion, which by default is never the narrower one."""
        (least, ratio), (added, absolute) = self._part("ratio"), self._part("absolute")
        return Margin(least, added), Margin(ratio, absolute)

    def _part(self, name: str) -> tuple[float, float]:
        tolerance, promote_margin = self.tolerance or MarginKeys(), self.promote_margin or MarginKeys()
        least = tolerance.part(name, getattr(self.usual.tolerance, name))
        return least, promote_margin.part(name, max(least, getattr(self.usual.promote_margin, name)))

    @check
    def _narrower(self) -> Iterator[Mistake]:
        for name in ("ratio", "absolute"):
            yield from quietly(partial(self._narrower_part, name))

    def _narrower_part(self, name: str) -> Iterator[Mistake]:
        least, given = self._part(name)
        if self.tolerance is not None and given < least:
            message = (
                f"{given:g} is narrower than the tolerance ({least:g}): a canary between the two could neither be "
                "aborted nor promoted; widen it"
            )
            yield (("promoteMargin", name), message)

    @check
    def _proves_nothing(self) -> Iterator[Mistake]:
        if self.tolerance is not None and self.margins()[1] == Margin(1.0):
            factor = isinstance(self.promote_margin, FactorKeys)
            what, which = ("", "it") if factor else (" and absolute 0", "one of them")
            message = f"with ratio 1{what} not even a canary equal to stable could be promoted; widen {which}"
            yield (("promoteMargin",), message)


class SharesKeys(ComparedKeys):
    """A share of requests."""

    usual = RATIO
    tolerance: ToleranceKeys = Field(default=ToleranceKeys(), description=_TOLERANCE)
    promote_margin: PromoteMarginKeys = Field(default=PromoteMarginKeys(), description=_MARGIN)


class LatencyKeys(ComparedKeys):
    """Shares of requests above boundaries."""

    usual = HISTOGRAM
    tolerance: LatencyToleranceKeys | None = Field(
        default=None,
        description=f"{_TOLERANCE} Default for histograms: {BODY.tolerance.ratio:g} and {BODY.tolerance.absolute:g} "
        f"below the 90th percentile of stable, {TAIL.tolerance.ratio:g} and {TAIL.tolerance.absolute:g} above it. "
        "A given one applies to every boundary.",
    )
    promote_margin: PromoteMarginKeys | None = Field(
        default=None,
        description=f"{_MARGIN} Default for histograms: by boundary, as for `tolerance`; if that is given: "
        f"{TAIL.promote.ratio:g} and {TAIL.promote.absolute:g}, {_WIDER}",
    )

    def margins(self) -> tuple[Margin | None, Margin | None]:
        """None: the default of each boundary."""
        if self.tolerance is None:
            return None, None if self.promote_margin is None else super().margins()[1]
        return super().margins()


class FactorsKeys(ComparedKeys):
    """Levels and rates."""

    tolerance: FactorKeys = Field(
        default=FactorKeys(),
        description=f"{_TOLERANCE} Default for gauges and rates: ratio {GAUGE.tolerance.ratio:g}; for the presets cpu "
        f"and memory: {RESOURCE_TOLERANCE.ratio:g}.",
    )
    promote_margin: FactorKeys = Field(
        default=FactorKeys(),
        description=f"{_MARGIN} Default for gauges and rates: ratio {GAUGE.promote_margin.ratio:g}, {_WIDER}",
    )


class RestartsSettings(ComparedKeys):
    """Restarts, by the kind or by the preset."""

    usual = RESTARTS
    gating: Word[Gating] = Field(default=RESTARTS.gating, description=GATING)
    tolerance: RestartsToleranceKeys = Field(default=RestartsToleranceKeys(), description=_TOLERANCE)
    promote_margin: RestartsMarginKeys = Field(default=RestartsMarginKeys(), description=_MARGIN)
