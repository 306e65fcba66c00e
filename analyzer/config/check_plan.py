"""Plans that can't work, though each key by itself is fine. Called by `load` for each canary."""

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
                "`swap` takes stable to 0, and `capacity: {mode: surge}` never writes stable's replicas; "
                "use `copyTemplate` or `preserve`"
            ),
        )
    if plan.holdback and plan.promote is not Promotion.SWAP:
        yield (
            ("bake", "holdback"),
            (
                f"with `promote: {plan.promote}` no Deployment is left to hold pods of the old version: a pod template "
                "is never written but to promote; use `promote: swap`, or leave it out"
            ),
        )
    held = sum((step.hold for step in plan.steps), timedelta(0))
    if held >= plan.deadline:
        yield (
            ("deadline",),
            (
                f"the steps are held for {show_duration(held)} together, and the deadline is "
                f"{show_duration(plan.deadline)}; it must be longer"
            ),
        )


def _steps(plan: Plan) -> Iterator[Mistake]:
    for index, (before, after) in enumerate(pairwise(plan.steps), start=1):
        if after.weight <= before.weight:
            yield (
                ("steps", index, "weight"),
                f"expected more than the {before.weight:g} of the step before, found {after.weight:g}",
            )
    for index, step in enumerate(plan.steps):
        if step.gate and step.gate.timeout is None and step.gate.then is not GateTimeout.HOLD:
            yield (
                ("steps", index, "gate", "manual", "then"),
                f"`then: {step.gate.then}` needs a `timeout`, such as 4h",
            )
        capacity = plan.capacity
        if capacity.mode is CapacityMode.SURGE and step.weight > _SURGE_LIMIT and capacity.max_canary_replicas is None:
            yield (
                ("steps", index, "weight"),
                (
                    f"a weight of {step.weight:g} needs more canary pods than stable has; with `mode: surge` stay at "
                    f"{_SURGE_LIMIT} or below, or allow more by `maxCanaryReplicas`"
                ),
            )


def _capacity(capacity: Capacity) -> Iterator[Mistake]:
    if capacity.max_surge.value == 0 and capacity.max_unavailable.value == 0:
        yield (
            ("capacity", "maxSurge"),
            "maxSurge and maxUnavailable are both 0, so no pod could ever be moved; set one above 0",
        )
    if capacity.mode is CapacityMode.PRESERVE and capacity.max_canary_replicas is not None:
        yield (
            ("capacity", "maxCanaryReplicas"),
            "acts only with `mode: surge`; remove it, or set the mode",
        )
