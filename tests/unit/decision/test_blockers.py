"""What the Deployments themselves put in the way of a move forward: paused, being restarted, mixed images."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, Mode
from analyzer.model.state import Verb
from analyzer.model.target import Side
from tests.fakes.verdicts import FAIL, PASS, PROVEN_STEP
from tests.fakes.world import World
from tests.unit.decision.given import events, pending, progressing, promoting, replicas, run, to_rest, written

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def mix_images(world: World, side: Side) -> None:
    first, *others = world.side(side).kept
    world.side(side).change(first.name, images={"app": OLD})
    for pod in others:
        world.side(side).change(pod.name, images={"app": NEW})


@pytest.mark.parametrize("side", Side)
def test_a_paused_deployment_keeps_a_release_from_beginning(side: Side) -> None:
    world = pending()
    world.side(side).paused = True
    choice = world.tick(None)
    assert choice.state.phase is Phase.PENDING
    assert f"kubectl rollout resume deployment/shop-{side}" in choice.reason
    world.side(side).paused = False
    assert world.tick(None).state.phase is Phase.PROGRESSING


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("way", [progressing, promoting, written])
def test_a_paused_deployment_stops_moves_forward_until_it_is_resumed(way: object, side: Side) -> None:
    world = way()  # type: ignore[operator]
    phase, before = world.known.phase, replicas(world)
    world.side(side).paused = True
    for _ in range(10):
        world.run_pods()
        choice = world.tick(PASS, seconds=60)
        assert choice.move is None
        assert "paused (spec.paused)" in choice.reason
    assert (world.known.phase, replicas(world)) == (phase, before)
    world.side(side).paused = False
    assert to_rest(world).state.phase is Phase.SUCCEEDED


def test_a_paused_deployment_stops_no_rollback() -> None:
    world = progressing()
    world.canary.paused = world.stable.paused = True
    world.tick(FAIL)
    assert to_rest(world, FAIL).state.phase is Phase.ABORTED
    assert replicas(world) == (10, 0)


def test_a_rollback_that_waits_for_a_paused_stable_says_so() -> None:
    world = progressing()
    world.stable.paused = True
    world.fall_ill(world.stable, world.stable.kept[0].name)
    run_down = [world.tick(FAIL, seconds=15) for _ in range(4)]
    assert "shop-stable is paused (spec.paused)" in run_down[-1].reason


def test_the_deadline_goes_on_where_something_stands_in_the_way() -> None:
    world = progressing(deadline=timedelta(minutes=5))
    world.stable.paused = True
    choice = run(world, PROVEN_STEP, until=lambda choice: choice.state.phase is Phase.PAUSED, seconds=30)
    assert "paused (spec.paused)" in choice.reason


@pytest.mark.parametrize("side", Side)
def test_nothing_moves_forward_while_a_side_is_restarted(side: Side) -> None:
    world = progressing()
    deployment = world.side(side)
    deployment.restart()
    deployment.reconcile(world.now)
    for _ in range(5):
        choice = world.tick(PASS, seconds=30)
        assert choice.state.phase is Phase.PROGRESSING
        assert choice.move is None
        assert f"waiting for the rollout of {deployment.name} to finish" in choice.reason
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert "drift" not in events(world)


@pytest.mark.parametrize("side", Side)
def test_different_images_in_a_side_hold_and_alert_once(side: Side) -> None:
    world = progressing()
    mix_images(world, side)
    for _ in range(4):
        choice = world.tick(PASS, seconds=60)
        assert choice.move is None
        assert choice.state.phase is Phase.PROGRESSING
        assert f"pods of shop-{side} run different images in container app" in choice.reason
        assert "sha256:aaaaaaaaaaaa in 1" in choice.reason
    assert events(world) == ["stuck"]


def test_a_restart_mends_different_images() -> None:
    world = progressing()
    mix_images(world, Side.CANARY)
    world.tick(PASS, seconds=60)
    world.canary.restart()
    assert to_rest(world).state.phase is Phase.SUCCEEDED


def test_an_operator_may_promote_in_spite_of_different_images() -> None:
    world = progressing()
    mix_images(world, Side.STABLE)
    world.tick(PASS, seconds=60)
    world.ask(Verb.PROMOTE)
    assert to_rest(world).state.phase is Phase.SUCCEEDED


def test_different_images_of_stable_keep_a_release_from_beginning() -> None:
    world = pending()
    mix_images(world, Side.STABLE)
    choice = world.tick(None)
    assert choice.state.phase is Phase.PENDING
    assert "kubectl rollout restart deployment/shop-stable" in choice.reason


def test_images_of_both_versions_may_differ_during_a_roll() -> None:
    world = written(capacity_mode=CapacityMode.SURGE)
    first = world.stable.kept[0]
    for pod in world.stable.kept:
        world.stable.change(pod.name, images={"app": OLD if pod == first else NEW})
    assert to_rest(world).state.phase is Phase.SUCCEEDED


def test_only_observing_nothing_is_said_about_pausing() -> None:
    world = pending(mode=Mode.OBSERVE)
    world.tick(None)
    world.canary.paused = True
    assert "spec.paused" not in world.tick(None, seconds=15).reason
