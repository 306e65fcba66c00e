"""Recorded blocks: what each kind of metric writes for a pod or a side. Called by `case` and `past`.

What is missing is absent, with a reason, and never 0; what can't be true is a mistake of the case.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from analyzer.cli.judge.reading import MOST, CaseError, fields, items, number, refuse
from analyzer.model.block import (
    Arrivals,
    Block,
    Buckets,
    Counts,
    GuardReading,
    NoData,
    PodLevel,
    Restarts,
    Sample,
    SideBlock,
)
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    TestedMetric,
)

_COUNT = "a count from 0 to 2^53"
_SIDES = frozenset({"canary", "stable"})
_RATIO = frozenset({"events", "total"})
_BUCKETS = frozenset({"buckets"})
_LEVEL = frozenset({"value"})
_RATE = frozenset({"events", "exposure"})
_RESTARTS = frozenset({"restarts", "podHours"})
_PODS = frozenset({"pods"})
_MERGED = frozenset({"podCount"})

Recorded = Sample | str
"""What a pod measured, or why there is nothing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one metric's samples are written: its keys, and how they are read from an object with the number of pods
    that it stands for. `bounds` are a histogram's."""

    keys: frozenset[str]
    read: Callable[[dict[str, Any], float], Recorded]
    bounds: tuple[float, ...] = ()

    @property
    def side_keys(self) -> frozenset[str]:
        """A side may be one sample, and say for how many pods."""
        return self.keys | _MERGED


def shape_of(metric: TestedMetric, bounds: tuple[float, ...], seconds: float) -> Shape:
    """The shape of a metric's samples in blocks of so many seconds."""
    match metric:
        case RatioMetric():
            return Shape(_RATIO, _counts)
        case HistogramMetric():
            return Shape(_BUCKETS, lambda given, _pods: _buckets(given, len(bounds)), bounds)
        case GaugeMetric():
            return Shape(_LEVEL, _level)
        case RateMetric():
            return Shape(_RATE, _Arrived(seconds).read)
        case RestartsMetric():
            return Shape(_RESTARTS, _restarts)
        case _:
            assert_never(metric)


def block(given: object, index: int, shape: Shape) -> Block[Sample]:
    """One block of both sides."""
    sides = fields(given, _SIDES, "an object with `canary` and `stable`")
    canary, stable = side(sides.get("canary"), "canary", shape), side(sides.get("stable"), "stable", shape)
    return Block(index, canary, stable, stable_later=stable)


def reading(given: object, index: int) -> GuardReading:
    """One value of a guard's query."""
    value = None if given is None else fields(given, _LEVEL).get("value")
    if value is None:
        return GuardReading(index, NoData("no value in the file"))
    try:
        return GuardReading(index, number(value, "a finite number", high=_HUGE))
    except CaseError as error:
        raise error.within("value") from None


def side(given: object, name: str, shape: Shape) -> SideBlock[Sample]:
    """One side: a map of pods, or one sample for one or several pods."""
    if given is None:
        return SideBlock(absent={name: f"the file has no {name} side in this block"}, bounds=shape.bounds)
    try:
        if type(given) is dict and "pods" in given:
            return _pods(fields(given, _PODS)["pods"], name, shape)
        whole = fields(given, shape.side_keys, "an object with `pods` or with one sample")
        count = _pod_count(whole)
        sample = shape.read(whole, count or 1)
    except CaseError as error:
        raise error.within(name) from None
    if isinstance(sample, str):
        return SideBlock(absent={name: sample}, bounds=shape.bounds)
    return SideBlock({name: sample}, {}, shape.bounds, count)


def _pods(given: object, name: str, shape: Shape) -> SideBlock[Sample]:
    if type(given) is not dict:
        raise refuse("an object of pods by name", given).within("pods")
    keys, read = shape.keys, shape.read
    pods: dict[str, Sample] = {}
    absent: dict[str, str] = {}
    for pod, found in given.items():
        if found is None:
            absent[pod] = "no value in the file"
            continue
        try:
            sample = read(fields(found, keys), 1)
        except CaseError as error:
            raise error.within("pods", pod) from None
        if isinstance(sample, str):
            absent[pod] = sample
        else:
            pods[pod] = sample
    if not given:
        absent[name] = f"the file has no {name} pods in this block"
    return SideBlock(pods, absent, shape.bounds)


def _pod_count(given: dict[str, Any]) -> int | None:
    count = given.get("podCount")
    if count is None:
        return None
    if type(count) is not int or not 1 <= count <= _MOST_PODS:
        raise refuse("a whole number of pods, at least 1", count).within("podCount")
    return count


_MOST_PODS = 1_000_000
_HUGE = math.nextafter(math.inf, 0)


def _counts(given: dict[str, Any], _pods: float) -> Recorded:
    events, total = given.get("events"), given.get("total")
    if events is None or total is None:
        return _missing("events" if events is None else "total")
    if type(events) is int and type(total) is int and 0 <= events <= total <= MOST:  # the usual case, for speed
        return Counts(events, total)
    found = Counts(_count(events, "events"), _count(total, "total"))
    if found.events > found.total:
        raise CaseError(f"expected at most the {found.total:g} of total, found {found.events:g}", ("events",))
    return found


def _buckets(given: dict[str, Any], bounds: int) -> Recorded:
    listed = given.get("buckets")
    if listed is None:
        return _missing("buckets")
    try:
        return Buckets(_cumulative(items(listed, "a list of cumulative counts"), bounds))
    except CaseError as error:
        raise error.within("buckets") from None


def _cumulative(listed: list[Any], bounds: int) -> tuple[float, ...]:
    if len(listed) != bounds:
        raise CaseError(f"expected {bounds} cumulative counts, one for each bound, found {len(listed)}")
    counts = tuple(_count(value, place) for place, value in enumerate(listed))
    for place in range(1, bounds):
        if counts[place] < counts[place - 1]:
            below = f"expected cumulative counts, at least the {counts[place - 1]:g} before it"
            raise CaseError(f"{below}, found {counts[place]:g}", (place,))
    return counts


def _level(given: dict[str, Any], _pods: float) -> Recorded:
    value = given.get("value")
    if value is None:
        return _missing("value")
    try:
        return PodLevel(number(value, "a number of at least 0", 0, _HUGE))
    except CaseError as error:
        raise error.within("value") from None


@dataclass(slots=True)
class _Arrived:
    """Reads rates; exposure left out is pods x seconds, which can't be compared with one that is given."""

    seconds: float
    stated: bool | None = None

    def read(self, given: dict[str, Any], pods: float) -> Recorded:
        events, exposure = given.get("events"), given.get("exposure")
        if events is None:
            return _missing("events")
        if self.stated is None:
            self.stated = exposure is not None
        if self.stated is not (exposure is not None):
            raise CaseError(
                "given for some samples and left out for others; give it for all or for none", ("exposure",)
            )
        usual = pods * self.seconds
        return Arrivals(_count(events, "events"), usual if exposure is None else _exposure(exposure, "exposure"))


def _restarts(given: dict[str, Any], _pods: float) -> Recorded:
    restarts, hours = given.get("restarts"), given.get("podHours")
    if restarts is None or hours is None:
        return _missing("restarts" if restarts is None else "podHours")
    return Restarts(_count(restarts, "restarts"), _exposure(hours, "podHours"))


def _count(value: object, place: str | int) -> float:
    try:
        return number(value, _COUNT, 0)
    except CaseError as error:
        raise error.within(place) from None


def _exposure(value: object, place: str) -> float:
    found = _count(value, place)
    if not found > 0:
        raise refuse("a number above 0", value).within(place)
    return found


def _missing(key: str) -> str:
    return f"no {key} in the file"
