"""What a recorded case says about a metric, with the program's defaults for the rest. Called by `case`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.cli.judge.reading import CaseError, each, fields, number, optional, refuse, text, within, word
from analyzer.model.metric import (
    Direction,
    Gating,
    GaugeMetric,
    HistogramMetric,
    Margin,
    NoiseSetting,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    Scope,
    TestedMetric,
)

INFINITE = "+Inf"
"""How the last bound of a histogram is written, as in Prometheus."""

_TESTED = frozenset({"kind", "name", "tolerance", "promoteMargin", "importance", "gating", "noise", "history"})
_OWN = {
    "ratio": _TESTED,
    "histogram": _TESTED | {"bounds", "objective"},
    "gauge": _TESTED | {"direction"},
    "rate": _TESTED | {"direction"},
    "restarts": _TESTED,
    "query": frozenset({"kind", "name", "min", "max", "for", "scope", "gating"}),
}
_MARGIN = frozenset({"ratio", "absolute"})
_NOISE = frozenset({"dispersion", "podSpread", "withinPod"})
_LATENCY_TOLERANCE = Margin(1.25, 0.001)
_LATENCY_PROMOTE = Margin(1.5, 0.002)
_MOST_BOUNDS = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """A metric, and the bounds of its histogram."""

    metric: TestedMetric | QueryMetric
    bounds: tuple[float, ...] = ()


def keys_of(given: Mapping[str, Any]) -> frozenset[str]:
    """The keys that a metric of this kind may have. Raises CaseError for an unknown kind."""
    kind = given.get("kind")
    if kind is None:
        raise CaseError(f"is missing; expected {' | '.join(_OWN)}", ("kind",))
    if not isinstance(kind, str) or kind not in _OWN:
        raise refuse(" | ".join(_OWN), kind).within("kind")
    return _OWN[kind]


def head_of(given: Mapping[str, Any], name: str) -> Head:
    """The metric that these keys describe; they were checked to be known."""
    kind = given["kind"]
    if kind == "query":
        return Head(_query(given, name))
    if kind == "histogram":
        bounds = _bounds(given.get("bounds"))
        return Head(_histogram(given, name, bounds), bounds)
    return Head(_plain(kind, given, name))


def noise_of(given: object) -> NoiseSetting:
    """Stated noise."""
    stated = fields(given, _NOISE, "an object with `dispersion`, `podSpread`, `withinPod`")
    return NoiseSetting(
        dispersion=optional(stated, "dispersion", lambda one: number(one, "a number of at least 1", 1)),
        pod_spread=optional(stated, "podSpread", lambda one: number(one, "a number from 0 to 10", 0, 10)),
        within_pod=optional(stated, "withinPod", lambda one: number(one, "a number above 0, up to 10", _ABOVE_0, 10)),
    )


_ABOVE_0 = 1e-9


def _plain(kind: str, given: Mapping[str, Any], name: str) -> TestedMetric:
    metric: TestedMetric
    match kind:
        case "ratio":
            metric = RatioMetric(name, "", "", **_compared(given, RatioMetric(name, "", "")))
        case "gauge":
            metric = GaugeMetric(name, "", **_directed(given), **_compared(given, GaugeMetric(name, "")))
        case "rate":
            metric = RateMetric(name, "", **_directed(given), **_compared(given, RateMetric(name, "")))
        case _:
            metric = RestartsMetric(name, **_compared(given, RestartsMetric(name)))
    _check(metric)
    return metric


def _histogram(given: Mapping[str, Any], name: str, bounds: tuple[float, ...]) -> HistogramMetric:
    default = HistogramMetric(name, "")
    stated = given.get("tolerance") is not None, given.get("promoteMargin") is not None
    usual = HistogramMetric(
        name,
        "",
        tolerance=_LATENCY_TOLERANCE if stated[0] else None,
        promote_margin=_LATENCY_PROMOTE if any(stated) else None,
        importance=default.importance,
        gating=default.gating,
    )
    objective = optional(given, "objective", lambda one: number(one, "a number above 0", _ABOVE_0))
    if objective is not None and objective > bounds[-2]:
        raise CaseError(f"expected at most the last finite bound, {bounds[-2]:g}, found {objective:g}", ("objective",))
    metric = HistogramMetric(name, "", objective=objective, **_compared(given, usual))
    _check(metric)
    return metric


def _compared(given: Mapping[str, Any], default: TestedMetric) -> dict[str, Any]:
    """What every tested metric has."""
    only_factor = isinstance(default, GaugeMetric | RateMetric)
    usual = default.tolerance
    tolerance = usual if usual is None else _margin(given, "tolerance", usual, only_factor=only_factor)
    wide = default.promote_margin
    if wide is not None:
        wide = wide.at_least(tolerance) if tolerance is not None else wide
        wide = _margin(given, "promoteMargin", wide, only_factor=only_factor)
    importance = optional(given, "importance", lambda one: number(one, "a number above 0, up to 1000", _ABOVE_0, 1000))
    return {
        "tolerance": tolerance,
        "promote_margin": wide,
        "importance": default.importance if importance is None else importance,
        "gating": optional(given, "gating", word(Gating, Gating)) or default.gating,
        "noise": optional(given, "noise", noise_of),
    }


def _directed(given: Mapping[str, Any]) -> dict[str, Any]:
    direction = optional(given, "direction", word(Direction, Direction))
    return {} if direction is None else {"direction": direction}


def _margin(given: Mapping[str, Any], key: str, default: Margin, *, only_factor: bool) -> Margin:
    stated = given.get(key)
    if stated is None:
        return default
    with within(key):
        parts = fields(stated, _MARGIN, "an object with `ratio` and `absolute`")
        ratio = optional(parts, "ratio", lambda one: number(one, "a number of at least 1", 1, 1e6))
        absolute = optional(parts, "absolute", lambda one: number(one, "a number of at least 0", 0))
        if only_factor and absolute:
            raise CaseError("this kind of metric is compared by a factor alone; leave it out", ("absolute",))
    return Margin(default.ratio if ratio is None else ratio, default.absolute if absolute is None else absolute)


def _check(metric: TestedMetric) -> None:
    """Margins between which a canary could be neither aborted nor promoted, or that nothing meets."""
    tolerance, wide = metric.tolerance, metric.promote_margin
    if wide is None:
        return
    if tolerance is not None and wide != wide.at_least(tolerance):
        raise CaseError(
            f"narrower than the tolerance ({tolerance.ratio:g} and {tolerance.absolute:g}): a canary between the two "
            "could neither be aborted nor promoted; widen it",
            ("promoteMargin",),
        )
    if wide.ratio == 1 and wide.absolute == 0:
        raise CaseError("with ratio 1 and absolute 0 not even an equal canary could be proven", ("promoteMargin",))


def _bounds(given: object) -> tuple[float, ...]:
    with within("bounds"):
        if given is None:
            raise CaseError("is missing; a histogram needs its ascending upper bounds")
        bounds = each(given, f'a list of ascending numbers that ends with "{INFINITE}"', _bound)
        if len(bounds) < 2 or len(bounds) > _MOST_BOUNDS:  # noqa: PLR2004 (one boundary and the rest)
            raise CaseError(f'expected 1 to {_MOST_BOUNDS - 1} bounds and "{INFINITE}", found {len(bounds)} in all')
        for place in range(1, len(bounds)):
            if not bounds[place] > bounds[place - 1]:
                raise CaseError(f"expected more than the {bounds[place - 1]:g} before it", (place,))
        if bounds[-1] != math.inf:
            raise CaseError(f'expected "{INFINITE}" as the last bound, found {bounds[-1]:g}')
    return bounds


def _bound(given: object) -> float:
    return (
        math.inf
        if given == INFINITE
        else number(given, f'a number, or "{INFINITE}" as the last', -MOST_BOUND, MOST_BOUND)
    )


MOST_BOUND = 1e300


def _query(given: Mapping[str, Any], name: str) -> QueryMetric:
    default = QueryMetric(name, "")
    low = optional(given, "min", lambda one: number(one, "a number", -MOST_BOUND, MOST_BOUND))
    high = optional(given, "max", lambda one: number(one, "a number", -MOST_BOUND, MOST_BOUND))
    if low is None and high is None:
        raise CaseError("a query needs `min`, `max` or both")
    if low is not None and high is not None and low > high:
        raise CaseError(f"{low:g} is above max {high:g}; no value could be good", ("min",))
    return QueryMetric(
        name,
        "",
        min=low,
        max=high,
        blocks=optional(given, "for", _whole) or default.blocks,
        scope=optional(given, "scope", word(Scope, Scope)) or default.scope,
        gating=optional(given, "gating", word(Gating, Gating)) or default.gating,
    )


def _whole(given: object) -> int:
    if type(given) is not int or not 1 <= given <= 1000:  # noqa: PLR2004 (as in the configuration)
        raise refuse("a whole number from 1 to 1000", given)
    return given


def name_of(given: Mapping[str, Any]) -> str | None:
    """What the metric is called in reasons."""
    return optional(given, "name", text)
