"""BAKING: the new version serves alone, and guards and hard failures watch it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.model.decision import Action
from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, Promotion
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from analyzer.model.workload import WriteTemplate
from tests.fakes.verdicts import ADVERSE, ERROR, FAIL, GUARD_FAIL, HELD, NO_DATA, PASS, SILENT
from tests.unit.decision.given import (
    baking,
    events,
    promoting,
    replicas,
    run,
    to_rest,
)

SWAP = {"promote": Promotion.SWAP}
EXTERNAL = {"promote": Promotion.EXTERNAL}
SURGE = {"capacity_mode": CapacityMode.SURGE}


def test_rolling_back_from_the_bake_of_a_swap_gives_the_roles_back() -> None:
    world = baking(**SWAP)
    assert world.tick(GUARD_FAIL).state.roles.stable == "shop-stable"
    to_rest(world)
    assert replicas(world) == (10, 0)
    assert world.stable.image == "shop:1"
    assert world.known.phase is Phase.ABORTED
    assert world.tick().state.phase is Phase.ABORTED


def test_external_that_fails_in_the_bake_is_told_as_the_owner_s_to_put_back() -> None:
    world = promoting(**EXTERNAL)
    world.edit(Side.STABLE, "shop:2", by="argocd")
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    world.tick(GUARD_FAIL)
    to_rest(world)
    alert = world.known.outbox[-1].alert
    assert "its owner has to restore" in alert.summary
    assert alert.details["secondsToSafe"] is None
    assert world.stable.image == "shop:2"


def test_a_bake_lasts_as_long_as_the_plan_says() -> None:
    world = baking()
    begun = world.now
    to_rest(world, None)
    assert world.now - begun == timedelta(minutes=5)
    assert events(world) == ["promoted"]
    assert world.known.stable_hash == world.stable.template.hash


def test_a_bake_ends_only_with_a_complete_stable() -> None:
    world = baking()
    world.fall_ill(world.stable, world.stable.pods[0].name)
    assert world.tick(None, seconds=3600).state.phase is Phase.BAKING
    world.run_pods()
    assert world.tick(None).state.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("verdict", [FAIL, ERROR, NO_DATA, ADVERSE, HELD, SILENT])
def test_in_a_bake_no_test_speaks(verdict: Verdict) -> None:
    world = baking()
    assert world.tick(verdict).state.phase is Phase.BAKING


def test_in_a_bake_guards_and_hard_failures_roll_back_and_the_old_template_comes_back() -> None:
    for bad in ("guard", "crash"):
        world = baking()
        if bad == "crash":
            world.fall_ill(world.stable, world.stable.pods[0].name, waiting="CrashLoopBackOff", restarts=2)
        choice = world.tick(GUARD_FAIL if bad == "guard" else None)
        assert choice.action is Action.ROLLBACK
        assert isinstance(choice.move, WriteTemplate)
        to_rest(world)
        assert world.stable.image == "shop:1"
        assert replicas(world) == (10, 0)
        assert world.known.phase is Phase.ABORTED


def test_the_canary_is_held_at_0_in_a_bake() -> None:
    world = baking()
    world.scale(Side.CANARY, 3, by="ada")
    choice = world.tick(None)
    assert str(choice.move) == "scale shop-canary (canary) from 3 to 0"
    assert "by ada" in choice.notes[0]


def test_the_canary_stays_in_a_bake_where_stable_could_not_do_without_it() -> None:
    world = baking()
    world.scale(Side.CANARY, 3)
    world.run_pods()
    for pod in world.stable.kept[:4]:
        world.fall_ill(world.stable, pod.name)
    assert world.tick(None).move is None


def test_stable_edited_in_a_bake_is_told_once_and_stops_nothing() -> None:
    world = baking()
    world.edit(Side.STABLE, "shop:9", by="ada")
    for _ in range(5):
        world.run_pods()
        world.tick(None, seconds=60)
    assert events(world).count("drift") == 1
    to_rest(world, None)
    assert world.known.phase is Phase.SUCCEEDED
    world.tick()
    assert world.known.stable_hash == world.stable.template.hash
