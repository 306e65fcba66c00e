"""Our judge, for thousands of simulated releases at once, on the judge's own arithmetic. Called by the tables.

A court hears the blocks of many runs and answers with their evidence in nats; `ride` takes the runs through the steps
as the daemon does: abort at any block, forward only when the step was held, is proven and nothing speaks against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.counts.fast_lane import SHARE
from analyzer.judge.thresholds import ADVERSE
from analyzer.model.metric import Analysis, RatioMetric, TestedMetric
from benchmarks.worlds import Floats, Stage

Runs = NDArray[np.int64]

_ANALYSIS = Analysis(())
ALPHA, BETA = _ANALYSIS.false_abort, _ANALYSIS.false_promote
PROMOTE_AT = -math.log(BETA)


@dataclass(frozen=True, slots=True, eq=False)
class Nats:
    """Evidence of some runs after a block, each (runs,); `fast` is the fast lane's, minus infinity without one.

    Below what holds a release back, `abort` may be more than it is: it then decides nothing.
    """

    abort: Floats
    fast: Floats
    promote: Floats
    advance: Floats


class Court(Protocol):
    """Hears one metric of many runs."""

    def enter(self, runs: Runs, step: int) -> None:
        """These runs begin this step: evidence starts anew."""
        ...

    def hear(self, runs: Runs, step: int, block: int) -> Nats:
        """Add this block to these runs, which are all in this step."""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """Least blocks in each step, and what else it takes to go on: proof, or nothing (then a step has no end but that).

    With `promotes` off, releases run until the last block unless they are aborted.
    """

    holds: tuple[int, ...]
    by_proof: bool = False
    promotes: bool = True


def by_time(stages: Sequence[Stage], *, promotes: bool = True) -> Schedule:
    """Every step lasts as long as its stage; in the last one proof ends the release at once."""
    return Schedule((*(stage.blocks for stage in stages[:-1]), 0), promotes=promotes)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Per run: the block (from 1) at which it was aborted or promoted, 0 for neither."""

    aborted: Runs
    promoted: Runs

    @property
    def runs(self) -> int:
        """How many releases there were."""
        return len(self.aborted)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Nats at which a metric that has the whole of alpha aborts: in the main test, and in the fast lane."""

    main: float
    fast: float


def thresholds(metric: TestedMetric, steps: int) -> Thresholds:
    """As `analyzer.judge.verdict` sets them."""
    if isinstance(metric, RatioMetric):
        return Thresholds(math.log(steps / ((1 - SHARE) * ALPHA)), math.log(steps / (SHARE * ALPHA)))
    return Thresholds(math.log(steps / ALPHA), math.inf)


def ride(court: Court, schedule: Schedule, *, runs: int, blocks: int, at: Thresholds) -> Judged:
    """Take every run to its end, looking at each block."""
    aborted, promoted = np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=np.int64)
    step, since = np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=np.int64)
    court.enter(np.arange(runs), 0)
    last = len(schedule.holds) - 1
    live = np.ones(runs, dtype=bool)
    for block in range(blocks):
        for here in np.unique(step[live])[::-1]:
            chosen = np.flatnonzero(live & (step == here))
            nats = court.hear(chosen, int(here), block)
            since[chosen] += 1
            ends = (nats.abort >= at.main) | (nats.fast >= at.fast)
            aborted[chosen[ends]] = block + 1
            moves = _moves(schedule, nats, since[chosen], int(here)) & ~ends
            if here == last:
                promoted[chosen[moves]] = block + 1
                ends |= moves
            else:
                step[chosen[moves]], since[chosen[moves]] = here + 1, 0
                court.enter(chosen[moves], int(here) + 1)
            live[chosen[ends]] = False
        if not live.any():
            break
    return Judged(aborted, promoted)


def _moves(schedule: Schedule, nats: Nats, since: Runs, step: int) -> NDArray[np.bool_]:
    """Which releases go on to the next step, or from the last one to promotion."""
    held = since >= schedule.holds[step]
    if step == len(schedule.holds) - 1:
        return held & (nats.abort < ADVERSE) & (nats.promote >= PROMOTE_AT) & schedule.promotes
    return held & (nats.abort < ADVERSE) & (nats.advance >= PROMOTE_AT) if schedule.by_proof else held
