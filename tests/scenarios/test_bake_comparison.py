"""A bake without pods of the old version: the new one is compared with what stable was like before the promotion."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import Capacity, CapacityMode, OnRegression, Promotion
from analyzer.model.state import CauseKind
from analyzer.model.target import Target
from analyzer.model.verdict import Verdict
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import STABLE, Stage, with_plan

BAKE = timedelta(seconds=60)
TELLS = with_plan(bake=BAKE)
ACTS = with_plan(bake=BAKE, on_regression=OnRegression.ROLLBACK)


def baking(target: Target, seed: int = 1) -> Stage:
    stage = Stage(target=target, traffic=Traffic(seed=seed))
    stage.run(60)
    stage.release("v2")
    stage.run_to(Phase.BAKING)
    return stage


def turn_bad(stage: Stage) -> None:
    stage.metrics.traffic.error_rates = {**stage.metrics.traffic.error_rates, "v2": 0.4}


def verdict(stage: Stage) -> Verdict:
    assert stage.last.verdict is not None
    return stage.last.verdict


@pytest.mark.parametrize("seed", range(4))
def test_a_version_as_good_as_before_is_compared_and_nothing_is_told(seed: int) -> None:
    stage = baking(ACTS, seed)
    stage.run(45)
    (errors,) = verdict(stage).metrics
    assert errors.canary.total > 10_000
    assert 5_000 < errors.stable.total < errors.canary.total  # stable had a part of the traffic while it was compared
    assert "compared with the time before the promotion" in stage.last.decision.reason
    stage.run_to(Phase.SUCCEEDED)
    assert stage.alerts("regression") == []


def test_a_version_that_turns_bad_is_told_once_and_stays() -> None:
    stage = baking(TELLS)
    turn_bad(stage)
    stage.run_to(Phase.SUCCEEDED)
    assert len(stage.alerts("regression")) == 1
    (alert,) = (alert for alert in stage.sink.alerts if alert.event == "regression")
    what = "shop: errors is worse than before the promotion; not rolled back (onRegression: alert). "
    assert alert.summary.startswith(f"{what}errors: after promotion ")
    assert ", before promotion " in alert.summary
    assert "canary" not in alert.summary
    assert "stable" not in alert.summary
    assert stage.cluster.version(STABLE) == "v2"


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("promote", [Promotion.COPY_TEMPLATE, Promotion.SWAP])
def test_a_version_that_turns_bad_is_rolled_back_where_the_plan_says_so(promote: Promotion, *, restarted: bool) -> None:
    stage = baking(replace(ACTS, plan=replace(ACTS.plan, promote=promote)))
    turn_bad(stage)
    stage.run(5)
    if restarted:
        stage.restart()
    stage.run_to(Phase.ABORTED, within=80)
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.REGRESSION
    assert stage.current.cause.culprit == "errors"
    assert stage.cluster.version(STABLE) == "v1"
    assert stage.cluster.replicas(STABLE) == 10


def test_where_stable_rolls_by_itself_old_and_new_pods_are_told_apart() -> None:
    stage = baking(replace(ACTS, plan=replace(ACTS.plan, capacity=Capacity(mode=CapacityMode.SURGE))))
    turn_bad(stage)
    stage.run_to(Phase.ABORTED, within=120)
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.REGRESSION


def test_evidence_after_a_restart_is_the_same_to_the_last_bit() -> None:
    stage, other = baking(TELLS), baking(TELLS)
    for one in (stage, other):
        turn_bad(one)
        one.run(12)
    other.restart()
    other.look()
    assert verdict(other).metrics[0].evidence == verdict(stage).metrics[0].evidence


def test_without_what_was_before_nothing_is_said_and_the_bake_goes_on() -> None:
    stage = baking(ACTS)
    turn_bad(stage)
    stage.metrics.absent = {"stable": "Prometheus does not go back so far"}
    stage.run_to(Phase.SUCCEEDED)
    assert stage.alerts("regression") == []
    assert stage.alerts("stuck") == []
