"""Keys under `plan`. Defaults come from the model's dataclasses; only the default steps live here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from analyzer.config.keys import Keys
from analyzer.config.scalars import AmountText, Duration, PositiveDuration, show_found
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
)

_PLAN = Plan(steps=())
_CAPACITY = Capacity()
_GATE = Gate()


class ManualKeys(Keys):
    """How long a manual gate waits."""

    timeout: PositiveDuration | None = Field(
        default=None, description="How long the gate waits for `resume`. Without it, the gate waits without limit."
    )
    then: Annotated[GateTimeout, Field(strict=False)] = Field(
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


class CapacityKeys(Keys):
    """Bounds on the number of pods."""

    mode: Annotated[CapacityMode, Field(strict=False)] = Field(
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
        default=None, ge=1, description="With `surge`: maximum number of canary pods. Required for weights above 50."
    )


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
    on_regression: Annotated[OnRegression, Field(strict=False)] = Field(
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

    steps: list[StepKeys] = Field(
        default=DEFAULT_STEPS,
        min_length=1,
        description="Weights in rising order, each with its minimum duration. 100 is not a step, it is the promotion.",
    )
    capacity: CapacityKeys = Field(
        default=CapacityKeys(), description="Bounds on the number of pods while replicas are shifted."
    )
    promote: Annotated[Promotion, Field(strict=False)] = Field(
        default=_PLAN.promote,
        description="`copyTemplate` writes the pod template of the canary to stable; `swap` exchanges the "
        "roles; `external` waits until another client (GitOps) has changed stable.",
    )
    advance: Annotated[Advance, Field(strict=False)] = Field(
        default=_PLAN.advance,
        description="What an intermediate step requires besides its hold: `proof` (weaker than for "
        "promotion), or `time` (no adverse evidence).",
    )
    bake: BakeKeys = Field(default=BakeKeys(), description="Watching the version after promotion.")
    deadline: PositiveDuration = Field(
        default=_PLAN.deadline,
        description="Maximum time in progress, without pauses and outages. Must be longer than all holds together.",
    )
    on_inconclusive: Annotated[OnInconclusive, Field(strict=False)] = Field(
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
