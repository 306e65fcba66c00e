"""What the steps of a plan come to in whole pods."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.config.plan import PlanKeys
from analyzer.decision.replicas import split
from analyzer.decision.steps import fitted, rounding, too_coarse
from analyzer.model.phase import Phase
from analyzer.model.plan import Capacity, CapacityMode, Gate, GateTimeout, Plan, Step
from analyzer.model.target import Side
from tests.fakes.verdicts import PASS, PROVEN_STEP
from tests.unit.decision.given import idle_world, progressing, run, to_rest

DEFAULT = PlanKeys().plan()
MINUTE = timedelta(minutes=1)
SURGE = Capacity(mode=CapacityMode.SURGE)


def weights(plan: Plan, pods: int) -> list[tuple[float, int]]:
    """Weight and minutes of each step."""
    return [(step.weight, round(step.hold / MINUTE)) for step in fitted(plan, pods).steps]


@pytest.mark.parametrize(
    ("pods", "steps"),
    [
        (1, [(50, 20)]),
        (2, [(50, 20)]),
        (3, [(33.3, 10), (66.7, 10)]),
        (4, [(25, 10), (50, 10)]),
        (5, [(20, 10), (60, 10)]),
        (6, [(16.7, 5), (33.3, 5), (50, 10)]),
        (7, [(14.3, 5), (28.6, 5), (57.1, 10)]),
        (8, [(12.5, 5), (25, 5), (50, 10)]),
        (9, [(11.1, 5), (22.2, 5), (55.6, 10)]),
        (10, [(10, 5), (30, 5), (50, 10)]),
        (11, [(9.1, 5), (27.3, 5), (54.5, 10)]),
        (12, [(8.3, 5), (25, 5), (50, 10)]),
    ],
)
def test_default_steps_with_few_pods(pods: int, steps: list[tuple[float, int]]) -> None:
    assert weights(DEFAULT, pods) == steps


@pytest.mark.parametrize("pods", range(1, 13))
def test_default_plan_starts_and_ends_with_any_number_of_pods(pods: int) -> None:
    world = idle_world(stable=pods, steps=DEFAULT.steps, deadline=DEFAULT.deadline)
    world.edit(Side.CANARY, "shop:2")
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.PROMOTING, ticks=400)
    assert world.known.release is not None
    assert world.known.release.plan.steps == fitted(DEFAULT, pods).steps
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert (world.stable.image, world.stable.replicas, world.canary.replicas) == ("shop:2", pods, 0)


def test_step_numbers_and_shares_are_those_of_the_merged_plan() -> None:
    world = progressing(stable=3, steps=DEFAULT.steps)
    assert world.known.release is not None
    assert world.known.release.record.settled_at is not None
    choice = run(world, PROVEN_STEP, until=lambda choice: choice.action == "ADVANCE", ticks=100)
    assert "step 2 of 2 (66.7 %)" in choice.reason
    assert world.now - world.known.release.steps[0].entered_at >= 10 * MINUTE
    assert world.known.release.last_step


@given(pods=st.integers(1, 5000), weight=st.floats(0.01, 99.99))
def test_shown_share_comes_to_the_same_pods_as_the_weight(pods: int, weight: float) -> None:
    plan = replace(DEFAULT, steps=(Step(weight, MINUTE),))
    (step,) = fitted(plan, pods).steps
    assert split(plan.capacity, pods, step.weight, pods) == split(plan.capacity, pods, weight, pods)


@given(pods=st.integers(1, 60), given_weights=st.sets(st.integers(1, 99), min_size=1, max_size=8))
def test_steps_rise_and_are_held_as_long_as_planned(pods: int, given_weights: set[int]) -> None:
    plan = replace(DEFAULT, steps=tuple(Step(weight, MINUTE) for weight in sorted(given_weights)))
    steps = fitted(plan, pods).steps
    canaries = [split(plan.capacity, pods, step.weight, pods).canary for step in steps]
    assert canaries == sorted(set(canaries))
    assert sum((step.hold for step in steps), timedelta(0)) == len(given_weights) * MINUTE


def test_merged_step_keeps_the_last_gate() -> None:
    first, last = Gate(timeout=MINUTE), Gate(timeout=2 * MINUTE, then=GateTimeout.ROLLBACK)
    gated = replace(DEFAULT, steps=(Step(1, MINUTE, first), Step(2, MINUTE, last), Step(3, MINUTE), Step(90, MINUTE)))
    assert [step.gate for step in fitted(gated, 10).steps] == [last, None]


def test_in_surge_steps_stay_because_weights_follow_an_autoscaler() -> None:
    plan = replace(DEFAULT, capacity=SURGE)
    assert fitted(plan, 2) == plan
    assert (
        rounding(plan, 2) == "with 2 stable pods the steps 10 % for 5m, 25 % for 5m, 50 % for 10m come to "
        "33.3 % for 5m, 33.3 % for 5m, 50 % for 10m"
    )


def test_merged_steps_are_told() -> None:
    assert (
        rounding(DEFAULT, 3) == "with 3 stable pods the steps 10 % for 5m, 25 % for 5m, 50 % for 10m come to "
        "33.3 % for 10m, 66.7 % for 10m"
    )
    assert rounding(DEFAULT, 10) is None  # 25 % is 30 %: near enough


@pytest.mark.parametrize("pods", range(1, 13))
def test_nothing_is_too_coarse_without_a_tolerance(pods: int) -> None:
    assert too_coarse(DEFAULT, pods) is None


def test_reason_of_a_refusal_has_every_step_and_the_nearest_weights() -> None:
    strict = replace(DEFAULT, weight_tolerance=5.0)
    assert too_coarse(strict, 3) == (
        "with 3 stable pods 10 % would be 33.3 % (1 of 3 pods), 25 % would be 33.3 % (1 of 3 pods), "
        "50 % would be 66.7 % (2 of 3 pods), and weightTolerance allows 5 pp: "
        "use the nearest weights (33.3, 66.7), or remove weightTolerance"
    )
    assert too_coarse(strict, 1) == (
        "with 1 stable pod 10 % would be 50 % (1 of 2 pods), 25 % would be 50 % (1 of 2 pods), "
        "and weightTolerance allows 5 pp: use the nearest weights (50), or remove weightTolerance"
    )


@pytest.mark.parametrize("capacity", [Capacity(), SURGE])
@pytest.mark.parametrize("pods", [1, 2, 3, 7, 33])
def test_nearest_weights_are_within_every_tolerance(capacity: Capacity, pods: int) -> None:
    reason = too_coarse(replace(DEFAULT, capacity=capacity, weight_tolerance=0.0), pods) or ""
    nearest = reason.partition("nearest weights (")[2].partition(")")[0]
    steps = tuple(Step(float(weight), MINUTE) for weight in nearest.split(", "))
    assert too_coarse(Plan(steps, capacity, weight_tolerance=0.1), pods) is None


def test_off_by_exactly_the_tolerance_is_allowed() -> None:
    assert too_coarse(replace(DEFAULT, weight_tolerance=5.0), 10) is None  # 25 % of 10 pods is 30 %
    assert too_coarse(replace(DEFAULT, weight_tolerance=4.9), 10) is not None
