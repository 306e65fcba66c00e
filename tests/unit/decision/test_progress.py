"""PROGRESSING: reach the weight, settle, prove, go on; and what keeps it from that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.model.decision import Action
from analyzer.model.phase import Phase
from analyzer.model.plan import Advance, CapacityMode, Gate, GateTimeout, Mode, OnInconclusive, Step
from analyzer.model.state import CauseKind, PauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from tests.fakes import verdicts
from tests.fakes.verdicts import ADVERSE, ERROR, FAIL, GUARD_FAIL, NO_DATA, PASS, PROVEN_STEP, UNDECIDED
from tests.unit.decision.given import (
    STEPS,
    TICK,
    a_target,
    baking,
    events,
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
    assert "to step 2 (50 %)" in choice.reason


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (None, "not judged"),
        (UNDECIDED, "INCONCLUSIVE"),
        (NO_DATA, "measured"),
        (ERROR, "ERROR"),
        (verdicts.UNCOVERED, "until every canary pod has been measured"),
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


def test_known_good_moves_by_the_same_steps_without_dwell_proof_gate_or_guard() -> None:
    world = baking()
    to_rest(world)
    steps = (Step(30, timedelta(hours=1), Gate()), Step(50, timedelta(hours=1)))
    world.target = a_target(steps=steps)
    world.edit(Side.CANARY, "shop:1")
    seen, reasons = set(), []
    for _ in range(40):
        world.run_pods()
        choice = world.tick(verdicts.HELD, seconds=TICK)
        assert choice.state.phase is not Phase.PAUSED
        seen.add(replicas(world))
        reasons.append(choice.reason)
    assert {(7, 3), (5, 5), (0, 10), (10, 0)} <= seen
    assert any(reason.startswith("proven: known-good") for reason in reasons)


def test_a_gate_waits_for_resume() -> None:
    world = progressing(steps=(Step(30, timedelta(0), Gate()), Step(50, timedelta(0))))
    choice = world.tick(PROVEN_STEP)
    assert choice.state.phase is Phase.PAUSED
    assert events(world) == ["gate"]
    for _ in range(100):
        assert world.tick(PROVEN_STEP, seconds=60).state.phase is Phase.PAUSED
    world.ask(Verb.RESUME)
    choice = world.tick(PROVEN_STEP)
    assert choice.state.phase is Phase.PROGRESSING
    assert choice.state.release is not None
    assert choice.state.release.step == 1


def test_a_gate_reminds_once_after_four_hours() -> None:
    world = progressing(steps=(Step(30, timedelta(0), Gate()), Step(50, timedelta(0))))
    world.tick(PROVEN_STEP)
    world.tick(PROVEN_STEP, seconds=4 * 3600 - 1)
    assert events(world) == ["gate"]
    for _ in range(5):
        world.tick(PROVEN_STEP, seconds=3600)
    assert events(world) == ["gate", "gate"]


@pytest.mark.parametrize(
    ("then", "phase", "told"),
    [
        (GateTimeout.HOLD, Phase.PAUSED, ["gate", "gate"]),
        (GateTimeout.ROLLBACK, Phase.ROLLING_BACK, ["gate", "aborted"]),
    ],
)
def test_a_gate_times_out_as_the_plan_says(then: GateTimeout, phase: Phase, told: list[str]) -> None:
    world = progressing(steps=(Step(30, timedelta(0), Gate(timedelta(hours=1), then)), Step(50, timedelta(0))))
    world.tick(PROVEN_STEP)
    assert world.tick(PROVEN_STEP, seconds=3599).state.phase is Phase.PAUSED
    assert world.tick(PROVEN_STEP, seconds=1).state.phase is phase
    assert events(world) == told


def test_a_gate_times_out_though_somebody_scales_meanwhile() -> None:
    gate = Gate(timedelta(hours=1), GateTimeout.ROLLBACK)
    world = progressing(steps=(Step(30, timedelta(0), gate), Step(50, timedelta(0))))
    world.tick(PROVEN_STEP)
    world.scale(Side.STABLE, 6)
    world.tick(PROVEN_STEP)
    assert world.tick(PROVEN_STEP, seconds=3600).state.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize("verdict", [FAIL, GUARD_FAIL])
def test_a_pause_stops_only_forward_moves(verdict: Verdict) -> None:
    world = progressing()
    world.ask(Verb.PAUSE)
    for _ in range(20):
        world.run_pods()
        choice = world.tick(PASS, seconds=TICK)
        assert choice.move is None
        assert choice.state.phase is Phase.PAUSED
    assert world.tick(verdict).state.phase is Phase.ROLLING_BACK


def test_frozen_moves_nothing_forward_but_still_rolls_back() -> None:
    world = progressing()
    world.freeze(frozen=True)
    for _ in range(200):
        choice = world.tick(PROVEN_STEP, seconds=TICK)
        assert (choice.action, choice.move, choice.state.phase) == (Action.HOLD, None, Phase.PROGRESSING)
    assert world.tick(FAIL).state.phase is Phase.ROLLING_BACK


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


@pytest.mark.parametrize(
    ("policy", "verdict", "phase"),
    [
        (OnInconclusive.HOLD, UNDECIDED, Phase.PAUSED),
        (OnInconclusive.ROLLBACK, UNDECIDED, Phase.ROLLING_BACK),
        (OnInconclusive.ROLLBACK, NO_DATA, Phase.ROLLING_BACK),
        (OnInconclusive.PROMOTE, UNDECIDED, Phase.PROMOTING),
        (OnInconclusive.PROMOTE, NO_DATA, Phase.PAUSED),
        (OnInconclusive.PROMOTE, ADVERSE, Phase.PAUSED),
        (OnInconclusive.PROMOTE, verdicts.HELD, Phase.PAUSED),
    ],
)
def test_the_deadline_does_as_the_plan_says(policy: OnInconclusive, verdict: Verdict, phase: Phase) -> None:
    world = progressing(on_inconclusive=policy, steps=ONE_STEP)
    choice = run(world, verdict, until=lambda choice: choice.transitions, ticks=200)
    assert choice.state.phase is phase
    if phase is Phase.PAUSED:
        assert choice.state.release is not None
        assert choice.state.release.pause is not None
        assert choice.state.release.pause.kind is PauseKind.INCONCLUSIVE
        assert events(world)[-1] == "paused"


def test_promoting_at_the_deadline_needs_every_gating_metric_to_be_there() -> None:
    world = progressing(on_inconclusive=OnInconclusive.PROMOTE, steps=ONE_STEP)
    silent = verdicts.verdict(UNDECIDED.outcome, UNDECIDED.metrics[0].classification, metrics=(), covered=True)
    choice = run(world, silent, until=lambda choice: choice.transitions, ticks=200)
    assert choice.state.phase is Phase.PAUSED


@pytest.mark.parametrize(("verdict", "phase"), [(UNDECIDED, Phase.PAUSED), (PASS, Phase.PROMOTING)])
def test_proof_in_time_is_judged_before_the_deadline(verdict: Verdict, phase: Phase) -> None:
    world = progressing(steps=(Step(50, timedelta(0)),), deadline=timedelta(minutes=2))
    assert world.tick(UNDECIDED, seconds=30).state.phase is Phase.PROGRESSING
    assert world.tick(verdict, seconds=60).state.phase is phase


def test_observing_never_promotes_at_the_deadline() -> None:
    world = pending(mode=Mode.OBSERVE, on_inconclusive=OnInconclusive.PROMOTE)
    world.scale(Side.CANARY, 3)
    choice = run(world, UNDECIDED, until=lambda choice: choice.state.phase is Phase.PAUSED, ticks=200)
    assert choice.move is None
