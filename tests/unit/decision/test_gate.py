"""What stops a step though its proof is there or never comes: gates, a pause, a freeze, the deadline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.model.decision import Action
from analyzer.model.metric import Analysis, RatioMetric
from analyzer.model.phase import Phase
from analyzer.model.plan import Gate, GateTimeout, Mode, OnInconclusive, Step
from analyzer.model.state import PauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from tests.fakes import verdicts
from tests.fakes.verdicts import ADVERSE, ANALYSIS, FAIL, GUARD_FAIL, LEVELS, NO_DATA, PASS, PROVEN_STEP, UNDECIDED
from tests.unit.decision.given import (
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
    assert any(reason.startswith("known-good version; promoting: ") for reason in reasons)


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


@pytest.mark.parametrize(
    ("policy", "verdict", "phase"),
    [
        (OnInconclusive.HOLD, UNDECIDED, Phase.PAUSED),
        (OnInconclusive.ROLLBACK, UNDECIDED, Phase.ROLLING_BACK),
        (OnInconclusive.ROLLBACK, NO_DATA, Phase.ROLLING_BACK),
        (OnInconclusive.PROMOTE, UNDECIDED, Phase.PROMOTING),
        (OnInconclusive.PROMOTE, NO_DATA, Phase.PAUSED),
        (OnInconclusive.PROMOTE, LEVELS, Phase.PROMOTING),
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
    two = Analysis((*ANALYSIS.metrics, RatioMetric("more", "more_bad", "more")))
    world = progressing(on_inconclusive=OnInconclusive.PROMOTE, steps=ONE_STEP, analysis=two)
    choice = run(world, UNDECIDED, until=lambda choice: choice.transitions, ticks=200)
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
