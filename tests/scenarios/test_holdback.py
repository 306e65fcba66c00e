"""A version that turns bad once it serves everybody is still compared, where pods of the old one were held back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import Promotion
from analyzer.model.state import CauseKind
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, STABLE, Stage, with_plan

TARGET = with_plan(promote=Promotion.SWAP, holdback=2, bake=timedelta(seconds=90))


def baking(target: object = TARGET) -> Stage:
    stage = Stage(target=target, traffic=Traffic(seed=1))  # type: ignore[arg-type]
    stage.release("v2")
    stage.run_to(Phase.BAKING)
    return stage


def turn_bad(stage: Stage) -> None:
    stage.metrics.traffic.error_rates = {**stage.metrics.traffic.error_rates, "v2": 0.4}


def test_a_healthy_version_bakes_and_the_old_pods_leave() -> None:
    stage = baking()
    assert stage.sides == (2, 10)
    stage.run(30)
    assert stage.last.verdict is not None
    assert {metric.name for metric in stage.last.verdict.metrics} == {"errors"}
    stage.run_to(Phase.SUCCEEDED)
    assert stage.sides == (0, 10)
    assert stage.alerts("aborted") == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_version_that_turns_bad_in_the_bake_is_rolled_back(*, restarted: bool) -> None:
    stage = baking()
    turn_bad(stage)
    stage.run(5)
    if restarted:
        stage.restart()
    stage.run_to(Phase.ABORTED, within=80)
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.FAIL
    assert stage.cluster.replicas(STABLE) == 10
    assert stage.cluster.replicas(CANARY) == 0
    assert stage.cluster.version(STABLE) == "v1"


def test_without_holdback_a_version_that_turns_bad_is_told_and_stays() -> None:
    stage = baking(replace(TARGET, plan=replace(TARGET.plan, holdback=0)))
    turn_bad(stage)
    stage.run_to(Phase.SUCCEEDED)
    assert [alert.event for alert in stage.sink.alerts] == ["regression", "promoted"]
    assert stage.sides == (0, 10)
    assert stage.cluster.version(CANARY) == "v2"


def test_without_holdback_a_healthy_version_raises_no_alert_but_its_promotion() -> None:
    stage = baking(replace(TARGET, plan=replace(TARGET.plan, holdback=0)))
    stage.run_to(Phase.SUCCEEDED)
    assert [alert.event for alert in stage.sink.alerts] == ["promoted"]
