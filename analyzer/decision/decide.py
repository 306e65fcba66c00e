"""The one entrance: state, world, verdict, commands and time in; a decision with its reason out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from analyzer.decision.announce import announce
from analyzer.decision.orders import obey
from analyzer.decision.progress import progress, wait_paused
from analyzer.decision.promote import bake, promote
from analyzer.decision.rest import rest, wait_for_slot
from analyzer.decision.rollback import roll_back
from analyzer.decision.scene import Scene
from analyzer.decision.watch import accept_replicas, keep_time, notice_silence
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision, settle
from analyzer.model.phase import Phase
from analyzer.model.state import Command, Result, TargetState, Version
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Move, Replicas, Scale, Snapshot, Workload, WriteTemplate

_AT_MOST = 4
"""Transitions that one tick may make before its first write."""

_HANDLERS: dict[Phase, Callable[[Scene], Decision]] = {
    Phase.IDLE: rest,
    Phase.PENDING: wait_for_slot,
    Phase.PROGRESSING: progress,
    Phase.PAUSED: wait_paused,
    Phase.PROMOTING: promote,
    Phase.BAKING: bake,
    Phase.SUCCEEDED: rest,
    Phase.ROLLING_BACK: roll_back,
    Phase.ABORTED: rest,
}


def decide(
    state: TargetState | None,
    snapshot: Snapshot,
    verdict: Verdict | None,
    commands: Sequence[Command],
    now: datetime,
) -> Decision:
    """What to do now. `state` is None at first sight; `verdict` is None where the judge was not asked.

    At most one absolute write comes out, and it is safe by itself: deciding again after a crash anywhere gives
    the rest. Raises ValueError only when the state document contradicts itself.
    """
    if state is None or state.phase is Phase.GONE:
        return _first_sight(state, snapshot, now)
    scene = Scene(_resolve(state, snapshot), snapshot, verdict, now)
    if snapshot.stable is None or snapshot.canary is None:
        return _deleted(scene)
    if state.phase.active:
        scene = notice_silence(keep_time(scene))
        if state.phase is Phase.ROLLING_BACK:
            scene = accept_replicas(scene)
    choice = obey(scene, commands) or _HANDLERS[state.phase](scene)
    return _carry_on(scene, choice)


def _carry_on(scene: Scene, choice: Decision) -> Decision:
    """A transition is followed by the first write of the new phase in the same tick.

    The verdict was about the old phase and is not used again; after a change of roles the snapshot has the
    sides the wrong way round, so that the next tick goes on.
    """
    for _ in range(_AT_MOST):
        moved = choice.state.phase is not scene.state.phase or choice.action is Action.ADVANCE
        if choice.move or not moved or choice.state.roles != scene.state.roles or choice.state.phase is Phase.GONE:
            return choice
        scene = Scene(choice.state, scene.snapshot, None, scene.now)
        follow = _HANDLERS[scene.state.phase](scene)
        choice = replace(
            choice,
            state=follow.state,
            move=follow.move,
            transitions=choice.transitions + follow.transitions,
            notes=choice.notes + follow.notes,
        )
        if follow.move or not follow.transitions:
            return choice
    return choice


def _resolve(state: TargetState, snapshot: Snapshot) -> TargetState:
    """Find out whether the write that was under way when the document was saved has been made."""
    move = state.intent
    if move is None:
        return state
    workload = snapshot.side(move.side)
    return settle(state) if workload and _shows(workload, move) else replace(state, intent=None)


def _shows(workload: Workload, move: Move) -> bool:
    match move:
        case Scale():
            return workload.replicas == move.after
        case WriteTemplate():
            return workload.template.hash == move.template.hash


def _first_sight(state: TargetState | None, snapshot: Snapshot, now: datetime) -> Decision:
    """A target that was never seen, or is back after its Deployments were deleted: nothing starts by itself."""
    target = snapshot.target
    roles = state.roles if state else target.roles
    missing = [roles.name(side) for side, seen in _sides(snapshot) if not seen]
    if state is not None and missing:
        return Decision(Action.HOLD, f"gone: {' and '.join(missing)} not found", state)
    fresh = TargetState(target.name, roles, Phase.IDLE, now, "first sight")
    if state is not None:
        fresh = replace(fresh, outbox=state.outbox, executed=state.executed, releases=state.releases, epoch=state.epoch)
    if snapshot.stable is None or snapshot.canary is None:
        return Decision(Action.HOLD, f"waiting for Deployment {' and '.join(missing)} to exist", fresh)
    seen = replace(
        fresh,
        handled=Version(snapshot.canary.uid, snapshot.canary.template.hash),
        stable_hash=snapshot.stable.template.hash,
        expected=Replicas(snapshot.stable.replicas, snapshot.canary.replicas),
    )
    return Decision(Action.HOLD, "first sight: unmanaged, replicas are left alone", seen)


def _deleted(scene: Scene) -> Decision:
    state = scene.state
    missing = " and ".join(state.roles.name(side) for side, seen in _sides(scene.snapshot) if not seen)
    if state.handled is None and state.phase is Phase.IDLE:
        return scene.hold(f"waiting for Deployment {missing} to exist")
    reason = f"Deployment {missing} was deleted; nothing is recreated"
    if state.phase.active:
        scene = scene.update(ended_at=scene.now, result=Result.GONE)
    return scene.go(Phase.GONE, reason, Action.HOLD, announce(scene, AlertEvent.GONE, f"{state.target}: {reason}"))


def _sides(snapshot: Snapshot) -> tuple[tuple[Side, bool], ...]:
    return (Side.STABLE, snapshot.stable is not None), (Side.CANARY, snapshot.canary is not None)
