"""Pods of the old version that stay for the bake after a swap."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.decision import enroll
from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import Amount, Capacity, Promotion
from analyzer.model.state import CauseKind
from analyzer.model.target import Side
from tests.fakes.verdicts import ERROR, FAIL, PASS, UNDECIDED
from tests.fakes.world import World
from tests.unit.decision.given import baking, events, replicas, run, to_rest

TIGHT = Capacity(max_surge=Amount(0), max_unavailable=Amount(1))


def held(**changes: Any) -> World:
    return baking(promote=Promotion.SWAP, **{"holdback": 2, **changes})


def back_held(world: World) -> int:
    assert world.known.release is not None
    return world.known.release.held_back


def is_over(choice: Decision) -> bool:
    return choice.state.release is not None and choice.state.release.held_back == 0


def test_pods_of_the_old_version_stay_beside_the_new_one_in_full() -> None:
    world = held()
    assert (world.stable.image, world.canary.image) == ("shop:2", "shop:1")
    assert replicas(world) == (10, 2)
    assert back_held(world) == 2
    assert "compared with 2 pods of the old version" in world.tick(PASS, seconds=15).reason


def test_what_does_not_fit_the_new_version_gets_when_the_bake_ends() -> None:
    world = held(capacity=TIGHT)
    assert replicas(world) == (8, 2)
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert replicas(world) == (10, 0)


def test_the_comparison_goes_on_and_fail_rolls_back_to_the_old_version() -> None:
    world = held()
    choice = world.tick(FAIL)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert choice.state.release is not None
    assert choice.state.release.cause is not None
    assert choice.state.release.cause.kind is CauseKind.FAIL
    assert to_rest(world, FAIL).state.phase is Phase.ABORTED
    assert (world.stable.image, replicas(world)) == ("shop:1", (10, 0))


@pytest.mark.parametrize("verdict", [UNDECIDED, ERROR, None])
def test_nothing_but_fail_ends_the_bake_early(verdict: Any) -> None:
    world = held()
    run(world, verdict, until=lambda choice: choice.state.phase is Phase.SUCCEEDED)
    assert replicas(world) == (10, 0)
    assert "promoted" in events(world)


def test_without_holdback_fail_says_nothing_in_a_bake() -> None:
    world = held(holdback=0)
    assert world.tick(FAIL).state.phase is Phase.BAKING


def test_pods_keep_the_side_on_which_their_version_is_compared() -> None:
    world = held()
    world.fall_ill(world.stable, world.stable.kept[0].name, deleted=True)
    world.run_pods()
    state = enroll(world.known, world.snapshot(), world.now)
    assert state.release is not None
    here = {entry.pod: entry.side for entry in state.release.roster if entry.gone_at is None}
    assert {side for pod, side in here.items() if pod.startswith(world.stable.name)} == {Side.CANARY}
    assert {side for pod, side in here.items() if pod.startswith(world.canary.name)} == {Side.STABLE}
    assert len(here) == 12


def test_the_next_version_in_the_old_deployment_ends_the_comparison_and_waits() -> None:
    world = held()
    world.edit(Side.CANARY, "shop:3")
    choice = run(world, UNDECIDED, until=is_over)
    assert "no pod of the old version is left to compare with" in choice.reason
    run(world, UNDECIDED, until=lambda _: world.canary.replicas == 0)
    assert world.known.phase is Phase.BAKING
    assert to_rest(world).state.phase is Phase.SUCCEEDED


def test_taking_the_old_pods_away_ends_the_comparison() -> None:
    world = held()
    world.scale(Side.CANARY, 0, by="ann")
    assert "scaled to 0 by ann" in world.tick(UNDECIDED, seconds=15).reason
    assert back_held(world) == 0


def test_more_old_pods_than_were_held_back_are_taken_out() -> None:
    world = held()
    world.scale(Side.CANARY, 6)
    run(world, UNDECIDED, until=lambda choice: choice.move is not None)
    assert world.canary.replicas < 6


def test_who_scales_stable_in_the_bake_keeps_his_number() -> None:
    world = held()
    world.scale(Side.STABLE, 14)
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert replicas(world) == (14, 0)
