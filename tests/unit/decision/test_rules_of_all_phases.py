"""What stops a release whatever it does: hard failures of one side, of both, and trouble that lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from analyzer.model.phase import Phase
from analyzer.model.state import CauseKind, Verb
from analyzer.model.verdict import Verdict
from tests.fakes.verdicts import ERROR, FAIL, HELD, NO_DATA, PASS, SILENT, UNDECIDED
from tests.fakes.world import World
from tests.unit.decision.given import events, progressing, promoting, run, to_rest, written

CRASHES: dict[str, Any] = {"waiting": "CrashLoopBackOff", "restarts": 2}


def _cause(world: World) -> CauseKind | None:
    release = world.known.release
    return release.cause.kind if release and release.cause else None


@pytest.mark.parametrize("verdict", [PASS, ERROR, NO_DATA, None])
@pytest.mark.parametrize("paused", [False, True])
def test_a_crash_loop_rolls_back_at_once_whatever_the_metrics_say(verdict: Verdict | None, *, paused: bool) -> None:
    world = progressing()
    if paused:
        world.ask(Verb.PAUSE)
        world.tick(UNDECIDED)
    world.fall_ill(world.canary, world.canary.pods[0].name, **CRASHES)
    choice = world.tick(verdict)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert _cause(world) is CauseKind.HARD_FAILURE
    assert "is crash-looping" in choice.reason


def test_pods_that_never_get_ready_roll_back_after_ready_within() -> None:
    world = progressing(ready_within=timedelta(minutes=2))
    for pod in list(world.canary.kept):
        world.fall_ill(world.canary, pod.name, ready_at=None)
    assert world.tick(PASS, seconds=30).state.phase is Phase.PROGRESSING
    assert world.tick(PASS, seconds=90).state.phase is Phase.ROLLING_BACK


def test_a_quota_rolls_back_after_ready_within() -> None:
    world = progressing()
    world.canary.refused = "exceeded quota: pods=10"
    for _ in range(10):
        assert world.tick(UNDECIDED, seconds=30).state.phase is Phase.PROGRESSING
    choice = world.tick(UNDECIDED, seconds=30)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert "exceeded quota: pods=10" in choice.reason


def test_a_quota_that_is_lifted_in_time_does_not_count() -> None:
    world = progressing()
    world.canary.refused = "exceeded quota"
    world.tick(UNDECIDED, seconds=200)
    world.canary.refused = None
    world.tick(UNDECIDED, seconds=15)
    world.canary.refused = "exceeded quota"
    world.tick(UNDECIDED, seconds=15)
    assert world.tick(UNDECIDED, seconds=200).state.phase is Phase.PROGRESSING


def test_both_sides_failing_alike_holds_and_is_told_once() -> None:
    world = progressing()
    world.fall_ill(world.canary, world.canary.pods[0].name, **CRASHES)
    world.fall_ill(world.stable, world.stable.pods[0].name, **CRASHES)
    for _ in range(5):
        choice = world.tick(PASS)
        assert choice.state.phase is Phase.PROGRESSING
        assert choice.move is None
        assert "stable and canary fail the same way" in choice.reason
    assert events(world) == ["stuck"]


def test_one_restart_of_stable_is_enough_to_fail_alike_while_it_waits_for_the_next() -> None:
    world = progressing()
    world.fall_ill(world.canary, world.canary.pods[0].name, **CRASHES)
    world.fall_ill(world.stable, world.stable.pods[0].name, **{**CRASHES, "restarts": 1})
    choice = world.tick(PASS)
    assert "stable and canary fail the same way" in choice.reason
    assert choice.state.phase is Phase.PROGRESSING


def test_a_failure_of_its_own_kind_counts_beside_one_that_is_shared() -> None:
    world = progressing()
    world.fall_ill(world.canary, world.canary.pods[0].name, **CRASHES)
    world.fall_ill(world.canary, world.canary.pods[1].name, out_of_memory=2)
    world.fall_ill(world.stable, world.stable.pods[0].name, **CRASHES)
    assert world.tick(PASS).state.phase is Phase.ROLLING_BACK


def test_a_fail_counts_while_both_sides_fail_alike() -> None:
    world = progressing()
    world.fall_ill(world.canary, world.canary.pods[0].name, **CRASHES)
    world.fall_ill(world.stable, world.stable.pods[0].name, **CRASHES)
    world.tick(FAIL)
    assert _cause(world) is CauseKind.FAIL


def test_stable_failing_alone_is_not_the_canary_s_fault() -> None:
    world = progressing()
    world.fall_ill(world.stable, world.stable.pods[0].name, **CRASHES)
    assert world.tick(PASS).state.phase is Phase.PROGRESSING


def test_stable_failing_on_the_new_version_is() -> None:
    world = written()
    run(world, PASS, until=lambda _: len(world.stable.kept) > 0)
    world.fall_ill(world.stable, world.stable.kept[0].name, **CRASHES)
    assert world.tick(PASS).state.phase is Phase.ROLLING_BACK
    to_rest(world)
    assert world.stable.image == "shop:1"


def test_a_crash_loop_while_promoting_rolls_back() -> None:
    world = promoting()
    world.fall_ill(world.canary, world.canary.kept[0].name, **CRASHES)
    assert world.tick(PASS).state.phase is Phase.ROLLING_BACK


def test_prometheus_out_of_reach_is_told_when_it_lasts_and_once_per_outage() -> None:
    world = progressing()
    for _ in range(19):
        world.tick(ERROR, seconds=15)
    assert events(world) == []
    for _ in range(10):
        world.tick(ERROR, seconds=15)
    assert events(world) == ["stuck"]
    world.tick(UNDECIDED, seconds=15)
    for _ in range(25):
        world.tick(ERROR, seconds=15)
    assert events(world) == ["stuck", "stuck"]
    assert len({entry.alert.id for entry in world.known.outbox}) == 2
    assert world.known.phase is Phase.PROGRESSING


def test_silent_pods_are_told_once_and_hold() -> None:
    world = progressing()
    for _ in range(20):
        assert world.tick(SILENT, seconds=15).state.phase is Phase.PROGRESSING
    assert events(world) == ["stuck"]
    assert "shop-canary-7" in world.known.outbox[0].alert.summary


def test_a_guard_on_both_sides_is_told_once_per_step_and_holds() -> None:
    world = progressing()
    for _ in range(20):
        assert world.tick(HELD, seconds=15).state.phase is Phase.PROGRESSING
    assert events(world) == ["guard"]
