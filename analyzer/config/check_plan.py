"""Plans that cannot work, though each key by itself is fine. Called by `load` for each canary."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from analyzer.config.place import KeyPath
from analyzer.model.duration import show_duration
from analyzer.model.plan import Capacity, CapacityMode, GateTimeout, Plan, Promotion

Mistake = tuple[KeyPath, str]
"""A path below the section that was checked, and a message."""

_SURGE_LIMIT = 50


def plan_mistakes(plan: Plan) -> Iterator[Mistake]:
    """Every contradiction in a plan; paths begin below `plan`."""
    yield from _steps(plan)
    yield from _capacity(plan.capacity)
    if plan.promote is Promotion.SWAP and plan.capacity.mode is CapacityMode.SURGE:
        yield (
            ("promote",),
            (
                "`swap` scales stable to 0, but `capacity: {mode: surge}` never changes the replicas of stable; use "
                "`copyTemplate`, or `mode: preserve`"
            ),
        )
    if plan.holdback and plan.promote is not Promotion.SWAP:
        yield (
            ("bake", "holdback"),
            (
                f"with `promote: {plan.promote}` no Deployment keeps the old version after promotion; use "
                "`promote: swap`, or remove `holdback`"
            ),
        )
    held = sum((step.hold for step in plan.steps), timedelta(0))
    if held >= plan.deadline:
        yield (
            ("deadline",),
            (f"expected more than {show_duration(held)}, the sum of all holds, found {show_duration(plan.deadline)}"),
        )


def _steps(plan: Plan) -> Iterator[Mistake]:
    for index, (before, after) in enumerate(pairwise(plan.steps), start=1):
        if after.weight <= before.weight:
            yield (
                ("steps", index, "weight"),
                f"expected a weight above that of the previous step ({before.weight:g}), found {after.weight:g}",
            )
    for index, step in enumerate(plan.steps):
        if step.gate and step.gate.timeout is None and step.gate.then is not GateTimeout.HOLD:
            yield (
                ("steps", index, "gate", "manual", "then"),
                f"`then: {step.gate.then}` requires a `timeout`, such as 4h",
            )
        capacity = plan.capacity
        if capacity.mode is CapacityMode.SURGE and step.weight > _SURGE_LIMIT and capacity.max_canary_replicas is None:
            yield (
                ("steps", index, "weight"),
                (
                    f"with `mode: surge` a weight of {step.weight:g} needs more canary pods than stable has; use "
                    f"at most {_SURGE_LIMIT}, or set `maxCanaryReplicas`"
                ),
            )


def _capacity(capacity: Capacity) -> Iterator[Mistake]:
    if capacity.max_surge.value == 0 and capacity.max_unavailable.value == 0:
        yield (
            ("capacity", "maxSurge"),
            "maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; set one above 0",
        )
    if capacity.mode is CapacityMode.PRESERVE and capacity.max_canary_replicas is not None:
        yield (
            ("capacity", "maxCanaryReplicas"),
            "takes effect only with `mode: surge`; remove it, or set the mode",
        )
