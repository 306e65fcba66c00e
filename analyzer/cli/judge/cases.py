"""One line into one case: its analysis by the models of the configuration, its steps, and what was recorded.

Called by `command` for each line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, ValidationError, create_model

from analyzer.cli.judge.samples import CaseError, Shape, block, each, history, object_of, reading, shape_of
from analyzer.config.fields import Text, Word, show_found
from analyzer.config.keys import Around, Each, Keys, Mistake, check, known, meaning_mistakes
from analyzer.config.margins import (
    GAUGE,
    ComparedKeys,
    FactorsKeys,
    LatencyKeys,
    MetricKeys,
    RestartsSettings,
    SharesKeys,
)
from analyzer.config.metrics import RATE, GuardKeys
from analyzer.config.noise import StatedNoiseKeys
from analyzer.config.problems import explained, form_mistakes, one_of, refusal
from analyzer.judge.noise.estimate import estimate
from analyzer.model.block import Block, GuardReading, NoData, Sample, Timing
from analyzer.model.metric import Analysis, Direction, NoiseSetting
from analyzer.model.noise import Noise

INFINITE = "+Inf"
"""How the last bound of a histogram is written, as in Prometheus."""

_USUAL = Analysis(metrics=())
_WIDEST = 1e6
"""No margin is wider; beyond it counts times a margin leave the numbers that a computer has."""

_MOST_BOUNDS = 1000
_MOST_BOUND = 1e300

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


def _bound(given: object) -> float:
    if given == INFINITE:
        return math.inf
    if type(given) in (int, float) and abs(given) <= _MOST_BOUND:  # type: ignore[arg-type]
        return float(given)  # type: ignore[arg-type]
    raise ValueError(f'expected a number, or "{INFINITE}" as the last, found {show_found(given)}')


class CaseKeys(Keys):
    """What every case says."""

    list_hint = "; write [ ] around it"
    id: Any = None
    false_abort: float = Field(default=_USUAL.false_abort, gt=0, le=0.5)
    false_promote: float = Field(default=_USUAL.false_promote, gt=0, le=0.5)
    block_seconds: float = Field(default=_USUAL.interval.total_seconds(), ge=0.001, le=86_400)
    steps: list[Annotated[int, Field(ge=0, le=2**53)]] = Field(default=[0], min_length=1)
    blocks: list[Any]

    @check
    def _steps_ascend(self) -> Iterator[Mistake]:
        for place, (before, step) in enumerate(pairwise(self.steps), start=1):
            if step <= before:
                yield (("steps", place), f"expected more than the {before} before it, found {step}")


class RecordedKeys(MetricKeys):
    """What a case says of any metric. Its name may be left out where there is only one."""

    list_hint = "; write [ ] around it"
    kind: str
    name: Text | None = None

    def called(self) -> str:
        """Its name, or its kind."""
        return self.name or self.kind

    def read(self, rows: Iterable[object], seconds: float, *inner: str) -> tuple[Recorded, ...]:
        """What was recorded. Raises CaseError; `inner` leads from a row to what is read."""
        del seconds
        return each(rows, reading, *inner)

    def estimated(self, seconds: float, shared: NoiseSetting) -> Noise | None:
        """Its noise; the case's is `shared`. Raises CaseError. A guard has none."""
        del seconds, shared
        return None


class RecordedComparison(RecordedKeys, ComparedKeys):
    """What a case says besides of a metric that is compared with stable."""

    noise: StatedNoiseKeys | None = None
    history: list[Any] | None = None

    def shape(self, seconds: float) -> Shape:
        """How its samples are written, apart from any that were read before."""
        return shape_of(self.kind, (), seconds)

    def read(self, rows: Iterable[object], seconds: float, *inner: str) -> tuple[Recorded, ...]:
        """The blocks."""
        return each(rows, partial(block, self.shape(seconds)), *inner)

    def estimated(self, seconds: float, shared: NoiseSetting) -> Noise | None:
        """What it states, else the case; what neither does is estimated from history, or has its default."""
        metric, listed = self.metric(), self.history
        past = NoData("no history is given") if listed is None else history(listed, self.shape(seconds), seconds)
        return estimate(metric, past, metric.noise or shared)

    @check
    def _beyond_numbers(self) -> Iterator[Mistake]:
        for key, margin in zip(("tolerance", "promoteMargin"), self.margins(), strict=True):
            widest = 0.0 if margin is None else max(margin.ratio, margin.absolute)
            if widest > _WIDEST:
                yield ((key,), f"expected numbers of at most {_WIDEST:g}, found {widest:g}")


class RecordedRatio(SharesKeys, RecordedComparison):
    """Bad events of all events."""


class RecordedHistogram(LatencyKeys, RecordedComparison):
    """A classic histogram."""

    bounds: list[Annotated[float, PlainValidator(_bound)]]
    objective: float | None = Field(default=None, gt=0)

    def shape(self, seconds: float) -> Shape:
        """With its bounds."""
        return shape_of(self.kind, tuple(self.bounds), seconds)

    def measured(self) -> dict[str, Any]:
        """The boundary that matters most."""
        return {"objective": self.objective}

    @check
    def _bounds_ascend(self) -> Iterator[Mistake]:
        count = len(self.bounds)
        if not 1 < count <= _MOST_BOUNDS:
            yield (("bounds",), f'expected 1 to {_MOST_BOUNDS - 1} bounds and "{INFINITE}", found {count} in all')
            return
        for place, (before, bound) in enumerate(pairwise(self.bounds), start=1):
            if bound <= before:
                yield (("bounds", place), f"expected more than the {before:g} before it, found {bound:g}")
        *_, last, end = self.bounds
        if end != math.inf:
            yield (("bounds",), f'expected "{INFINITE}" as the last bound, found {end:g}')
        if self.objective is not None and self.objective > last:
            yield (("objective",), f"expected at most the last finite bound, {last:g}, found {self.objective:g}")


class _DirectedKeys(FactorsKeys, RecordedComparison):
    direction: Word[Direction]

    def measured(self) -> dict[str, Any]:
        """Which way is worse."""
        return {"direction": self.direction}


class RecordedGauge(_DirectedKeys):
    """A level per pod."""

    usual = GAUGE
    direction: Word[Direction] = GAUGE.direction


class RecordedRate(_DirectedKeys):
    """How often something good happens, for each pod."""

    usual = RATE
    direction: Word[Direction] = RATE.direction


class RecordedRestarts(RestartsSettings, RecordedComparison):
    """Restarts of containers."""


class RecordedGuard(RecordedKeys, GuardKeys):
    """A value with bounds."""


_KINDS: dict[str, type[RecordedKeys]] = {
    "ratio": RecordedRatio,
    "histogram": RecordedHistogram,
    "gauge": RecordedGauge,
    "rate": RecordedRate,
    "restarts": RecordedRestarts,
    "query": RecordedGuard,
}


@cache
def _alone(model: type[RecordedKeys]) -> type[RecordedKeys]:
    """The keys of a case with one metric. Made when they are needed: a file mostly has one kind."""
    bases: Any = (model, CaseKeys)
    made: type[RecordedKeys] = create_model(f"{model.__name__}Case", __base__=bases)
    return made


def _model(given: Any) -> type[RecordedKeys]:
    """The model of a metric, by its kind. Raises ValueError or ValidationError where there is none."""
    if not isinstance(given, dict):
        raise ValueError(f"expected a mapping that describes a metric, found {show_found(given)}")  # noqa: TRY004
    kind = given.get("kind")
    if kind is None:
        raise refusal("kind", f"is missing; expected {' | '.join(_KINDS)}")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise refusal("kind", one_of(kind, _KINDS))
    return _KINDS[kind]


def _metric(given: Any) -> RecordedKeys:
    return _model(given).model_validate(given)


class WholeCaseKeys(CaseKeys):
    """A case with several metrics. Their noise is that of the case where they have none of their own."""

    noise: StatedNoiseKeys | None = None
    metrics: Each[Annotated[Any, BeforeValidator(_metric)]] = Field(min_length=1)

    @check
    def _named_once(self) -> Iterator[Mistake]:
        names: set[str] = set()
        for place, metric in known(self.metrics):
            name = vars(metric).get("name")
            if name is None and not metric.faults:
                yield (("metrics", place, "name"), "is missing; blocks name their metrics")
            elif name in names:
                yield (("metrics", place, "name"), f"{name!r} is already the name of another metric")
            names.add(name)


def parse(line: bytes) -> dict[str, Any]:
    """The JSON object on a line. Raises CaseError."""
    try:
        value = json.loads(line, parse_constant=_constant, object_pairs_hook=_object)
    except RecursionError:
        raise CaseError(((), "not usable JSON: nested too deeply")) from None
    except ValueError as error:
        raise CaseError(((), f"not valid JSON: {error}")) from error
    if not isinstance(value, dict):
        found = show_found(value)
        raise CaseError(((), f'expected an object such as {{"kind": "ratio", "blocks": [...]}}, found {found}'))
    return value


def read_case(given: dict[str, Any]) -> Case:
    """The case that an object describes. Raises CaseError with all mistakes of its keys, else with those in blocks."""
    whole = given.get("metrics") is not None
    try:
        keys: Any = WholeCaseKeys.model_validate(given) if whole else _alone(_model(given)).model_validate(given)
    except ValidationError as error:
        raise CaseError(*explained(error)) from None
    if mistakes := [*form_mistakes(keys), *meaning_mistakes(keys, Around())]:
        raise CaseError(*mistakes)
    metrics: list[RecordedKeys] = keys.metrics if whole else [keys]
    shared = keys.noise.setting() if whole and keys.noise else NoiseSetting()
    blocks, noise = _recorded(keys, metrics, shared)
    seconds = keys.block_seconds
    return Case(
        id=keys.id,
        analysis=Analysis(
            metrics=tuple(metric.metric() for metric in metrics),
            interval=timedelta(seconds=seconds),
            false_abort=keys.false_abort,
            false_promote=keys.false_promote,
            noise=shared,
            fast_lane=None,
        ),
        timing=Timing(block=seconds, slot=seconds, delay=0.0),
        steps=tuple(keys.steps),
        blocks=blocks,
        noise=noise,
        whole=whole,
    )


def _recorded(
    case: CaseKeys, metrics: Sequence[RecordedKeys], shared: NoiseSetting
) -> tuple[dict[str, tuple[Recorded, ...]], dict[str, Noise]]:
    """Blocks and noise by metric. Raises CaseError with the first mistake in the blocks and the history of each."""
    blocks: dict[str, tuple[Recorded, ...]] = {}
    noise: dict[str, Noise] = {}
    wrong: list[CaseError] = []
    named = _by_name(case, metrics) if isinstance(case, WholeCaseKeys) else None
    for place, metric in enumerate(metrics):
        name = metric.called()
        try:
            rows, inner = (case.blocks, ()) if named is None else ([row.get(name) for row in named], (name,))
            blocks[name] = metric.read(rows, case.block_seconds, *inner)
        except CaseError as error:
            wrong.append(error.within("blocks"))
        try:
            found = metric.estimated(case.block_seconds, shared)
            noise |= {} if found is None else {name: found}
        except CaseError as error:
            wrong.append(error.within(*(() if named is None else ("metrics", place)), "history"))
    if wrong:
        raise CaseError(*(mistake for error in wrong for mistake in error.mistakes))
    return blocks, noise


def _by_name(case: CaseKeys, metrics: Sequence[RecordedKeys]) -> tuple[dict[str, Any], ...]:
    """The rows of a whole analysis, each an object with what its metrics recorded."""
    names = tuple(metric.called() for metric in metrics)
    try:
        return each(case.blocks, lambda row, _index: {} if row is None else object_of(row, names))
    except CaseError as error:
        raise error.within("blocks") from None


def _constant(found: str) -> float:
    raise ValueError(f"{found} is not a number that JSON knows; leave out what was not measured, or write null")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {json.dumps(twice)} is given twice in one object")
    return found
