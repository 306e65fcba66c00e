"""Replica arithmetic: what a weight means in pods, and how far our own writes may go. Kubernetes' rounding.

Worked examples (`preserve`): 10 pods at 25 % are 7 + 3; 4 pods at 10 % are 3 + 1, really 25 %; 2 pods at 90 %
are 1 + 1, since a step keeps a stable pod to compare with; 1 pod at any weight is 1 + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from analyzer.model.plan import Capacity, CapacityMode
from analyzer.model.workload import Replicas

_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Our writes never take available pods below `floor`, nor requested pods above `ceiling`."""

    floor: int
    ceiling: int


def bounds_of(capacity: Capacity, total: int) -> Bounds:
    """maxSurge rounds up, maxUnavailable down; where both are 0, one pod may be unavailable, as in Kubernetes.

    With a total of 1 stable keeps its pod and the canary is added: there is always room for 2.
    """
    surge = max(capacity.max_surge.rounded_up(total), 1 if total == 1 else 0)
    missing = capacity.max_unavailable.rounded_down(total)
    if surge == 0 and missing == 0:
        missing = 1
    return Bounds(floor=max(0, total - missing), ceiling=total + surge)


def split(capacity: Capacity, total: int, weight: float, stable_now: int) -> Replicas:
    """The replicas that come nearest to `weight` percent, with at least one pod on each side.

    `total` counts in `preserve`, `stable_now` (stable's present replicas, an HPA may move them) in `surge`.
    """
    share = Decimal(str(weight))
    if capacity.mode is CapacityMode.SURGE:
        canary = max(1, _nearest(stable_now * share / (100 - share)))
        if capacity.max_canary_replicas is not None:
            canary = min(canary, capacity.max_canary_replicas)
        return Replicas(stable=stable_now, canary=canary)
    if total <= 1:
        return Replicas(stable=total, canary=1)
    canary = min(max(1, _nearest(total * share / 100)), total - 1)
    return Replicas(stable=total - canary, canary=canary)


def weight_error(replicas: Replicas, weight: float) -> float:
    """How many percentage points the real share is away from the weight."""
    return abs(100 * replicas.share - weight)


def _nearest(pods: Decimal) -> int:
    return int((pods + _HALF).to_integral_value(rounding=ROUND_FLOOR))
