"""A template that only reads differently is the same version, whatever is being done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, Promotion
from analyzer.model.state import Verb
from analyzer.model.target import Side
from tests.fakes.verdicts import FAIL, PASS
from tests.fakes.world import World
from tests.unit.decision.given import (
    baking,
    events,
    idle_world,
    pending,
    progressing,
    promoting,
    replicas,
    rolling_back,
    run,
    to_rest,
    written,
)

WAYS: list[dict[str, Any]] = [
    {"promote": Promotion.COPY_TEMPLATE},
    {"promote": Promotion.SWAP},
    {"promote": Promotion.COPY_TEMPLATE, "capacity_mode": CapacityMode.SURGE},
]


def anchored(world: World) -> World:
    """The cluster tells the ReplicaSets, and both were seen."""
    world.tell_replica_sets()
    world.tick(PASS)
    return world


def aborted() -> World:
    world = anchored(rolling_back())
    to_rest(world)
    assert world.known.phase is Phase.ABORTED
    return world


def test_an_aborted_version_stays_aborted_when_it_reads_differently() -> None:
    world = aborted()
    before = world.known.handled
    world.upgrade()
    choice = world.tick()
    assert (choice.state.phase, choice.move) == (Phase.ABORTED, None)
    assert any("re-hashed" in note for note in choice.notes)
    assert world.known.handled != before
    assert world.tick().notes == ()


def test_a_stable_version_that_reads_differently_is_known_as_the_same() -> None:
    world = anchored(idle_world())
    world.upgrade()
    choice = world.tick()
    assert world.known.stable_hash == world.stable.template.hash
    assert world.known.previous is None
    assert not any("changed by" in note for note in choice.notes)


def test_after_it_was_read_anew_another_version_is_still_a_new_one() -> None:
    world = aborted()
    world.upgrade()
    world.tick()
    world.edit(Side.CANARY, "shop:3")
    world.tick()
    assert world.known.releases == 2


def test_a_restart_in_between_changes_nothing() -> None:
    world = aborted()
    world.canary.restart()
    world.tick()
    world.upgrade()
    assert world.tick().state.phase is Phase.ABORTED


def test_a_new_version_that_comes_with_the_upgrade_is_a_new_one() -> None:
    world = aborted()
    world.upgrade()
    world.edit(Side.CANARY, "shop:3")
    world.tick()
    assert world.known.releases == 2


def test_a_template_without_a_replica_set_yet_is_no_version_until_it_has_one() -> None:
    world = aborted()
    world.edit(Side.CANARY, "shop:3")
    world.canary.anchored = False
    choice = world.tick()
    assert choice.state.phase is Phase.ABORTED
    assert "waiting for the Deployment controller to create the ReplicaSet of shop-canary" in choice.reason
    world.canary.anchored = True
    world.tick()
    assert world.known.releases == 2


def test_a_paused_deployment_gets_no_replica_set_and_its_version_is_noticed_all_the_same() -> None:
    world = aborted()
    world.edit(Side.CANARY, "shop:3")
    world.canary.anchored, world.canary.paused = False, True
    assert world.tick().state.phase is Phase.PENDING


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", [pending, progressing, promoting, baking])
def test_a_release_goes_on_to_its_end(way: dict[str, Any], stage: Callable[..., World]) -> None:
    world = anchored(stage(**way))
    world.upgrade()
    to_rest(world)
    assert world.known.phase is Phase.SUCCEEDED
    assert events(world) == ["promoted"]
    assert world.stable.image == "shop:2"
    assert world.known.releases == 1


def test_a_release_whose_template_was_just_written_goes_on_to_its_end() -> None:
    world = anchored(written())
    world.upgrade()
    to_rest(world)
    assert (world.known.phase, events(world)) == (Phase.SUCCEEDED, ["promoted"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", [progressing, promoting, baking])
def test_a_rollback_after_it_ends_with_the_old_version(way: dict[str, Any], stage: Callable[..., World]) -> None:
    world = anchored(stage(**way))
    world.upgrade()
    world.tick(PASS)
    world.ask(Verb.ABORT)
    run(world, FAIL, until=lambda choice: choice.state.phase is Phase.ABORTED and choice.move is None)
    assert world.stable.image == "shop:1"
    assert replicas(world) == (10, 0)
    for _ in range(3):
        assert world.tick().state.phase is Phase.ABORTED
