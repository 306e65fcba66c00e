"""A guard is a plain rule: enough valid readings in a row out of bounds break it."""

from __future__ import annotations

import math

import pytest

from analyzer.judge import begin, enter, fail, fold, judge
from analyzer.model.block import GuardReading, NoData
from analyzer.model.metric import Analysis, Gating, QueryMetric, Scope
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict
from tests.unit.judge.sample_blocks import ERRORS, TIMING, release, run

MISSING = NoData("empty answer")


def judged(*values: float | NoData, scope: Scope = Scope.CANARY, gating: Gating = Gating.ABORT) -> Verdict:
    guard = QueryMetric("slo", "q", min=0.1, max=0.5, scope=scope, gating=gating)
    readings = [GuardReading(index, value) for index, value in enumerate(values)]
    evidence = fold(release(guard, ERRORS), "slo", readings)
    return judge(fold(evidence, "errors", run((0, 9000), (0, 9000), range(3))))


def slo(*values: float | NoData) -> MetricVerdict:
    return judged(*values).metrics[0]


def test_breaks_upwards_and_downwards_after_three_valid_readings_in_a_row() -> None:
    assert slo(0.6, 0.6).classification is Classification.UNDECIDED
    assert slo(0.6, 0.6, 0.7).classification is Classification.HIGH
    assert slo(0.3, 0.05, 0.05, 0.05).classification is Classification.LOW
    assert slo(0.6, 0.6, 0.7).reason == "slo: 0.7 is above max 0.5 for 3 consecutive blocks. Failed"


def test_a_reading_in_bounds_interrupts_and_a_missing_one_does_not() -> None:
    assert slo(0.6, 0.6, 0.3, 0.6).classification is Classification.UNDECIDED
    assert slo(0.6, MISSING, 0.6, MISSING, 0.6).classification is Classification.HIGH
    assert slo(0.6, 0.6, MISSING, MISSING).classification is Classification.UNDECIDED


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_counts_as_missing(value: float) -> None:
    found = slo(value, value, value)
    assert found.classification is Classification.NO_DATA
    assert "not a finite number" in found.reason


def test_passes_when_as_many_readings_were_in_bounds() -> None:
    assert slo(0.1, 0.5).classification is Classification.UNDECIDED
    assert slo(0.1, 0.5, 0.3).classification is Classification.PASS


def test_no_reading_is_no_data_with_the_reason() -> None:
    assert slo(MISSING).reason == "slo: empty answer"
    assert slo().classification is Classification.NO_DATA


def test_scope_canary_fails_the_release() -> None:
    verdict = judged(0.6, 0.6, 0.6)
    assert (verdict.outcome, verdict.culprit, verdict.holds) == (Outcome.FAIL, "slo", None)


def test_scope_both_holds_and_accuses_nobody() -> None:
    verdict = judged(0.6, 0.6, 0.6, scope=Scope.BOTH)
    assert (verdict.outcome, verdict.culprit) == (Outcome.PASS, None)
    assert verdict.holds == "slo: 0.6 is above max 0.5 for 3 consecutive blocks. Failed"


def test_a_guard_that_does_not_gate_has_no_vote() -> None:
    for scope in Scope:
        verdict = judged(0.6, 0.6, 0.6, scope=scope, gating=Gating.NONE)
        assert (verdict.outcome, verdict.holds, verdict.adverse) == (Outcome.PASS, None, False)


def test_a_guard_that_gates_promotion_must_have_been_kept() -> None:
    assert judged(0.3, 0.3, gating=Gating.BOTH).outcome is Outcome.INCONCLUSIVE
    assert judged(0.3, 0.3, 0.3, gating=Gating.BOTH).outcome is Outcome.PASS


def test_a_reading_out_of_bounds_holds_back_a_move_forward() -> None:
    assert judged(0.3, 0.6).adverse
    assert not judged(0.6, 0.3).adverse


def test_the_latest_reading_may_come_again_and_is_counted_once() -> None:
    evidence = fold(release(QueryMetric("slo", "q", max=0.5)), "slo", [GuardReading(0, 0.6), GuardReading(1, 0.6)])
    again = fold(evidence, "slo", [GuardReading(1, 0.6)])
    assert again == evidence
    assert fold(again, "slo", [GuardReading(1, 0.1)]) != evidence


def test_readings_from_before_the_step_are_ignored() -> None:
    begun = begin(Analysis((QueryMetric("slo", "q", max=0.5),)), 1, TIMING)
    readings = [GuardReading(index, 0.6) for index in range(5)]
    evidence = fold(enter(begun, 0, abort_from=3), "slo", readings)
    assert judge(evidence).metrics[0].reason == "slo: 0.6 is above max 0.5, 2 of 3 consecutive blocks. Undecided"


def test_a_query_that_fails_is_an_error() -> None:
    evidence = fail(release(QueryMetric("slo", "q", max=0.5)), "slo", "refused")
    assert judge(evidence).metrics[0].classification is Classification.ERROR
    assert judge(evidence).outcome is Outcome.ERROR
