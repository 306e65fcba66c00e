"""Recorded blocks and history: what each kind of metric writes for a pod or a side. Called by `cases`.

What is missing is absent, with a reason, and never 0; what cannot be true is a mistake of the case. There are many
times more samples than anything else in a file, so they are read by hand, and their place is put together on the way
up: a good case pays nothing for it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

from analyzer.config.fields import show_found
from analyzer.config.keys import Mistake, show_path
from analyzer.config.problems import unknown_key
from analyzer.model.block import (
    Arrivals,
    Block,
    Buckets,
    Counts,
    GuardReading,
    History,
    NoData,
    PodLevel,
    Restarts,
    Sample,
    SideBlock,
)
from analyzer.model.errors import AnalyzerError

MOST = 2.0**53
"""Above this, counters no longer count one by one."""

BATCH = 300.0
"""Seconds of history that are taken together: noise is estimated from batches, not from blocks."""

_COUNT = "a count from 0 to 2^53"
_HUGE = math.nextafter(math.inf, 0)
_MOST_PODS = 1_000_000
_SIDES = ("canary", "stable")
_T = TypeVar("_T")

Recorded = Sample | str
"""What a pod measured, or why there is nothing."""


class CaseError(AnalyzerError):
    """A case that cannot be judged; `mistakes` lead to each spot."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = mistakes
        super().__init__("; also ".join(f"{show_path(path)}: {text}" if path else text for path, text in mistakes))

    def within(self, *outer: str | int) -> CaseError:
        """The same, seen from further outside."""
        return CaseError(*(((*outer, *path), text) for path, text in self.mistakes))


@dataclass(frozen=True, slots=True)
class Shape:
    """How one metric's samples are written: its keys, and how they are read from an object with the number of pods
    that it stands for. `bounds` are a histogram's."""

    keys: tuple[str, ...]
    read: Callable[[dict[str, Any], float], Recorded]
    bounds: tuple[float, ...] = ()


def shape_of(kind: str, bounds: tuple[float, ...], seconds: float) -> Shape:
    """The shape of the samples of a kind in blocks of so many seconds."""
    shapes: dict[str, Shape] = {
        "ratio": Shape(("events", "total"), _counts),
        "histogram": Shape(("buckets",), partial(_buckets, len(bounds)), bounds),
        "gauge": Shape(("value",), _level),
        "rate": Shape(("events", "exposure"), _Arrived(seconds).read),
        "restarts": Shape(("restarts", "podHours"), _restarts),
    }
    return shapes[kind]


def block(shape: Shape, given: object, index: int) -> Block[Sample]:
    """One block of both sides."""
    sides = object_of({} if given is None else given, _SIDES, "an object with `canary` and `stable`")
    canary, stable = _side(sides.get("canary"), "canary", shape), _side(sides.get("stable"), "stable", shape)
    return Block(index, canary, stable, stable_later=stable)


def reading(given: object, index: int) -> GuardReading:
    """One value of a guard's query."""
    value = None if given is None else object_of(given, ("value",)).get("value")
    if value is None:
        return GuardReading(index, NoData("no value in the file"))
    return GuardReading(index, _number(value, "value", "a finite number", -_HUGE, _HUGE))


def each(listed: Iterable[object], read: Callable[[object, int], _T], *inner: str) -> tuple[_T, ...]:
    """Every item of a list, read with its index; `inner` leads from the item to what is read."""
    found: list[_T] = []
    for index, item in enumerate(listed):
        try:
            found.append(read(item, index))
        except CaseError as error:
            raise error.within(index, *inner) from None
    return tuple(found)


def history(listed: Iterable[object], shape: Shape, seconds: float) -> History[Sample]:
    """Blocks of stable pods added up to batches of five minutes; what is left at the end is left out."""
    sides = each(listed, lambda item, _index: _stable(item, shape))
    count = max(1, round(BATCH / seconds))
    whole = len(sides) - len(sides) % count
    return History(count * seconds, tuple(_added(sides[first : first + count]) for first in range(0, whole, count)))


def _stable(given: object, shape: Shape) -> SideBlock[Sample]:
    """A block of history is a side, or an object with it under `stable`, as blocks of a release have it."""
    if type(given) is not dict or "stable" not in given:
        return _side(given, "", shape)
    if given.keys() != {"stable"}:
        raise CaseError(((), "expected the stable side alone, as there was no canary yet"))
    return _side(given["stable"], "stable", shape)


def _side(given: object, name: str, shape: Shape) -> SideBlock[Sample]:
    """One side: a map of pods, or one sample for one or several pods."""
    if given is None:
        return SideBlock(absent={name: f"the file has no {name} side in this block"}, bounds=shape.bounds)
    try:
        if type(given) is dict and "pods" in given:
            return _pods(object_of(given, ("pods",))["pods"], name, shape)
        whole = object_of(given, (*shape.keys, "podCount"), "an object with `pods` or with one sample")
        count = whole.get("podCount")
        if count is not None and not (type(count) is int and 1 <= count <= _MOST_PODS):
            raise _refused(count, "a whole number of pods, at least 1", "podCount")
        sample = shape.read(whole, count or 1)
    except CaseError as error:
        raise (error.within(name) if name else error) from None
    if isinstance(sample, str):
        return SideBlock(absent={name: sample}, bounds=shape.bounds)
    return SideBlock({name: sample}, {}, shape.bounds, count)


def _pods(given: object, name: str, shape: Shape) -> SideBlock[Sample]:
    if type(given) is not dict:
        raise _refused(given, "an object of pods by name", "pods")
    keys, read = shape.keys, shape.read
    pods: dict[str, Sample] = {}
    absent: dict[str, str] = {}
    for pod, found in given.items():
        if found is None:
            absent[pod] = "no value in the file"
            continue
        try:
            sample = read(object_of(found, keys), 1)
        except CaseError as error:
            raise error.within("pods", pod) from None
        if isinstance(sample, str):
            absent[pod] = sample
        else:
            pods[pod] = sample
    if not given:
        absent[name] = f"the file has no {name} pods in this block"
    return SideBlock(pods, absent, shape.bounds)


def _counts(given: dict[str, Any], _pods: float) -> Recorded:
    events, total = given.get("events"), given.get("total")
    if events is None or total is None:
        return _missing("events" if events is None else "total")
    if type(events) is int and type(total) is int and 0 <= events <= total <= MOST:  # the usual case, for speed
        return Counts(events, total)
    found = Counts(_number(events, "events"), _number(total, "total"))
    if found.events > found.total:
        raise CaseError((("events",), f"expected at most the {found.total:g} of total, found {found.events:g}"))
    return found


def _buckets(bounds: int, given: dict[str, Any], _pods: float) -> Recorded:
    listed = given.get("buckets")
    if listed is None:
        return _missing("buckets")
    try:
        return Buckets(_cumulative(listed, bounds))
    except CaseError as error:
        raise error.within("buckets") from None


def _cumulative(listed: object, bounds: int) -> tuple[float, ...]:
    if type(listed) is not list:
        raise _refused(listed, "a list of cumulative counts")
    if len(listed) != bounds:
        raise CaseError(((), f"expected {bounds} cumulative counts, one for each bound, found {len(listed)}"))
    counts = tuple(_number(value, place) for place, value in enumerate(listed))
    for place, (before, count) in enumerate(pairwise(counts), start=1):
        if count < before:
            message = f"expected cumulative counts, at least the {before:g} before it, found {count:g}"
            raise CaseError(((place,), message))
    return counts


def _level(given: dict[str, Any], _pods: float) -> Recorded:
    value = given.get("value")
    return _missing("value") if value is None else PodLevel(_number(value, "value", "a number of at least 0", 0, _HUGE))


@dataclass(slots=True)
class _Arrived:
    """Reads rates; exposure left out is pods x seconds, which cannot be compared with one that is given."""

    seconds: float
    stated: bool | None = None

    def read(self, given: dict[str, Any], pods: float) -> Recorded:
        events, exposure = given.get("events"), given.get("exposure")
        if events is None:
            return _missing("events")
        if self.stated is None:
            self.stated = exposure is not None
        if self.stated is not (exposure is not None):
            message = "given for some samples and left out for others; give it for all or for none"
            raise CaseError((("exposure",), message))
        usual = pods * self.seconds
        return Arrivals(_number(events, "events"), usual if exposure is None else _exposure(exposure, "exposure"))


def _restarts(given: dict[str, Any], _pods: float) -> Recorded:
    restarts, hours = given.get("restarts"), given.get("podHours")
    if restarts is None or hours is None:
        return _missing("restarts" if restarts is None else "podHours")
    return Restarts(_number(restarts, "restarts"), _exposure(hours, "podHours"))


def _exposure(value: object, key: str) -> float:
    found = _number(value, key)
    if not found > 0:
        raise _refused(value, "a number above 0", key)
    return found


def _number(value: object, place: str | int, wanted: str = _COUNT, low: float = 0, high: float = MOST) -> float:
    """A number between two bounds, both included."""
    if (type(value) is float or type(value) is int) and low <= value <= high:
        return float(value)
    raise _refused(value, wanted, place)


def object_of(value: object, known: tuple[str, ...], wanted: str = "an object") -> dict[str, Any]:
    """An object that has no other keys than these; a key with null is as if it were left out."""
    if type(value) is not dict:
        raise _refused(value, wanted)
    for key in value:
        if key not in known:
            raise CaseError(((key,), unknown_key(key, known)))
    return value


def _refused(value: object, wanted: str, *place: str | int) -> CaseError:
    """The usual message."""
    return CaseError((place, f"expected {wanted}, found {show_found(value)}"))


def _missing(key: str) -> str:
    return f"no {key} in the file"


def _added(sides: Sequence[SideBlock[Sample]]) -> SideBlock[Sample]:
    if len(sides) == 1:
        return sides[0]
    pods: defaultdict[str, list[Sample]] = defaultdict(list)
    for one in sides:
        for pod, sample in one.pods.items():
            pods[pod].append(sample)
    first = next((one for one in sides if one.pods), sides[0])
    return SideBlock({pod: _sum(samples) for pod, samples in pods.items()}, {}, first.bounds, first.merged)


def _sum(samples: Sequence[Sample]) -> Sample:
    """Counts and exposures add up; levels are averaged."""
    first = samples[0]
    if isinstance(first, Buckets):
        rows = [one.counts for one in samples if isinstance(one, Buckets)]
        return Buckets(tuple(map(math.fsum, zip(*rows, strict=True))))
    sums = (math.fsum(getattr(one, part.name) for one in samples) for part in fields(first))
    return PodLevel(next(sums) / len(samples)) if isinstance(first, PodLevel) else type(first)(*sums)
