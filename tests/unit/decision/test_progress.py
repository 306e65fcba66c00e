"""PROGRESSING: reach the weight, settle, prove, go on; and what keeps it from that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.model.decision import Action
from analyzer.model.phase import Phase
from analyzer.model.plan import Advance, CapacityMode, Step
from analyzer.model.state import CauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from tests.fakes import verdicts
from tests.fakes.verdicts import ADVERSE, ERROR, FAIL, GUARD_FAIL, NO_DATA, PASS, PROVEN_STEP, UNDECIDED
from tests.unit.decision.given import (
    STEPS,
    TICK,
    baking,
    pending,
    progressing,
    replicas,
    run,
    to_rest,
)

ONE_STEP = (Step(50, timedelta(minutes=1)),)


def test_a_good_release_goes_through_its_weights_to_the_end() -> None:
    world = pending()
    weights = []
    for _ in range(80):
        world.run_pods()
        choice = world.tick(
            PROVEN_STEP if world.known.release and world.known.release.step == 0 else PASS, seconds=TICK
        )
        weights.append((choice.state.phase.value, *replicas(world)))
        if choice.state.phase is Phase.SUCCEEDED:
            break
    seen = list(dict.fromkeys(weights))
    assert [entry for entry in seen if entry[0] == "PROGRESSING"] == [
        ("PROGRESSING", 10, 3),
        ("PROGRESSING", 7, 3),
        ("PROGRESSING", 7, 5),
        ("PROGRESSING", 5, 5),
    ]
    assert seen[-1] == ("SUCCEEDED", 10, 0)
    assert world.stable.image == "shop:2"


def test_waits_for_the_canary_before_it_takes_from_stable() -> None:
    world = pending()
    world.tick(None)
    assert replicas(world) == (10, 3)
    choice = world.tick(PASS)
    assert choice.move is None
    assert "0 of 3" in choice.reason


def test_makes_no_forward_move_while_a_canary_pod_is_not_available() -> None:
    world = progressing()
    world.fall_ill(world.canary, world.canary.pods[0].name)
    for _ in range(10):
        choice = world.tick(PROVEN_STEP, seconds=TICK)
        assert choice.move is None
        assert "2 of 3" in choice.reason
        assert choice.state.release is not None
        assert choice.state.release.step == 0


def test_backward_moves_do_not_wait_for_the_canary() -> None:
    world = progressing()
    world.scale(Side.CANARY, 6)
    world.tick(PASS)
    world.ask(Verb.RESUME)
    assert str(world.tick(PASS).move) == "scale shop-canary (canary) from 6 to 3"


def test_holds_the_step_for_as_long_as_the_plan_says() -> None:
    world = progressing()
    settled = world.now
    choice = run(world, PROVEN_STEP, until=lambda choice: choice.action is Action.ADVANCE)
    assert world.now - settled == STEPS[0].hold
    assert "advancing to step 2 of 2 (50 %)" in choice.reason


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (None, "not judged"),
        (UNDECIDED, "INCONCLUSIVE"),
        (NO_DATA, "waiting for measurements of every canary pod"),
        (ERROR, "ERROR"),
        (verdicts.UNCOVERED, "waiting for measurements of every canary pod"),
        (verdicts.SILENT, "shop-canary-7"),
        (verdicts.HELD, "queue"),
    ],
)
def test_holds_without_evidence(verdict: Verdict | None, why: str) -> None:
    for world in (progressing(), progressing(steps=ONE_STEP)):
        choice = world.tick(verdict, seconds=TICK)
        for _ in range(10):
            choice = world.tick(verdict, seconds=TICK)
        assert (choice.action, choice.state.phase) == (Action.HOLD, Phase.PROGRESSING)
        assert choice.move is None
        assert why in choice.reason


def test_adverse_evidence_holds_an_intermediate_step() -> None:
    world = progressing(advance=Advance.TIME)
    for _ in range(10):
        assert world.tick(ADVERSE, seconds=TICK).action is Action.HOLD


def test_advance_by_time_needs_no_proof_but_the_last_step_does() -> None:
    world = progressing(advance=Advance.TIME)
    run(world, UNDECIDED, until=lambda choice: choice.action is Action.ADVANCE)
    for _ in range(20):
        world.run_pods()
        assert world.tick(UNDECIDED, seconds=TICK).state.phase is Phase.PROGRESSING


@pytest.mark.parametrize(("verdict", "kind"), [(FAIL, CauseKind.FAIL), (GUARD_FAIL, CauseKind.GUARD)])
def test_a_fail_rolls_back_in_the_same_tick(verdict: Verdict, kind: CauseKind) -> None:
    world = progressing()
    choice = world.tick(verdict)
    assert (choice.action, choice.state.phase) == (Action.ROLLBACK, Phase.ROLLING_BACK)
    assert choice.state.release is not None
    assert choice.state.release.cause is not None
    assert choice.state.release.cause.kind is kind
    assert choice.move is not None
    assert to_rest(world).state.phase is Phase.ABORTED
    assert replicas(world) == (10, 0)


@pytest.mark.parametrize("verdict", [ERROR, NO_DATA, UNDECIDED, None])
def test_nothing_but_time_passes_without_data(verdict: Verdict | None) -> None:
    world = progressing(deadline=timedelta(days=100))
    for _ in range(50):
        choice = world.tick(verdict, seconds=50)
        assert choice.state.phase is Phase.PROGRESSING
        assert choice.move is None


def test_a_fail_does_not_stop_a_known_good_version_but_a_crash_loop_does() -> None:
    for crashing, phase in ((False, Phase.PROGRESSING), (True, Phase.ROLLING_BACK)):
        world = baking()
        to_rest(world)
        world.edit(Side.CANARY, "shop:1")
        world.tick(None)
        world.run_pods()
        if crashing:
            world.fall_ill(world.canary, world.canary.kept[0].name, waiting="CrashLoopBackOff", restarts=2)
        assert world.tick(FAIL).state.phase is phase


def test_a_new_template_supersedes_and_starts_from_the_first_step() -> None:
    for paused in (False, True):
        world = progressing()
        if paused:
            world.ask(Verb.PAUSE)
            world.tick(PASS)
        old = world.known.release
        assert old is not None
        world.edit(Side.CANARY, "shop:3")
        choice = world.tick(PASS)
        assert choice.state.phase is Phase.ROLLING_BACK
        run(world, PASS, until=lambda choice: choice.state.phase is Phase.PROGRESSING)
        release = world.known.release
        assert release is not None
        assert release.id != old.id
        assert release.step == 0
        assert [entry.alert.event.value for entry in world.known.outbox] == ["superseded"]


def test_a_canary_made_again_unseen_supersedes_too() -> None:
    world = progressing()
    world.recreate("shop-canary", "canary", 3, "shop:2")
    choice = world.tick(PASS, seconds=1)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert choice.state.release is not None
    assert choice.state.release.cause is not None
    assert choice.state.release.cause.kind is CauseKind.SUPERSEDED


def test_surge_never_writes_stable_and_follows_its_autoscaler() -> None:
    world = progressing(capacity_mode=CapacityMode.SURGE)
    assert replicas(world) == (10, 4)  # 10 * 30 / 70
    world.scale(Side.STABLE, 21, by="horizontal-pod-autoscaler")
    assert str(world.tick(PROVEN_STEP).move) == "scale shop-canary (canary) from 4 to 9"
    world.scale(Side.STABLE, 7, by="horizontal-pod-autoscaler")
    world.run_pods()
    assert str(world.tick(PROVEN_STEP).move) == "scale shop-canary (canary) from 9 to 3"
    assert world.known.phase is Phase.PROGRESSING
