"""The entry point: state, Deployments, verdict, commands and time in; a decision with its reason out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from analyzer.decision.alerts import alert_of
from analyzer.decision.commands import execute
from analyzer.decision.context import Context
from analyzer.decision.deadline import keep_time
from analyzer.decision.drift import accept_replicas
from analyzer.decision.idle import idle, unmanaged, wait_for_slot
from analyzer.decision.progress import progress, wait_paused
from analyzer.decision.promote import bake, promote
from analyzer.decision.rollback import roll_back
from analyzer.decision.rules_of_all_phases import notice_trouble
from analyzer.decision.template_identity import recognize
from analyzer.decision.wording import then
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision, Transition, settle
from analyzer.model.phase import Phase
from analyzer.model.state import Command, Result, TargetState, Version
from analyzer.model.target import Target
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Move, Replicas, Scale, Snapshot, WriteTemplate

_AT_MOST = 4
"""Transitions that one tick may make before its first write."""

_HANDLERS: dict[Phase, Callable[[Context], Decision]] = {
    Phase.IDLE: idle,
    Phase.PENDING: wait_for_slot,
    Phase.PROGRESSING: progress,
    Phase.PAUSED: wait_paused,
    Phase.PROMOTING: promote,
    Phase.BAKING: bake,
    Phase.SUCCEEDED: idle,
    Phase.ROLLING_BACK: roll_back,
    Phase.ABORTED: idle,
}


def decide(
    state: TargetState | None,
    snapshot: Snapshot,
    verdict: Verdict | None,
    commands: Sequence[Command],
    now: datetime,
) -> Decision:
    """What to do now. `state` is None for a new target; `verdict` is None where nothing was judged.

    At most one absolute write comes out, and it is safe by itself: deciding again after a crash anywhere gives the
    remaining ones. Raises ValueError only when the state document contradicts itself.
    """
    if state is None or state.phase is Phase.GONE or _never_seen(state):
        return _first_sight(state, snapshot, commands, now)
    state, notes = recognize(state, snapshot)
    context = Context(_resolve(state, snapshot), snapshot, verdict, now)
    if context.missing:
        return _deleted(context, context.missing)
    if state.phase.active:
        context = notice_trouble(keep_time(context))
        if state.phase.rolling_back:
            context = accept_replicas(context)
    choice = _carry_on(context, execute(context, commands, _HANDLERS[state.phase]))
    return replace(choice, notes=(*notes, *choice.notes))


def _carry_on(context: Context, choice: Decision) -> Decision:
    """A transition is followed by the first write of the new phase in the same tick.

    Not where the state has to be saved first: after a change of roles the snapshot has the sides the wrong way round,
    and a release that has just ended must be recorded before another takes its place.
    """
    ending = context.state.phase.active
    for _ in range(_AT_MOST):
        moved = choice.state.phase is not context.state.phase or choice.action is Action.ADVANCE
        if choice.move or not moved or choice.state.roles != context.state.roles or choice.state.phase is Phase.GONE:
            return choice
        verdict = context.verdict if _judged_alike(context.state, choice.state) else None
        context = Context(choice.state, context.snapshot, verdict, context.now)
        follow = _HANDLERS[context.state.phase](context)
        if ending and follow.state.releases != context.state.releases:
            return choice
        choice = replace(
            choice,
            action=choice.action if follow.action is Action.HOLD else follow.action,
            reason=then(choice.reason, follow.reason) if follow.move or follow.transitions else choice.reason,
            state=follow.state,
            move=follow.move,
            transitions=choice.transitions + follow.transitions,
            notes=choice.notes + follow.notes,
        )
        if follow.move or not follow.transitions:
            return choice
    return choice


def _judged_alike(before: TargetState, after: TargetState) -> bool:
    """Does the verdict still apply? Each step has evidence of its own, and a bake has none."""
    if before.release is None or after.release is None or not after.phase.serves_both:
        return False
    return (before.release.id, before.release.step) == (after.release.id, after.release.step)


def _resolve(state: TargetState, snapshot: Snapshot) -> TargetState:
    """Find out whether the write that was under way when the state was saved has been made.

    One that was not stays in the state that the rules see: it was reported already. What a decision saves names its own
    write or none. A write that got no response may still be made later, as long as its old value is there: it is
    remembered, so that it is not taken for drift when it shows.
    """
    known = state
    if state.intent is not None:
        if _shows(snapshot, state.intent):
            known = settle(state)
        elif state.intent not in state.unconfirmed:
            known = replace(state, unconfirmed=(*state.unconfirmed, state.intent))
    for move in known.unconfirmed:
        if _shows(snapshot, move):
            known = replace(settle(replace(known, intent=move)), intent=known.intent)
    waiting = tuple(move for move in known.unconfirmed if _may_come(snapshot, move))
    return known if waiting == known.unconfirmed else replace(known, unconfirmed=waiting)


def _shows(snapshot: Snapshot, move: Move) -> bool:
    workload = snapshot.side(move.side)
    if workload is None or workload.uid != move.uid:
        return False
    match move:
        case Scale():
            return workload.replicas == move.after
        case WriteTemplate():
            return workload.template.hash == move.template.hash


def _may_come(snapshot: Snapshot, move: Move) -> bool:
    """Every write of ours tests the old value: once that is gone, it cannot be made any more."""
    workload = snapshot.side(move.side)
    if workload is None or workload.uid != move.uid:
        return False
    return move.before == (workload.replicas if isinstance(move, Scale) else workload.template.hash)


def moved_to(target: Target, state: TargetState, now: datetime) -> TargetState:
    """The state of a target whose configuration names other Deployments now, which it has not seen yet.

    Undelivered alerts, answers to operators and the number of the last release are kept.
    """
    return replace(
        TargetState.first(target, now, "the configuration names other Deployments"),
        epoch=state.epoch,
        releases=state.releases,
        outbox=state.outbox,
        executed=state.executed,
    )


def _never_seen(state: TargetState) -> bool:
    """The state was saved before both Deployments existed."""
    return state.phase is Phase.IDLE and state.handled is None


def _first_sight(state: TargetState | None, snapshot: Snapshot, commands: Sequence[Command], now: datetime) -> Decision:
    """A new target, or one that is back after its Deployments were deleted: nothing starts by itself."""
    target = snapshot.target
    known = state or TargetState.first(target, now, "new target")
    if snapshot.stable is None or snapshot.canary is None:
        context = Context(known, snapshot, None, now)
        return execute(context, commands, lambda context: context.hold(f"waiting for {context.missing} to be created"))
    reason = unmanaged(target.name)
    seen = replace(
        TargetState.first(target, now, reason),
        roles=known.roles,
        epoch=known.epoch,
        releases=known.releases,
        outbox=known.outbox,
        executed=known.executed,
        handled=Version(snapshot.canary.uid, snapshot.canary.template.hash),
        stable_hash=snapshot.stable.template.hash,
        expected=Replicas(snapshot.stable.replicas, snapshot.canary.replicas),
    )
    back = (Transition(Phase.GONE, Phase.IDLE, reason),) if known.phase is Phase.GONE else ()
    anchored, _ = recognize(seen, snapshot)
    return Decision(Action.HOLD, reason, anchored, transitions=back)


def _deleted(context: Context, missing: str) -> Decision:
    state = context.state
    reason = f"{missing} deleted; nothing is recreated"
    if state.phase.active:
        context = context.update(ended_at=context.now, result=Result.GONE)
        reason = f"{missing} deleted; release {context.release.id} has ended, nothing is recreated"
    return context.go(Phase.GONE, reason, Action.HOLD, alert_of(context, AlertEvent.GONE, f"{state.target}: {reason}"))
