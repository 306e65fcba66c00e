"""ROLLING_BACK: the canary leaves as fast as capacity allows, the old template comes back, the end is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, OnDrift
from analyzer.model.state import Result, Verb
from analyzer.model.target import Side
from tests.fakes.verdicts import ERROR, FAIL, PASS
from tests.unit.decision.given import TICK, baking, events, progressing, replicas, rolling_back, run, to_rest


def test_stable_comes_up_before_available_canary_pods_go() -> None:
    world = rolling_back()
    assert replicas(world) == (10, 3)
    assert world.tick().move is None
    world.run_pods()
    assert str(world.tick().move) == "scale shop-canary (canary) from 3 to 0"


def test_pods_that_do_not_serve_go_at_once() -> None:
    world = progressing()
    for pod in world.canary.kept:
        world.fall_ill(world.canary, pod.name, waiting="CrashLoopBackOff", restarts=2)
    world.tick(PASS)
    world.tick(None)
    assert replicas(world) == (10, 0)
    assert world.stable.seen().available == 7


def test_surge_drains_in_batches_that_wait_for_stable_unless_the_pods_fail_themselves() -> None:
    world = progressing(capacity_mode=CapacityMode.SURGE)
    world.fall_ill(world.stable, world.stable.pods[0].name)
    assert world.tick(FAIL).move is None
    world.fall_ill(world.canary, world.canary.pods[0].name)
    assert str(world.tick().move) == "scale shop-canary (canary) from 4 to 3"
    world.run_pods()
    assert str(world.tick().move) == "scale shop-canary (canary) from 3 to 0"


def test_needs_no_prometheus() -> None:
    world = rolling_back()
    assert to_rest(world, ERROR).state.phase is Phase.ABORTED


def test_the_abort_is_told_at_once_and_again_at_its_end_under_one_key() -> None:
    world = progressing()
    world.tick(FAIL)
    (first,) = world.known.outbox
    to_rest(world)
    first, last = world.known.outbox
    assert first.alert.key == last.alert.key
    assert first.alert.id != last.alert.id
    assert (first.alert.details["status"], last.alert.details["status"]) == ("rolling back", "aborted")
    assert first.alert.details["culprit"] == "errors"
    assert first.alert.details["metrics"][0]["canary"] == {"events": 4, "total": 100}
    assert list(first.alert.details["metrics"][0]) == [
        "name", "classification", "reason", "canary", "stable", "levels", "ratio", "interval"
    ]  # fmt: skip
    assert "the judge says FAIL" in last.alert.summary


def test_time_to_safe_is_when_no_pod_of_the_version_serves() -> None:
    world = progressing()
    world.tick(FAIL)
    run(world, None, until=lambda _: replicas(world) == (10, 0), seconds=10)
    taken_out = world.now
    world.tick(None, seconds=10)
    release = world.known.release
    assert release is not None
    assert release.safe_at == taken_out + timedelta(seconds=10)


def test_time_to_safe_from_a_bake_waits_for_the_old_template_to_roll_out() -> None:
    world = baking()
    world.ask(Verb.ABORT)
    world.tick(None)
    for _ in range(5):
        world.tick(None, seconds=10)
        assert world.known.release is not None
        assert world.known.release.safe_at is None
    release = to_rest(world, None).state.release
    assert release is not None
    assert release.safe_at is not None


def test_drift_during_it_is_reasserted() -> None:
    for policy in OnDrift:
        world = rolling_back(on_drift=policy)
        world.scale(Side.STABLE, 2)
        world.scale(Side.CANARY, 8)
        assert to_rest(world).state.phase is Phase.ABORTED
        assert replicas(world) == (10, 0)


def test_one_that_takes_long_is_told_once() -> None:
    world = rolling_back()
    for _ in range(5):
        world.tick(seconds=599)
    assert events(world) == ["aborted", "stuck"]


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.RESUME, Verb.PROMOTE, Verb.ABORT])
def test_is_never_stopped(verb: Verb) -> None:
    world = rolling_back()
    world.ask(verb)
    world.run_pods()
    choice = world.tick(seconds=TICK)
    assert choice.move is not None
    assert choice.state.phase is Phase.ROLLING_BACK
    assert "is already rolling back" in world.known.executed[-1].answer


def test_a_superseded_release_is_no_abort() -> None:
    world = progressing()
    world.edit(Side.CANARY, "shop:3")
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.PENDING)
    assert world.known.release is not None
    assert world.known.release.result is Result.SUPERSEDED
    assert events(world) == ["superseded"]
