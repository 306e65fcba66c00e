"""A plan that asks for shares which so few pods cannot give."""

from __future__ import annotations

from datetime import timedelta

from analyzer.model.phase import Phase
from analyzer.model.plan import Step
from tests.scenarios.stage import Stage, with_plan

STEPS = tuple(Step(weight, timedelta(seconds=3)) for weight in (10, 25, 50))


def test_without_a_tolerance_steps_are_merged_and_shown_with_their_real_share() -> None:
    stage = Stage(with_plan(steps=STEPS), replicas=3)
    stage.release()
    stage.run_to(Phase.PROGRESSING)
    status = stage.store.status("shop") or {}
    assert (status["step"], status["steps"], status["weight"]) == (1, 2, 33.3)
    assert "come to 33.3 % for 6s, 66.7 % for 3s" in str(status["warnings"])
    stage.run_to(Phase.SUCCEEDED)
    assert stage.sides == (3, 0)


def test_with_a_tolerance_the_release_waits_until_the_plan_or_the_pods_are_changed() -> None:
    stage = Stage(with_plan(steps=STEPS, weight_tolerance=5.0), replicas=3)
    stage.release()
    stage.run(30)
    assert stage.phase is Phase.PENDING
    assert stage.sides == (3, 0)
    reason = (stage.store.status("shop") or {})["reason"]
    assert "10 % would be 33.3 % (1 of 3 pods)" in reason
    assert "nearest weights (33.3, 66.7)" in reason
    stage.reconfigure(with_plan(steps=(Step(33, timedelta(0)), Step(66, timedelta(0))), weight_tolerance=5.0))
    stage.run_to(Phase.PROGRESSING, within=60)
