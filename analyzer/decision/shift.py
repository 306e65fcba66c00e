"""Moves of a whole release: towards a split of replicas, and the canary out of service. All phases use them."""

from __future__ import annotations

from analyzer.decision.moves import drain, next_move, scale
from analyzer.decision.replicas import split
from analyzer.decision.scene import Scene
from analyzer.model.decision import Decision
from analyzer.model.target import Side
from analyzer.model.workload import Move, Replicas


def goal_of(scene: Scene) -> Replicas:
    """The replicas of the present step."""
    release = scene.release
    return split(release.plan.capacity, release.total, release.current_step.weight, scene.stable.replicas)


def hold_back(scene: Scene) -> str | None:
    """Why no move forward may be made now: a canary pod that is not steadily available."""
    canary = scene.canary
    if canary.available < canary.replicas or canary.current != canary.replicas:
        return f"waiting until the canary is available ({canary.available} of {canary.replicas} pods)"
    return None


def shift(scene: Scene, goal: Replicas, doing: str) -> Decision | None:
    """The next safe write towards `goal`, or the wait for it; None when the replicas are asked for already.

    Backward moves (stable up, canary down) do not wait for the canary.
    """
    asked = scene.replicas
    if asked == goal:
        return None
    blocked = hold_back(scene)
    if blocked:
        goal = Replicas(stable=max(goal.stable, asked.stable), canary=min(goal.canary, asked.canary))
    move = _towards(scene, goal)
    return scene.make(move, doing) if move else scene.hold(f"{doing}: {blocked or 'waiting for capacity'}")


def withdrawal(scene: Scene, stable: int) -> Move | None:
    """The next safe write that takes the canary out while stable goes to `stable` replicas; None: nothing now."""
    if scene.surge:
        return drain(scene.canary, batch=batch_of(scene), covered=scene.stable.settled)
    return next_move(scene.stable, scene.canary, Replicas(stable=stable, canary=0), scene.bounds)


def batch_of(scene: Scene) -> int:
    """How many available canary pods leave at once in `surge`."""
    return max(1, scene.release.plan.capacity.max_surge.rounded_up(scene.release.total))


def _towards(scene: Scene, goal: Replicas) -> Move | None:
    if not scene.surge:
        return next_move(scene.stable, scene.canary, goal, scene.bounds)
    return None if scene.canary.replicas == goal.canary else scale(Side.CANARY, scene.canary, goal.canary)
