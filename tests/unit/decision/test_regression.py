"""A bake that is compared with the time before the promotion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import OnRegression, Promotion
from analyzer.model.state import CauseKind
from tests.fakes.verdicts import ERROR, FAIL, GUARD_FAIL, PASS, UNDECIDED
from tests.fakes.world import World
from tests.unit.decision.given import baking, events, promoting, run, to_rest


def acting(**changes: Any) -> World:
    return baking(**{"on_regression": OnRegression.ROLLBACK, **changes})


def cause_of(world: World) -> CauseKind | None:
    release = world.known.release
    return release.cause.kind if release is not None and release.cause is not None else None


def test_by_default_a_regression_is_told_once_and_stops_nothing() -> None:
    world = baking()
    for _ in range(3):
        assert world.tick(FAIL, seconds=15).state.phase is Phase.BAKING
    assert events(world).count("regression") == 1
    run(world, FAIL, until=lambda choice: choice.state.phase is Phase.SUCCEEDED)


def test_it_rolls_back_where_the_plan_says_so() -> None:
    world = acting()
    assert world.tick(FAIL).state.phase is Phase.ROLLING_BACK
    assert cause_of(world) is CauseKind.REGRESSION
    assert "aborted" in events(world)
    assert "regression" not in events(world)
    assert to_rest(world, FAIL).state.phase is Phase.ABORTED
    assert world.stable.image == "shop:1"


@pytest.mark.parametrize("verdict", [PASS, UNDECIDED, ERROR, None])
def test_nothing_but_a_metric_that_is_worse_ends_the_bake(verdict: Any) -> None:
    world = acting()
    run(world, verdict, until=lambda choice: choice.state.phase is Phase.SUCCEEDED)


def test_a_guard_is_a_guard() -> None:
    world = acting()
    assert world.tick(GUARD_FAIL).state.phase is Phase.ROLLING_BACK
    assert cause_of(world) is CauseKind.GUARD


def test_with_pods_of_the_old_version_beside_it_fail_is_a_fail() -> None:
    world = acting(promote=Promotion.SWAP, holdback=2)
    assert world.tick(FAIL).state.phase is Phase.ROLLING_BACK
    assert cause_of(world) is CauseKind.FAIL


def test_a_known_good_version_is_not_compared() -> None:
    world = acting()
    assert world.known.release is not None
    world.state = world.known.with_release(replace(world.known.release, known_good=True))
    assert world.tick(FAIL).state.phase is Phase.BAKING


def test_the_time_before_ends_when_the_promotion_begins_and_a_pause_does_not_move_it() -> None:
    world = promoting()
    world.tick(PASS)
    assert world.known.release is not None
    begun = world.known.release.promoting_at
    assert begun is not None
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    assert world.known.release.promoting_at == begun
    assert begun < world.known.since
