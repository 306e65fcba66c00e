"""The bounds that no write may break, checked apart from the rules that plan writes: by the engine before each write,
and by the tests of random histories after it.

`preserve`: after a write at least `total - maxUnavailable` pods are available, or as many as before if they were fewer
already; and at most `total + maxSurge` pods are requested or still there, or as many as before if they were more.
Unavailable pods may go at once, so a canary that fails by itself is removed in one write. With a total of 1 there is
room for 2 (`replicas.bounds_of`). Stable's template is written only while stable has no pods.
`surge`: stable's replicas are never written. The canary gets at most the pods of its step, or what was requested before
another client scaled it. Available canary pods are removed only while stable is complete, or down to one of these two
numbers.
Between releases, when the canary is kept at 0: the last available pods are never removed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from analyzer.decision.alerts import alert_once
from analyzer.decision.context import Context
from analyzer.decision.replicas import bounds_of, split
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.plan import CapacityMode
from analyzer.model.state import Release, TargetState
from analyzer.model.target import Side
from analyzer.model.workload import Move, Replicas, Scale, Snapshot, Workload

_MARK = "unsafe-move"


def keep_invariants(choice: Decision, snapshot: Snapshot, now: datetime) -> Decision:
    """The same decision, unless its write would break an invariant: then it holds without the write, and alerts once
    per release. Such a write is a bug of this program.

    In a rollback the write is made anyway, with the alert: nothing may ever block a rollback, and a bad canary that
    goes on serving is worse than too few or too many pods for a while.
    """
    broken = None if choice.move is None else violation(choice.state, snapshot, choice.move)
    if broken is None:
        return choice
    if choice.state.phase.rolling_back:
        reason = f"{choice.reason}: {broken} (this is a bug; the rollback goes on)"
        return replace(choice, reason=reason, state=_alerted(choice.state, snapshot, now, reason))
    held = "the release is held" if choice.state.phase.active else "nothing was changed"
    reason = f"refused its own move: {choice.move}: {broken} (this is a bug; {held})"
    state = _alerted(choice.state, snapshot, now, reason)
    return replace(choice, action=Action.HOLD, reason=reason, state=state, move=None)


def violation(state: TargetState, before: Snapshot, move: Move, serving: int | None = None) -> str | None:
    """Which bound a write breaks; None if none. `state` is the decision's, `before` the snapshot that it was made from.

    `serving` is how many pods of both sides are available after the write, if it was made already. Without it, this is
    predicted by Kubernetes' rule that unavailable pods are removed first.
    """
    stable, canary = before.stable, before.canary
    if stable is None or canary is None:
        return "a Deployment does not exist"
    if not isinstance(move, Scale):
        return _written_over(state, stable)
    if serving is None:
        serving = sum(min(side.serving, _asked(side, which, move)) for which, side in _sides(stable, canary))
    if not state.phase.active or state.release is None:
        return _none_left(stable, canary, serving)
    if state.release.plan.capacity.mode is CapacityMode.SURGE:
        return _surge(state.release, state.expected, (stable, canary), move, serving)
    return _preserve(state.release, (stable, canary), move, serving)


def _written_over(state: TargetState, stable: Workload) -> str | None:
    """A rollback writes the old template to stable whatever runs there."""
    rolls_back = state.phase.rolling_back
    surge = state.release is not None and state.release.plan.capacity.mode is CapacityMode.SURGE
    if rolls_back or surge or stable.replicas == stable.current == 0:
        return None
    return f"{stable.name} has {max(stable.replicas, stable.current)} pods, which would be replaced"


def _none_left(stable: Workload, canary: Workload, serving: int) -> str | None:
    was = stable.serving + canary.serving
    return f"none of the {was} available pods would be left" if serving == 0 < was else None


def _preserve(release: Release, sides: tuple[Workload, Workload], move: Scale, serving: int) -> str | None:
    bounds = bounds_of(release.plan.capacity, release.total)
    least = min(bounds.floor, sum(side.serving for side in sides))
    if serving < least:
        return f"{serving} pods would be available, at least {least} are required"
    most = max(bounds.ceiling, sum(max(side.replicas, side.current) for side in sides))
    asked = sum(max(_asked(side, which, move), side.current) for which, side in _sides(*sides))
    return f"there would be {asked} pods, at most {most} are allowed" if asked > most else None


def _surge(
    release: Release, expected: Replicas | None, sides: tuple[Workload, Workload], move: Scale, serving: int
) -> str | None:
    stable, canary = sides
    if move.side is Side.STABLE:
        return f"replicas of {stable.name} are not written in surge"
    planned = split(release.plan.capacity, release.total, release.current_step.weight, stable.replicas).canary
    known = (planned, expected.canary if expected else planned)
    most = max(*known, canary.replicas)
    if move.after > most:
        return f"there would be {move.after} canary pods, at most {most} are planned"
    lost = stable.serving + canary.serving - serving
    if lost > 0 and not stable.settled and move.after not in known:
        return f"{lost} available canary pods would leave while {stable.name} is not complete"
    return None


def _sides(stable: Workload, canary: Workload) -> tuple[tuple[Side, Workload], ...]:
    return (Side.STABLE, stable), (Side.CANARY, canary)


def _asked(workload: Workload, side: Side, move: Scale) -> int:
    """The replicas that a side asks for once the write is made."""
    return move.after if move.side is side else workload.replicas


def _alerted(state: TargetState, snapshot: Snapshot, now: datetime, reason: str) -> TargetState:
    """Before the first release of a target nothing records which alerts were sent: only reason and log tell it then."""
    if state.release is None:
        return state
    context = Context(state, snapshot, None, now)
    return alert_once(context, AlertEvent.STUCK, f"{state.target}: {reason}", _MARK).state
