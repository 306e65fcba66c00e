"""Keys under `plan`, and plans that cannot work though each key by itself is fine.

Defaults come from the model's dataclasses; only the default steps live here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from analyzer.config.fields import AmountText, Duration, PositiveDuration, Word, show_found
from analyzer.config.keys import Each, Keys, Mistake, check, known
from analyzer.model.duration import show_duration
from analyzer.model.plan import (
    Advance,
    Amount,
    Capacity,
    CapacityMode,
    Gate,
    GateTimeout,
    OnInconclusive,
    OnRegression,
    Plan,
    Promotion,
    Step,
)

_PLAN = Plan(steps=())
_CAPACITY = Capacity()
_GATE = Gate()
_SURGE_LIMIT = 50


class ManualKeys(Keys):
    """How long a manual gate waits."""

    timeout: PositiveDuration | None = Field(
        default=None, description="How long the gate waits for `resume`. Without it, the gate waits without limit."
    )
    then: Word[GateTimeout] = Field(
        default=_GATE.then,
        description="What happens after `timeout`: `hold` goes on waiting, `rollback` rolls back.",
    )


class GateKeys(Keys):
    """A gate with a time-out."""

    manual: ManualKeys = Field(description="Gate that an operator opens with `resume`.")


def _spelled_out(gate: object) -> object:
    if gate == "manual":
        return {"manual": {}}
    if isinstance(gate, dict):
        return gate
    raise ValueError(f"expected `manual` or {{manual: {{timeout: 4h, then: hold}}}}, found {show_found(gate)}")


class StepKeys(Keys):
    """One step."""

    weight: float = Field(
        gt=0,
        lt=100,
        description="Percent of replicas that the canary gets: a number above 0 and below 100.",
    )
    hold: Duration = Field(description="Minimum duration of the step. Missing evidence makes it longer.")
    gate: Annotated[
        GateKeys | None, BeforeValidator(_spelled_out, json_schema_input_type=Literal["manual"] | GateKeys)
    ] = Field(
        default=None,
        description="`manual`: the release waits after this step until an operator runs `resume`.",
    )

    def step(self) -> Step:
        """The step, once there are no mistakes."""
        gate = Gate(timeout=self.gate.manual.timeout, then=self.gate.manual.then) if self.gate else None
        return Step(weight=self.weight, hold=self.hold, gate=gate)

    @check
    def _timeout(self) -> Iterator[Mistake]:
        manual = self.gate.manual if self.gate else None
        if manual and manual.timeout is None and manual.then is not GateTimeout.HOLD:
            yield (("gate", "manual", "then"), f"`then: {manual.then}` requires a `timeout`, such as 4h")


class CapacityKeys(Keys):
    """Bounds on the number of pods."""

    mode: Word[CapacityMode] = Field(
        default=_CAPACITY.mode,
        description="`preserve` keeps the total of stable and canary constant; `surge` adds canary pods and "
        "never changes the replicas of stable, so that an autoscaler on stable keeps working.",
    )
    max_surge: Annotated[Amount, AmountText()] = Field(
        default=_CAPACITY.max_surge,
        description="Maximum number of pods above the total: a number or a percentage.",
    )
    max_unavailable: Annotated[Amount, AmountText(most_percent=100)] = Field(
        default=_CAPACITY.max_unavailable,
        description="Maximum number of unavailable pods below the total: a number or a percentage. Not 0 "
        "together with `maxSurge`.",
    )
    max_canary_replicas: int | None = Field(
        default=_CAPACITY.max_canary_replicas,
        ge=1,
        description=f"With `surge`: maximum number of canary pods. Required for weights above {_SURGE_LIMIT}.",
    )

    def capacity(self) -> Capacity:
        """The bounds, once there are no mistakes."""
        return Capacity(**dict(self))

    @check
    def _no_room(self) -> Iterator[Mistake]:
        if self.max_surge.value == 0 and self.max_unavailable.value == 0:
            message = "maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; set one above 0"
            yield (("maxSurge",), message)

    @check
    def _no_effect(self) -> Iterator[Mistake]:
        if self.mode is CapacityMode.PRESERVE and self.max_canary_replicas is not None:
            yield (("maxCanaryReplicas",), "takes effect only with `mode: surge`; remove it, or set the mode")


class BakeKeys(Keys):
    """Watching the version after promotion."""

    for_: Duration = Field(
        default=_PLAN.bake,
        alias="for",
        description="How long a promoted version is watched. Hard failures and guards roll it back.",
    )
    holdback: int = Field(
        default=_PLAN.holdback,
        ge=0,
        description="With `promote: swap`: number of pods of the old version that stay during the bake, so that the "
        "comparison goes on.",
    )
    on_regression: Word[OnRegression] = Field(
        default=_PLAN.on_regression,
        description="What happens when the promoted version does worse than stable did in the same length of time "
        "before the promotion: `alert` once, or `rollback`. Traffic differs over time: unlike the tests of a release, "
        "this comparison has no guaranteed error rate.",
    )


DEFAULT_STEPS = [
    StepKeys.model_validate({"weight": weight, "hold": hold}) for weight, hold in ((10, "5m"), (25, "5m"), (50, "10m"))
]


class PlanKeys(Keys):
    """Steps, capacity and promotion of a release."""

    steps: Each[StepKeys] = Field(
        default=DEFAULT_STEPS,
        min_length=1,
        description="Weights in rising order, each with its minimum duration. 100 is not a step, it is the promotion.",
    )
    capacity: CapacityKeys = Field(
        default=CapacityKeys(), description="Bounds on the number of pods while replicas are shifted."
    )
    promote: Word[Promotion] = Field(
        default=_PLAN.promote,
        description="`copyTemplate` writes the pod template of the canary to stable; `swap` exchanges the "
        "roles; `external` waits until another client (GitOps) has changed stable.",
    )
    advance: Word[Advance] = Field(
        default=_PLAN.advance,
        description="What an intermediate step requires besides its hold: `proof` (weaker than for "
        "promotion), or `time` (no adverse evidence).",
    )
    bake: BakeKeys = Field(default=BakeKeys(), description="Watching the version after promotion.")
    deadline: PositiveDuration = Field(
        default=_PLAN.deadline,
        description="Maximum time in progress, without pauses and outages. Must be longer than all holds together.",
    )
    on_inconclusive: Word[OnInconclusive] = Field(
        default=_PLAN.on_inconclusive,
        description="What happens at the deadline without proof: `hold` pauses, `rollback` rolls back, "
        "`promote` promotes if there is data and no adverse evidence.",
    )
    ready_within: PositiveDuration = Field(
        default=_PLAN.ready_within,
        description="How long a canary pod may take to become ready. After that the release is rolled back.",
    )
    weight_tolerance: float | None = Field(
        default=_PLAN.weight_tolerance,
        ge=0,
        le=100,
        description="Percentage points by which a weight may differ from the share that whole pods can give: a release "
        "with a step further off stays PENDING, and the reason names the nearest weights. Without this key each step "
        "gets the nearest share, and steps that come to the same number of pods are merged.",
    )

    def plan(self) -> Plan:
        """The plan, once there are no mistakes."""
        return Plan(
            steps=tuple(step.step() for step in self.steps),
            capacity=self.capacity.capacity(),
            promote=self.promote,
            advance=self.advance,
            bake=self.bake.for_,
            holdback=self.bake.holdback,
            on_regression=self.bake.on_regression,
            deadline=self.deadline,
            on_inconclusive=self.on_inconclusive,
            ready_within=self.ready_within,
            weight_tolerance=self.weight_tolerance,
        )

    @check
    def _rising(self) -> Iterator[Mistake]:
        weights = {index: vars(step).get("weight") for index, step in known(self.steps)}
        for index, weight in weights.items():
            before = weights.get(index - 1)
            if before is not None and weight is not None and weight <= before:
                message = f"expected a weight above that of the previous step ({before:g}), found {weight:g}"
                yield (("steps", index, "weight"), message)

    @check
    def _surge(self) -> Iterator[Mistake]:
        if self.capacity.mode is CapacityMode.PRESERVE or self.capacity.max_canary_replicas is not None:
            return
        for index, step in known(self.steps):
            weight = vars(step).get("weight", 0)
            if weight > _SURGE_LIMIT:
                message = (
                    f"with `mode: surge` a weight of {weight:g} needs more canary pods than stable has; use at most "
                    f"{_SURGE_LIMIT}, or set `maxCanaryReplicas`"
                )
                yield (("steps", index, "weight"), message)

    @check
    def _swap_in_surge(self) -> Iterator[Mistake]:
        if self.promote is Promotion.SWAP and self.capacity.mode is CapacityMode.SURGE:
            message = (
                "`swap` scales stable to 0, but `capacity: {mode: surge}` never changes the replicas of stable; use "
                "`copyTemplate`, or `mode: preserve`"
            )
            yield (("promote",), message)

    @check
    def _holdback_without_swap(self) -> Iterator[Mistake]:
        if self.bake.holdback and self.promote is not Promotion.SWAP:
            message = (
                f"with `promote: {self.promote}` no Deployment keeps the old version after promotion; use "
                "`promote: swap`, or remove `holdback`"
            )
            yield (("bake", "holdback"), message)

    @check
    def _no_time(self) -> Iterator[Mistake]:
        held, deadline = sum((step.hold for step in self.steps), timedelta(0)), self.deadline
        if held >= deadline:
            message = f"expected more than {show_duration(held)}, the sum of all holds, found {show_duration(deadline)}"
            yield (("deadline",), message)
