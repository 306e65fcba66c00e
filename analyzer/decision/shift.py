"""Moves of a release: towards a split of replicas, and the canary out of service. All phases use them."""

from __future__ import annotations

from analyzer.decision.context import Context
from analyzer.decision.moves import drain, next_move, scale
from analyzer.decision.replicas import split
from analyzer.decision.wording import availability, counted
from analyzer.model.decision import Decision
from analyzer.model.target import Side
from analyzer.model.workload import Move, Replicas

NO_ROOM = "waiting for room within maxSurge and maxUnavailable"


def goal_of(context: Context) -> Replicas:
    """The replicas of the present step."""
    release = context.release
    return split(release.plan.capacity, release.total, release.current_step.weight, context.stable.replicas)


def hold_back(context: Context) -> str | None:
    """Why no move forward may be made now: a canary pod that is not steadily available."""
    canary = context.canary
    if canary.available < canary.replicas or canary.current != canary.replicas:
        extra = canary.current - canary.replicas
        surplus = f", {counted(extra, 'surplus pod')} left" if extra > 0 else ""
        return f"waiting for the canary: {availability(canary)}{surplus}"
    return None


def shift(context: Context, goal: Replicas, doing: str) -> Decision | None:
    """The next safe write towards `goal`, or the wait for it; None when both sides already request these replicas.

    Backward moves (stable up, canary down) do not wait for the canary.
    """
    asked = context.replicas
    if asked == goal:
        return None
    blocked = hold_back(context)
    if blocked:
        goal = Replicas(stable=max(goal.stable, asked.stable), canary=min(goal.canary, asked.canary))
    move = _towards(context, goal)
    return context.write(move, doing) if move else context.hold(f"{doing}: {blocked or NO_ROOM}")


def withdrawal(context: Context, stable: int) -> Move | None:
    """The next safe write that drains the canary while stable goes to `stable` replicas; None: nothing now."""
    if context.surge:
        return drain(context.canary, batch=batch_of(context), covered=context.stable.settled)
    return next_move(context.stable, context.canary, Replicas(stable=stable, canary=0), context.bounds)


def batch_of(context: Context) -> int:
    """How many available canary pods leave at once in `surge`."""
    return max(1, context.release.plan.capacity.max_surge.rounded_up(context.release.total))


def _towards(context: Context, goal: Replicas) -> Move | None:
    if not context.surge:
        return next_move(context.stable, context.canary, goal, context.bounds)
    return None if context.canary.replicas == goal.canary else scale(Side.CANARY, context.canary, goal.canary)
