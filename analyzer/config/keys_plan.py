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
        default=None, description="How long to wait for `resume`. Without it the gate waits for ever."
    )
    then: Annotated[GateTimeout, Field(strict=False)] = Field(
        default=_GATE.then,
        description="What happens after `timeout`: `hold` goes on waiting, `rollback` gives up.",
    )


class GateKeys(Keys):
    """A gate with a time-out."""

    manual: ManualKeys = Field(description="A gate that an operator opens with `resume`.")


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
        description="Percent of replicas that the canary gets, as a number above 0 and below 100.",
    )
    hold: Duration = Field(description="How long the step lasts at least. Evidence may make it longer, never shorter.")
    gate: Annotated[
        GateKeys | None, BeforeValidator(_spelled_out, json_schema_input_type=Literal["manual"] | GateKeys)
    ] = Field(
        default=None,
        description="`manual`: an operator must say `resume` before the release goes past this step.",
    )


class CapacityKeys(Keys):
    """Room for pods."""

    mode: Annotated[CapacityMode, Field(strict=False)] = Field(
        default=_CAPACITY.mode,
        description="`preserve` keeps stable and canary together at the total; `surge` adds canary pods "
        "and never writes stable's replicas, so that an autoscaler on stable keeps working.",
    )
    max_surge: Annotated[Amount, AmountText()] = Field(
        default=_CAPACITY.max_surge,
        description="Pods above the total that a move may take: a number, or a percentage.",
    )
    max_unavailable: Annotated[Amount, AmountText(most_percent=100)] = Field(
        default=_CAPACITY.max_unavailable,
        description="Pods below the total that a move may leave: a number, or a percentage. Not 0 "
        "together with `maxSurge`.",
    )
    max_canary_replicas: int | None = Field(
        default=None, ge=1, description="With `surge`: most canary pods. Needed for weights above 50."
    )


class BakeKeys(Keys):
    """After promotion."""

    for_: Duration = Field(
        default=_PLAN.bake,
        alias="for",
        description="How long a promoted version is still watched; hard failures and guards roll it back.",
    )
    holdback: int = Field(
        default=_PLAN.holdback,
        ge=0,
        description="With `promote: swap`: so many pods of the old version stay for the bake, and the comparison with "
        "them goes on.",
    )
    on_regression: Annotated[OnRegression, Field(strict=False)] = Field(
        default=_PLAN.on_regression,
        description="What happens when the promoted version does worse than stable did in the same length of time "
        "before the promotion: `alert` tells once, `rollback` rolls it back. Other times have other traffic: unlike "
        "the tests of a release, this comparison has no error guarantee.",
    )


DEFAULT_STEPS = [
    StepKeys.model_validate({"weight": weight, "hold": hold}) for weight, hold in ((10, "5m"), (25, "5m"), (50, "10m"))
]


class PlanKeys(Keys):
    """How a release goes."""

    steps: list[StepKeys] = Field(
        default=DEFAULT_STEPS,
        min_length=1,
        description="Weights in rising order, each with the time it is held. 100 is not a step: promotion is.",
    )
    capacity: CapacityKeys = Field(default=CapacityKeys(), description="The room that moves of replicas may take.")
    promote: Annotated[Promotion, Field(strict=False)] = Field(
        default=_PLAN.promote,
        description="`copyTemplate` writes the canary's pod template to stable; `swap` exchanges the "
        "roles; `external` waits until something else has changed stable.",
    )
    advance: Annotated[Advance, Field(strict=False)] = Field(
        default=_PLAN.advance,
        description="What a step that is not the last needs besides its hold: `proof` (a looser one than "
        "for promotion), or `time` (no adverse evidence).",
    )
    bake: BakeKeys = Field(default=BakeKeys(), description="What happens after promotion.")
    deadline: PositiveDuration = Field(
        default=_PLAN.deadline,
        description="Longest time in progress, pauses and outages not counted. Must be above the sum of holds.",
    )
    on_inconclusive: Annotated[OnInconclusive, Field(strict=False)] = Field(
        default=_PLAN.on_inconclusive,
        description="What happens at the deadline without proof: `hold` pauses, `rollback` gives up, "
        "`promote` goes on if there is data and no adverse evidence.",
    )
    ready_within: PositiveDuration = Field(
        default=_PLAN.ready_within,
        description="How long a canary pod may need to become ready; after that the release is rolled back.",
    )
    weight_tolerance: float = Field(
        default=_PLAN.weight_tolerance,
        ge=0,
        le=100,
        description="Percent points that a weight may be off because replicas are whole; more is refused.",
    )
