"""One line into one case: an analysis, its steps, and what was recorded. Called by `command` for each line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from analyzer.cli.judge.metrics import Head, head_of, keys_of, name_of, noise_of
from analyzer.cli.judge.past import noise_for
from analyzer.cli.judge.reading import CaseError, each, fields, items, number, optional, refuse, within
from analyzer.cli.judge.samples import Shape, block, reading, shape_of
from analyzer.model.block import Block, GuardReading, Sample, Timing
from analyzer.model.metric import Analysis, NoiseSetting, QueryMetric
from analyzer.model.noise import Noise

SECONDS = 15.0
"""The length of a block where the case does not say it."""

_CASE = frozenset({"id", "falseAbort", "falsePromote", "steps", "blockSeconds", "blocks"})
_WHOLE = _CASE | {"metrics", "noise"}

Recorded = Block[Sample] | GuardReading


@dataclass(frozen=True, slots=True)
class Case:
    """What a line says. `steps` holds the index of each step's first block; `blocks` and `noise` go by metric.

    `whole`: an analysis of several metrics by name.
    """

    id: object
    analysis: Analysis
    timing: Timing
    steps: tuple[int, ...]
    blocks: Mapping[str, tuple[Recorded, ...]]
    noise: Mapping[str, Noise]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Column:
    """One metric of a case, with what it takes to read its blocks."""

    head: Head
    given: Mapping[str, Any]
    shape: Shape | None

    def read(self, given: object, index: int) -> Recorded:
        if self.shape is None or isinstance(self.head.metric, QueryMetric):
            return reading(given, index)
        return block(given, index, self.shape)


def parse(line: bytes) -> dict[str, Any]:
    """The JSON object on a line. Raises CaseError."""
    try:
        value = json.loads(line, parse_constant=_constant, object_pairs_hook=_object)
    except RecursionError:
        raise CaseError("not usable JSON: nested too deeply") from None
    except ValueError as error:
        raise CaseError(f"not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise refuse('an object such as {"kind": "ratio", "blocks": [...]}', value)
    return value


def read_case(given: dict[str, Any]) -> Case:
    """The case that an object describes. Raises CaseError with the place of the first mistake."""
    whole = given.get("metrics") is not None
    seconds = optional(given, "blockSeconds", _seconds) or SECONDS
    columns = _several(given, seconds) if whole else _single(given, seconds)
    metrics = tuple(column.head.metric for column in columns)
    shared = (optional(given, "noise", noise_of) if whole else None) or NoiseSetting()
    usual = Analysis(metrics=())
    alpha, beta = optional(given, "falseAbort", _probability), optional(given, "falsePromote", _probability)
    steps = optional(given, "steps", _steps) or (0,)
    return Case(
        id=given.get("id"),
        analysis=Analysis(
            metrics=metrics,
            interval=timedelta(seconds=seconds),
            false_abort=usual.false_abort if alpha is None else alpha,
            false_promote=usual.false_promote if beta is None else beta,
            noise=shared,
            fast_lane=None,
        ),
        timing=Timing(block=seconds, slot=seconds, delay=0.0),
        steps=steps,
        blocks=_blocks(given, columns, whole=whole),
        noise=_noise(columns, seconds, shared, whole=whole),
        whole=whole,
    )


def _single(given: dict[str, Any], seconds: float) -> list[_Column]:
    keys = keys_of(given)
    fields(given, _CASE | keys)
    return [_column(given, name_of(given) or given["kind"], seconds)]


def _several(given: dict[str, Any], seconds: float) -> list[_Column]:
    fields(given, _WHOLE)
    columns: list[_Column] = []
    for place, one in enumerate(items(given["metrics"], "a list of metrics")):
        with within("metrics", place):
            if not isinstance(one, dict):
                raise refuse("an object that describes a metric", one)
            fields(one, keys_of(one))
            name = name_of(one)
            if name is None:
                raise CaseError("is missing; blocks name their metrics", ("name",))
            if any(name == other.head.metric.name for other in columns):
                raise CaseError(f"{name!r} is already the name of another metric", ("name",))
            columns.append(_column(one, name, seconds))
    if not columns:
        raise CaseError("expected at least one metric, found an empty list", ("metrics",))
    return columns


def _column(given: Mapping[str, Any], name: str, seconds: float) -> _Column:
    head = head_of(given, name)
    shape = None if isinstance(head.metric, QueryMetric) else shape_of(head.metric, head.bounds, seconds)
    return _Column(head, given, shape)


def _blocks(given: Mapping[str, Any], columns: list[_Column], *, whole: bool) -> dict[str, tuple[Recorded, ...]]:
    with within("blocks"):
        listed = given.get("blocks")
        if listed is None:
            raise CaseError("is missing; a case needs what was recorded")
        rows = items(listed, "a list of blocks")
        if not whole:
            return {columns[0].head.metric.name: _read(columns[0], rows)}
        names = frozenset(column.head.metric.name for column in columns)
        named = each(rows, "a list of blocks", lambda row: {} if row is None else fields(row, names))
        return {
            column.head.metric.name: _read(column, [row.get(column.head.metric.name) for row in named], inner=True)
            for column in columns
        }


def _read(column: _Column, rows: list[Any], *, inner: bool = False) -> tuple[Recorded, ...]:
    found: list[Recorded] = []
    for index, row in enumerate(rows):
        try:
            found.append(column.read({} if row is None else row, index))
        except CaseError as error:
            raise error.within(index, *([column.head.metric.name] if inner else [])) from None
    return tuple(found)


def _noise(columns: list[_Column], seconds: float, shared: NoiseSetting, *, whole: bool) -> dict[str, Noise]:
    found: dict[str, Noise] = {}
    for place, column in enumerate(columns):
        metric = column.head.metric
        if isinstance(metric, QueryMetric) or column.shape is None:
            continue
        with within(*(("metrics", place) if whole else ())):
            shape = shape_of(metric, column.head.bounds, seconds)
            found[metric.name] = noise_for(metric, column.given, shape, seconds, shared)
    return found


def _seconds(given: object) -> float:
    return number(given, "a number of seconds above 0, up to a day", _LEAST_SECONDS, 86_400)


_LEAST_SECONDS = 0.001


def _probability(given: object) -> float:
    return number(given, "a probability above 0, up to 0.5", _LEAST_PROBABILITY, 0.5)


_LEAST_PROBABILITY = 1e-12


def _steps(given: object) -> tuple[int, ...]:
    steps = each(given, "a list of block indices", _index)
    if not steps:
        raise CaseError("expected at least one step, found an empty list")
    for place in range(1, len(steps)):
        if steps[place] <= steps[place - 1]:
            raise CaseError(f"expected more than the {steps[place - 1]} before it, found {steps[place]}", (place,))
    return steps


def _index(given: object) -> int:
    if type(given) is not int or not 0 <= given <= 2**53:
        raise refuse("the index of a block, from 0", given)
    return given


def _constant(found: str) -> float:
    raise ValueError(f"{found} is not a number that JSON knows; leave out what was not measured, or write null")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {json.dumps(twice)} is given twice in one object")
    return found
