"""The deadline's clock: only PROGRESSING counts, without pauses, a daemon or a Prometheus that is down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.decision.context import Context
from analyzer.decision.deadline import time_spent
from analyzer.model.metric import Analysis
from analyzer.model.phase import Phase
from analyzer.model.state import Verb
from analyzer.model.verdict import Classification, Verdict
from tests.fakes.verdicts import ANALYSIS, ERROR, UNDECIDED, measured
from tests.fakes.world import World
from tests.unit.decision.given import progressing

GRAIN = timedelta(seconds=72)  # a hundredth of two hours


def spent(world: World, verdict: Verdict | None = UNDECIDED) -> timedelta:
    return time_spent(Context(world.known, world.snapshot(), verdict, world.now))


def passing(world: World, verdict: Verdict | None, *, ticks: int, seconds: float) -> timedelta:
    before = spent(world)
    for _ in range(ticks):
        world.tick(verdict, seconds=seconds)
    return spent(world) - before


@pytest.mark.parametrize("seconds", [1, 7, 15, 30, 60])
def test_counts_while_the_release_goes_on(seconds: float) -> None:
    assert passing(progressing(), UNDECIDED, ticks=10, seconds=seconds) == timedelta(seconds=10 * seconds)


def test_does_not_count_pauses() -> None:
    world = progressing()
    world.ask(Verb.PAUSE)
    world.tick(UNDECIDED)
    assert passing(world, UNDECIDED, ticks=100, seconds=30) == timedelta(0)
    world.ask(Verb.RESUME)
    world.tick(UNDECIDED)
    assert passing(world, UNDECIDED, ticks=4, seconds=15) == timedelta(minutes=1)


def test_does_not_count_a_daemon_that_is_down() -> None:
    world = progressing()
    assert passing(world, UNDECIDED, ticks=1, seconds=7 * 24 * 3600) == timedelta(0)
    assert world.known.phase is Phase.PROGRESSING


def test_counts_ticks_that_are_far_apart_because_the_interval_is_long() -> None:
    slow = Analysis(ANALYSIS.metrics, interval=timedelta(minutes=5))
    assert passing(progressing(analysis=slow), UNDECIDED, ticks=3, seconds=300) == timedelta(minutes=15)


@pytest.mark.parametrize("seconds", [1, 5, 15, 30])
def test_does_not_count_a_prometheus_that_is_down(seconds: float) -> None:
    world = progressing()
    world.tick(UNDECIDED)
    assert passing(world, ERROR, ticks=200, seconds=seconds) <= GRAIN
    assert world.known.phase is Phase.PROGRESSING


def test_never_ends_a_release_for_a_prometheus_that_is_down() -> None:
    world = progressing()
    release = world.known.release
    assert release is not None
    almost = replace(release, clock=replace(release.clock, spent=release.plan.deadline - timedelta(seconds=5)))
    world.state = world.known.with_release(almost)
    for _ in range(100):
        assert world.tick(ERROR, seconds=10).state.phase is Phase.PROGRESSING


def test_counts_when_only_one_query_is_refused() -> None:
    partly = replace(
        ERROR, metrics=(measured(Classification.ERROR), replace(measured(Classification.UNDECIDED), name="more"))
    )
    world = progressing()
    assert passing(world, partly, ticks=4, seconds=15) == timedelta(minutes=1)


def test_does_not_count_while_frozen() -> None:
    world = progressing()
    world.freeze(frozen=True)
    assert passing(world, UNDECIDED, ticks=100, seconds=30) == timedelta(0)


def test_does_not_run_backwards_with_a_clock_that_is_set_back() -> None:
    world = progressing()
    before = spent(world)
    world.tick(UNDECIDED, seconds=-3600)
    assert spent(world) == before
