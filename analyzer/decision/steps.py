"""The steps of a plan in whole pods: what a weight really comes to, and when that is too far from what was written.

Admission asks before a release begins, `idle` freezes the result into the release. With 3 pods the default steps of
10 %, 25 % and 50 % are 1, 1 and 2 canary pods: two steps, of 33.3 % and 66.7 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from analyzer.decision.replicas import split, weight_error
from analyzer.model.duration import show_duration
from analyzer.model.numbers import percent, points
from analyzer.model.plan import CapacityMode, Plan, Step
from analyzer.model.workload import Replicas

WORTH_A_WARNING = 5.0
"""A weight that is further than this from its real share, in percentage points, is worth a warning."""

_ROUNDING = 1e-9
"""What floating point adds to a difference of percentages."""

_DIGITS = range(1, 7)
"""Decimals of a weight: as few as still come to the same pods."""


def fitted(plan: Plan, pods: int) -> Plan:
    """The plan with its steps as `pods` stable replicas can express them: each weight is the real share.

    Steps that come to the same number of canary pods become one, held for as long as they are together, so that no
    later step begins earlier than the plan says. It has a gate if one of them has, the last one of several.
    In `surge` the steps stay as they are: an autoscaler may change stable's replicas, and weights follow them.
    """
    if plan.capacity.mode is CapacityMode.SURGE:
        return plan
    return replace(plan, steps=tuple(_merged(_real_steps(plan, pods))))


def too_coarse(plan: Plan, pods: int) -> str | None:
    """Why `pods` stable replicas cannot express the plan as closely as its `weightTolerance` asks for, and the nearest
    weights that they can; None where they can, and for a plan without a tolerance."""
    tolerance = plan.weight_tolerance
    if tolerance is None:
        return None
    off = [
        f"{percent(step.weight / 100)} would be {percent(replicas.share)} "
        f"({replicas.canary} of {replicas.stable + replicas.canary} pods)"
        for step, replicas in _in_pods(plan, pods)
        if weight_error(replicas, step.weight) > tolerance + _ROUNDING
    ]
    if not off:
        return None
    nearest = dict.fromkeys(f"{step.weight:g}" for step in _real_steps(plan, pods))
    return (
        f"with {_count(pods)} {', '.join(off)}, and weightTolerance allows {points(tolerance / 100)}: "
        f"use the nearest weights ({', '.join(nearest)}), or remove weightTolerance"
    )


def rounding(plan: Plan, pods: int) -> str | None:
    """What to tell when whole pods change the plan: steps are merged, or a share is well off its weight."""
    merged = len(fitted(plan, pods).steps) < len(plan.steps)
    off = any(
        weight_error(replicas, step.weight) > WORTH_A_WARNING + _ROUNDING for step, replicas in _in_pods(plan, pods)
    )
    if not merged and not off:
        return None
    real = _real_steps(plan, pods) if plan.capacity.mode is CapacityMode.SURGE else fitted(plan, pods).steps
    return f"with {_count(pods)} the steps {_list(plan.steps)} come to {_list(real)}"


def _in_pods(plan: Plan, pods: int) -> Iterator[tuple[Step, Replicas]]:
    return ((step, split(plan.capacity, pods, step.weight, pods)) for step in plan.steps)


def _real_steps(plan: Plan, pods: int) -> tuple[Step, ...]:
    return tuple(replace(step, weight=_weight(plan, pods, replicas)) for step, replicas in _in_pods(plan, pods))


def _weight(plan: Plan, pods: int, replicas: Replicas) -> float:
    exact = 100 * replicas.share
    short = (round(exact, digits) for digits in _DIGITS)
    return next((weight for weight in short if _comes_to(plan, pods, weight, replicas)), exact)


def _comes_to(plan: Plan, pods: int, weight: float, replicas: Replicas) -> bool:
    return 0 < weight < 100 and split(plan.capacity, pods, weight, pods) == replicas  # noqa: PLR2004 - percent


def _merged(steps: Iterable[Step]) -> Iterator[Step]:
    for weight, alike in groupby(steps, key=lambda step: step.weight):
        together = tuple(alike)
        gate = next((step.gate for step in reversed(together) if step.gate is not None), None)
        yield Step(weight, sum((step.hold for step in together), timedelta(0)), gate)


def _list(steps: Iterable[Step]) -> str:
    return ", ".join(
        percent(step.weight / 100) + (f" for {show_duration(step.hold)}" if step.hold else "") for step in steps
    )


def _count(pods: int) -> str:
    return f"{pods} stable pod{'' if pods == 1 else 's'}"
