"""The next safe move towards a goal: at most one absolute write, up before down, inside the bounds.

What a write may cost at most is said in `invariants`. Kubernetes removes pods that are not available first, so a side
that is asked for r - k pods keeps at least min(available, r - k) available ones.
"""

from __future__ import annotations

from analyzer.decision.replicas import Bounds
from analyzer.model.target import Side
from analyzer.model.workload import Replicas, Scale, Workload


def next_move(stable: Workload, canary: Workload, goal: Replicas, bounds: Bounds) -> Scale | None:
    """The largest move towards `goal` that is safe now; None when there is nothing to do or none is safe yet."""
    sides = ((Side.STABLE, stable, goal.stable), (Side.CANARY, canary, goal.canary))
    room = bounds.ceiling - sum(max(side.replicas, side.current) for side in (stable, canary))
    for side, workload, wanted in sides:
        if workload.replicas < wanted and room > 0:
            return scale(side, workload, min(wanted, workload.replicas + room))
    for side, workload, wanted in sides:
        other = canary if side is Side.STABLE else stable
        lowest = max(wanted, _fewest(workload, other.serving, bounds.floor))
        if lowest < workload.replicas:
            return scale(side, workload, lowest)
    return None


def drain(canary: Workload, *, batch: int, covered: bool) -> Scale | None:
    """Scale the canary down where stable's replicas are not ours to write (`surge`).

    Pods that are not available go at once; available ones in batches, while stable is complete (`covered`).
    """
    if canary.replicas == 0:
        return None
    if canary.serving < canary.replicas:
        return scale(Side.CANARY, canary, canary.serving)
    return scale(Side.CANARY, canary, max(0, canary.replicas - batch)) if covered else None


def scale(side: Side, workload: Workload, replicas: int) -> Scale:
    """The absolute write that sets a side to `replicas`."""
    return Scale(side=side, deployment=workload.name, uid=workload.uid, before=workload.replicas, after=replicas)


def _fewest(workload: Workload, serving_elsewhere: int, floor: int) -> int:
    """The lowest number that this side may be scaled to without losing availability that is needed."""
    needed = max(0, floor - serving_elsewhere)
    return min(workload.serving, needed)
