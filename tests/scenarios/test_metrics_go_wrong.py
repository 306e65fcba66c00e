"""Prometheus fails, or has nothing to say: hold, say why, and still be right in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.model.block import NoData
from analyzer.model.metric import QueryMetric, Scope
from analyzer.model.phase import Phase
from analyzer.model.plan import OnInconclusive
from analyzer.model.state import CauseKind, PauseKind, Verb
from analyzer.model.verdict import Classification, Outcome
from tests.fakes.executor import HeldExecutor
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, ERRORS, STABLE, Stage, with_metrics, with_plan


def test_outage_in_the_middle_holds_and_a_good_release_is_still_promoted() -> None:
    stage = Stage(traffic=Traffic(seed=3))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.current.step == 1, within=100)
    before = stage.sides
    stage.metrics.down = True
    stage.run(120)
    assert stage.phase is Phase.PROGRESSING
    assert stage.last.verdict is not None
    assert stage.last.verdict.outcome is Outcome.ERROR
    assert "connection refused" in stage.last.decision.reason
    assert stage.sides in (before, (8, 2), (7, 3))
    stage.metrics.down = False
    stage.run_to(Phase.SUCCEEDED)


def test_outage_in_the_middle_and_a_bad_release_is_still_aborted() -> None:
    stage = Stage(traffic=Traffic(seed=3))
    stage.release("v2", errors=0.12)
    stage.run_to(Phase.PROGRESSING)
    stage.run(2)
    stage.metrics.down = True
    stage.run(60)
    assert stage.phase is Phase.PROGRESSING
    stage.metrics.down = False
    stage.run_to(Phase.ABORTED)


def test_outage_that_lasts_raises_one_alert() -> None:
    stage = Stage(target=with_plan(deadline=timedelta(hours=2)))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.metrics.down = True
    stage.run(400)
    assert stage.phase is Phase.PROGRESSING
    assert len(stage.alerts("stuck")) == 1


def test_outage_does_not_count_towards_the_deadline() -> None:
    stage = Stage(target=with_plan(deadline=timedelta(minutes=2)), traffic=Traffic(seed=3))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.current.step == 1, within=100)
    stage.metrics.down = True
    stage.run(180)
    stage.metrics.down = False
    stage.run_to(Phase.SUCCEEDED)


def test_no_traffic_is_undecided_and_held_until_the_deadline() -> None:
    stage = Stage(target=with_plan(deadline=timedelta(minutes=2)), traffic=Traffic(rps=0))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(60)
    assert stage.phase is Phase.PROGRESSING
    assert stage.last.verdict is not None
    assert stage.last.verdict.metrics[0].classification in (Classification.NO_DATA, Classification.UNDECIDED)
    stage.run_to(Phase.PAUSED, within=120)
    assert stage.current.pause is not None
    assert stage.current.pause.kind is PauseKind.INCONCLUSIVE
    stage.run(60)
    assert stage.state.phase.value == "PAUSED"


def test_little_traffic_is_undecided_with_the_expected_time() -> None:
    stage = Stage(traffic=Traffic(rps=20, seed=5))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(60)
    assert stage.last.verdict is not None
    metric = stage.last.verdict.metrics[0]
    assert metric.classification is Classification.UNDECIDED
    assert metric.seconds_to_advance is not None


def test_no_traffic_never_promotes_even_when_inconclusive_means_promote() -> None:
    target = with_plan(deadline=timedelta(minutes=1), on_inconclusive=OnInconclusive.PROMOTE)
    stage = Stage(target=target, traffic=Traffic(rps=0))
    stage.release("v2")
    stage.run(150)
    assert stage.phase is Phase.PAUSED
    assert stage.cluster.version(STABLE) == "v1"


def test_refused_query_is_an_error_with_its_message_and_holds() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.metrics.refused["errors"] = "parse error: unexpected character: '!'"
    stage.release("v2", errors=0.12)
    stage.run_to(Phase.PROGRESSING)
    stage.run(60)
    assert stage.phase is Phase.PROGRESSING
    assert stage.last.verdict is not None
    assert stage.last.verdict.metrics[0].classification is Classification.ERROR
    assert "parse error" in stage.last.decision.reason


def test_empty_answer_for_the_canary_is_no_data_and_alerts_that_pods_are_silent() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.metrics.absent["canary"] = "no series"
    stage.release("v2", errors=0.5)
    stage.run_to(Phase.PROGRESSING)
    stage.run(90)
    assert stage.phase is Phase.PROGRESSING
    assert stage.last.verdict is not None
    assert stage.last.verdict.metrics[0].classification is Classification.NO_DATA
    assert len(stage.alerts("stuck")) == 1


def test_not_a_number_is_absence_and_never_passes() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.metrics.absent["stable"] = "the value is NaN"
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(60)
    assert stage.phase is Phase.PROGRESSING
    assert stage.current.step == 0
    assert "NaN" in stage.last.decision.reason


def test_canary_series_that_vanish_stop_the_release_without_a_verdict() -> None:
    stage = Stage(target=with_plan(deadline=timedelta(minutes=2)), traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.current.step == 1, within=100)
    stage.metrics.absent["canary"] = "its series vanished"
    stage.run(60)
    assert stage.phase is Phase.PROGRESSING
    assert stage.current.step == 1
    stage.run_to(Phase.PAUSED, within=120)


def test_guard_of_the_canary_rolls_back_after_its_blocks() -> None:
    guard = QueryMetric("slo", "sum(rate(x[1m]))", max=0.05, blocks=3, scope=Scope.CANARY)
    stage = Stage(target=with_metrics(ERRORS, guard), traffic=Traffic(seed=1))
    stage.metrics.guards["slo"] = lambda _: 0.2
    stage.release("v2")
    stage.run_to(Phase.ABORTED)
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.GUARD


def test_guard_of_both_sides_holds_and_alerts() -> None:
    guard = QueryMetric("slo", "sum(rate(x[1m]))", max=0.05, blocks=3)
    stage = Stage(target=with_metrics(ERRORS, guard), traffic=Traffic(seed=1))
    stage.metrics.guards["slo"] = lambda _: 0.2
    stage.release("v2")
    stage.run(100)
    assert stage.phase is Phase.PROGRESSING
    assert len(stage.alerts("guard")) == 1
    stage.metrics.guards["slo"] = lambda _: 0.01
    stage.run_to(Phase.SUCCEEDED)


def test_guard_without_a_value_breaks_nothing() -> None:
    guard = QueryMetric("slo", "sum(rate(x[1m]))", max=0.05, blocks=3, scope=Scope.CANARY)
    stage = Stage(target=with_metrics(ERRORS, guard), traffic=Traffic(seed=1))
    stage.metrics.guards["slo"] = lambda _: NoData("0/0")
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)


def test_guard_broken_in_the_bake_puts_the_old_version_back() -> None:
    guard = QueryMetric("slo", "sum(rate(x[1m]))", max=0.05, blocks=2, scope=Scope.CANARY)
    target = with_metrics(ERRORS, guard)
    longer = replace(target, plan=replace(target.plan, bake=timedelta(seconds=30)))
    stage = Stage(target=longer, traffic=Traffic(seed=1))
    stage.metrics.guards["slo"] = lambda _: 0.01
    stage.release("v2")
    stage.run_to(Phase.BAKING)
    stage.metrics.guards["slo"] = lambda _: 0.2
    stage.run_to(Phase.ABORTED)
    assert stage.cluster.version(STABLE) == "v1"
    assert stage.cluster.version(CANARY) == "v2"


def test_release_waits_in_pending_until_the_scrapes_can_be_measured() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.metrics.unmeasurable = "waiting for two scrapes of shop-stable-1"
    stage.release("v2")
    stage.run(20)
    assert stage.phase is Phase.PENDING
    assert "two scrapes" in stage.last.decision.reason
    stage.metrics.unmeasurable = None
    stage.metrics.down = True
    stage.run(5)
    assert stage.phase is Phase.PENDING
    assert "connection refused" in stage.last.decision.reason
    stage.metrics.down = False
    stage.run_to(Phase.PROGRESSING, within=10)


def test_release_that_is_still_surveyed_slows_down_no_other() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.surveyors = held = HeldExecutor()
    stage.restart()
    stage.release("v2")
    stage.run(20)
    assert stage.phase is Phase.PENDING
    assert stage.last.decision.reason == "measuring scrape interval and baseline noise"
    assert held.waiting == 1
    held.open()
    stage.run_to(Phase.PROGRESSING, within=3)


def test_day_of_blocks_is_read_in_parts_and_nothing_is_decided_before_the_end() -> None:
    stage = Stage(target=with_plan(deadline=timedelta(hours=9)), traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.operator(Verb.PAUSE)
    stage.run_to(Phase.PAUSED, within=3)
    stage.clock.advance(2_500)
    stage.restart()
    for _ in range(2):
        verdict = stage.look().verdict
        assert verdict is not None
        assert verdict.outcome is Outcome.ERROR
        assert "catching up" in verdict.reason
    verdict = stage.look().verdict
    assert verdict is not None
    assert verdict.outcome is not Outcome.ERROR
    stage.operator(Verb.RESUME)
    stage.run_to(Phase.SUCCEEDED)
