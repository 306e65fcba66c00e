"""Evidence of a guard: how many valid readings in a row broke its bounds. Called by `evidence` and `verdict`.

A reading that is missing or not finite does not count, and interrupts nothing: a guard is broken by `blocks`
valid readings in a row out of bounds, however many invalid ones lie between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analyzer.judge.order import FoldOrder, Starts, place
from analyzer.model.block import GuardReading, NoData
from analyzer.model.metric import QueryMetric


@dataclass(frozen=True, slots=True)
class GuardState:
    """`bad` or `good` valid readings in a row so far (one of them is 0), the latest value, and why there is
    none."""

    bad: int = 0
    good: int = 0
    value: float | None = None
    absence: str | None = None


@dataclass(frozen=True, slots=True)
class GuardEvidence:
    """A guard with its state after block `last`, and `before` it; `error` is why it cannot be measured."""

    metric: QueryMetric
    last: int | None = None
    before: GuardState = GuardState()
    state: GuardState = GuardState()
    error: str | None = None

    @property
    def broken(self) -> bool:
        """Were enough valid readings in a row out of bounds?"""
        return self.state.bad >= self.metric.blocks

    @property
    def kept(self) -> bool:
        """Were as many valid readings in a row within bounds as it takes to break it?"""
        return self.state.good >= self.metric.blocks

    @property
    def incomplete(self) -> bool:
        """Has the latest reading no value, so that it may have one by now?"""
        return self.state.absence is not None


def fold_readings(evidence: GuardEvidence, readings: Sequence[GuardReading], starts: Starts) -> GuardEvidence:
    """Add readings in order; the latest one may come again in another version. Raises ValueError on a gap."""
    for reading in readings:
        spot = place(reading.index, evidence.last, starts)
        if spot is FoldOrder.EARLY:
            evidence = replace(evidence, last=reading.index)
            continue
        before = evidence.before if spot is FoldOrder.AGAIN else evidence.state
        state = _with_reading(before, reading, evidence.metric)
        evidence = replace(evidence, last=reading.index, before=before, state=state)
    return evidence


def _with_reading(state: GuardState, reading: GuardReading, metric: QueryMetric) -> GuardState:
    value = reading.value
    if isinstance(value, NoData):
        return replace(state, absence=value.reason)
    if not math.isfinite(value):
        return replace(state, absence=f"the query gave {value}, not a finite number")
    low = metric.min is not None and value < metric.min
    high = metric.max is not None and value > metric.max
    if low or high:
        return GuardState(bad=state.bad + 1, value=value)
    return GuardState(good=state.good + 1, value=value)
