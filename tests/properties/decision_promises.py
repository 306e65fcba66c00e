"""What must hold for each decision, whatever led to it. The state machine checks these after every tick."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analyzer.decision.invariants import keep_invariants, violation
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import TRANSITIONS, Phase
from analyzer.model.plan import CapacityMode, GateTimeout, Mode, OnDrift, OnInconclusive, OnRegression, Promotion
from analyzer.model.state import CauseKind, Release, TargetState, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Classification, Outcome, Verdict
from analyzer.model.workload import Scale, Snapshot, Workload, WriteTemplate


@dataclass(frozen=True, slots=True)
class Moment:
    """One decision with what it was made from, and what the world looked like before its write."""

    before: TargetState | None
    snapshot: Snapshot
    verdict: Verdict | None
    choice: Decision
    asked: frozenset[Verb]
    now: datetime

    @property
    def release(self) -> Release:
        """The release that the decision is about."""
        assert self.choice.state.release is not None
        return self.choice.state.release

    @property
    def stable(self) -> Workload:
        """The serving side before the write."""
        assert self.snapshot.stable is not None
        return self.snapshot.stable

    @property
    def canary(self) -> Workload:
        """The new side before the write."""
        assert self.snapshot.canary is not None
        return self.snapshot.canary

    def entered(self, phase: Phase) -> bool:
        """Did this decision go into that phase?"""
        return any(change.after is phase for change in self.choice.transitions)


def check(moment: Moment) -> None:
    """Every promise about a single decision."""
    _transitions_are_in_the_table(moment)
    _writes_are_absolute(moment)
    _templates_are_written_only_as_promised(moment)
    _promotes_only_with_a_reason(moment)
    _rolls_back_only_with_a_reason(moment)
    _pause_makes_no_forward_move(moment)
    _frozen_makes_no_forward_move(moment)
    _forward_moves_wait_for_the_canary(moment)
    _unmanaged_replicas_are_left_alone(moment)
    _obstructed_makes_no_forward_move(moment)
    _moves_keep_the_invariants(moment)
    assert moment.choice.reason


def _transitions_are_in_the_table(moment: Moment) -> None:
    phase = moment.before.phase if moment.before else Phase.IDLE
    for change in moment.choice.transitions:
        assert change.before is phase
        assert change.after in TRANSITIONS[change.before]
        phase = change.after
    assert moment.choice.state.phase is phase


def _writes_are_absolute(moment: Moment) -> None:
    move = moment.choice.move
    if move is None:
        return
    workload = moment.snapshot.side(move.side)
    assert workload is not None
    assert move.uid == workload.uid
    assert move.deployment == workload.name
    assert moment.snapshot.target.mode is Mode.ACT
    if isinstance(move, Scale):
        assert move.before == workload.replicas
        assert move.after != move.before
        assert move.after >= 0
        if moment.choice.state.phase.active and moment.release.plan.capacity.mode is CapacityMode.SURGE:
            assert move.side is Side.CANARY
    else:
        assert move.before == workload.template.hash != move.template.hash


def _templates_are_written_only_as_promised(moment: Moment) -> None:
    move = moment.choice.move
    if not isinstance(move, WriteTemplate):
        return
    release, plan = moment.release, moment.release.plan
    assert move.side is Side.STABLE
    if moment.choice.state.phase is Phase.ROLLING_BACK:
        assert move.template.hash == release.stable.hash
        return
    assert moment.choice.state.phase is Phase.PROMOTING
    assert plan.promote is Promotion.COPY_TEMPLATE
    assert move.template.hash == release.canary.hash == moment.canary.template.hash
    assert move.template.content["metadata"]["labels"] == dict(moment.stable.selector)
    if plan.capacity.mode is CapacityMode.PRESERVE:
        assert moment.stable.replicas == moment.stable.current == 0


def _promotes_only_with_a_reason(moment: Moment) -> None:
    if not moment.entered(Phase.PROMOTING):
        return
    release, verdict = moment.release, moment.verdict
    held = moment.before.release.pause if moment.before and moment.before.release else None
    resumed = Verb.RESUME in moment.asked and held is not None and held.during is Phase.PROMOTING
    if Verb.PROMOTE in moment.asked or release.known_good or resumed:
        return
    assert verdict is not None
    assert not moment.snapshot.admission.frozen
    if verdict.outcome is Outcome.PASS:
        return
    assert release.plan.on_inconclusive is OnInconclusive.PROMOTE
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert not verdict.adverse
    assert verdict.metrics[0].classification is not Classification.NO_DATA


def _rolls_back_only_with_a_reason(moment: Moment) -> None:
    if not moment.entered(Phase.ROLLING_BACK):
        return
    release, verdict = moment.release, moment.verdict
    assert release.cause is not None
    match release.cause.kind:
        case CauseKind.FAIL | CauseKind.GUARD:
            assert verdict is not None
            assert verdict.outcome is Outcome.FAIL
        case CauseKind.HARD_FAILURE:
            sides = (moment.stable, moment.canary)
            pods = [pod for side in sides for pod in side.pods if not pod.deleted and not pod.available]
            assert pods or any(side.progress_deadline_exceeded or side.replica_failure for side in sides)
        case CauseKind.OPERATOR:
            assert Verb.ABORT in moment.asked
        case CauseKind.SUPERSEDED:
            assert not release.written
        case CauseKind.INCONCLUSIVE:
            assert release.plan.on_inconclusive is OnInconclusive.ROLLBACK
            assert verdict is not None
            assert verdict.outcome is not Outcome.ERROR
        case CauseKind.DRIFT:
            assert moment.snapshot.target.on_drift is OnDrift.ABORT
        case CauseKind.REGRESSION:
            assert moment.before is not None
            assert moment.before.phase is Phase.BAKING
            assert release.plan.on_regression is OnRegression.ROLLBACK
            assert not release.known_good
            assert verdict is not None
            assert verdict.metrics[0].classification is Classification.HIGH
        case CauseKind.GATE_TIMEOUT:
            assert release.current_step.gate is not None
            assert release.current_step.gate.then is GateTimeout.ROLLBACK


def _pause_makes_no_forward_move(moment: Moment) -> None:
    before, choice = moment.before, moment.choice
    if before is None or not before.phase is choice.state.phase is Phase.PAUSED:
        return
    move = choice.move
    assert choice.action is Action.HOLD
    assert not isinstance(move, WriteTemplate)
    assert choice.state.release is not None
    assert before.release is not None
    assert choice.state.release.step == before.release.step
    if isinstance(move, Scale):
        assert before.expected is not None
        asked = before.expected.canary if move.side is Side.CANARY else before.expected.stable
        assert min(move.before, asked) <= move.after <= max(move.before, asked)


def _frozen_makes_no_forward_move(moment: Moment) -> None:
    if not moment.snapshot.admission.frozen or moment.asked & {Verb.PROMOTE, Verb.RESUME}:
        return
    assert moment.choice.action is not Action.ADVANCE
    assert not moment.entered(Phase.PROGRESSING)
    move = moment.choice.move
    if moment.choice.state.phase in (Phase.PROGRESSING, Phase.PROMOTING):
        assert not isinstance(move, WriteTemplate)
        drift = bool(moment.choice.notes)
        assert move is None or drift


def _forward_moves_wait_for_the_canary(moment: Moment) -> None:
    move, state = moment.choice.move, moment.choice.state
    if move is None or state.phase not in (Phase.PROGRESSING, Phase.PROMOTING) or moment.release.written:
        return
    up, down = (
        isinstance(move, Scale) and move.after > move.before,
        isinstance(move, Scale) and move.after < move.before,
    )
    forward = down if move.side is Side.STABLE else up
    if forward or isinstance(move, WriteTemplate):
        assert moment.canary.available >= moment.canary.replicas == moment.canary.current


def _unmanaged_replicas_are_left_alone(moment: Moment) -> None:
    if moment.choice.state.unmanaged and moment.choice.state.phase is Phase.IDLE:
        assert moment.choice.move is None


def _obstructed_makes_no_forward_move(moment: Moment) -> None:
    """Nothing moves forward over a paused Deployment, or before the write while a side's pods are replaced."""
    state, move = moment.choice.state, moment.choice.move
    if state.phase not in (Phase.PROGRESSING, Phase.PROMOTING) or move is None or moment.choice.notes:
        return
    assert not moment.stable.paused
    assert not moment.canary.paused
    if not moment.release.written and moment.stable.template.hash == moment.release.stable.hash:
        assert moment.canary.updated == moment.canary.current
        assert moment.stable.updated == moment.stable.current


def _moves_keep_the_invariants(moment: Moment) -> None:
    """What the engine checks before each write never stops one."""
    choice = moment.choice
    assert keep_invariants(choice, moment.snapshot, moment.now) is choice


def check_capacity(moment: Moment, after: Snapshot) -> None:
    """The write of this decision, now made, did not take more room or availability than was allowed."""
    move = moment.choice.move
    if not isinstance(move, Scale):
        return
    assert after.stable is not None
    assert after.canary is not None
    serving = after.stable.serving + after.canary.serving
    assert violation(moment.choice.state, moment.snapshot, move, serving) is None
