"""Rates, where less is worse, and restarts per pod-hour: the same engine with other words."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from analyzer.judge import begin, enter, fold, judge
from analyzer.model.block import Arrivals, Block, Counts, Restarts, SideBlock
from analyzer.model.metric import Analysis, Direction, Gating, Margin, RateMetric, RestartsMetric
from analyzer.model.verdict import Classification, Outcome
from tests.unit.judge.sample_blocks import TIMING
from tests.unit.judge.sample_kinds import rate, restarts, verdict

ORDERS = RateMetric("orders", "orders_total")
RESTARTS = RestartsMetric("restarts")


def test_fewer_successes_than_stable_are_low() -> None:
    found = verdict(ORDERS, [rate(k, (50, 60), (300, 180)) for k in range(9)])
    assert found.classification is Classification.LOW
    assert found.ratio == pytest.approx(0.5, abs=0.01)
    assert found.interval is not None
    assert found.interval[0] < 0.5 < found.interval[1] < 1
    assert "limit 0.8x. Failed, false alarm chance below 1 %" in found.reason
    assert found.query == "orders_total"


def test_more_successes_are_welcome_and_as_many_pass() -> None:
    assert verdict(ORDERS, [rate(k, (200, 60), (300, 180)) for k in range(9)]).classification is Classification.PASS
    equal = verdict(ORDERS, [rate(k, (100, 60), (300, 180)) for k in range(9)])
    assert (equal.classification, equal.proven) == (Classification.PASS, True)
    assert "Passed: 0.67x or worse is ruled out" in equal.reason


def test_none_at_all_is_low_too() -> None:
    assert verdict(ORDERS, [rate(k, (0, 60), (300, 180)) for k in range(3)]).classification is Classification.LOW
    assert verdict(ORDERS, [rate(k, (0, 60), (0, 180)) for k in range(99)]).classification is Classification.UNDECIDED


def test_the_other_direction_is_high() -> None:
    retries = replace(ORDERS, direction=Direction.UP)
    found = verdict(retries, [rate(k, (200, 60), (300, 180)) for k in range(9)])
    assert found.classification is Classification.HIGH
    assert found.ratio == pytest.approx(2, abs=0.02)
    assert verdict(retries, [rate(k, (50, 60), (300, 180)) for k in range(9)]).classification is Classification.PASS


def test_a_drop_waits_for_stable_s_next_sample_like_any_abort() -> None:
    blocks = [replace(rate(k, (0, 60), (300, 180)), stable_later=None) for k in range(3)]
    assert verdict(ORDERS, blocks).classification is Classification.UNDECIDED


@pytest.mark.parametrize("odd", [Arrivals(-1, 60), Arrivals(1, math.nan), Arrivals(1, 0), Counts(1, 60)])
def test_impossible_arrivals_are_absent(odd: Arrivals | Counts) -> None:
    stable = SideBlock({"s": Arrivals(300, 180)})
    blocks = [Block(k, SideBlock({"c": odd}), stable, stable) for k in range(3)]
    found = verdict(ORDERS, blocks)
    assert found.classification is Classification.NO_DATA
    assert "c: " in found.reason


def test_two_restarts_of_a_canary_pod_within_ten_minutes_and_none_in_stable_are_high_at_once() -> None:
    calm = [restarts(k, {"a": 0, "b": 0}, 0, 0.01) for k in range(5)]
    once = verdict(RESTARTS, [*calm, restarts(5, {"a": 1, "b": 1}, 0, 0.01)])
    assert once.classification is Classification.UNDECIDED
    twice = verdict(RESTARTS, [*calm, restarts(5, {"a": 1, "b": 1}, 0, 0.01), restarts(6, {"a": 1, "b": 0}, 0, 0.01)])
    assert twice.classification is Classification.HIGH
    assert twice.reason == "restarts: canary pod a restarted 2 times within 10 minutes, stable's pods never. Failed"


def test_the_rule_stays_broken_for_the_step_and_ends_the_release() -> None:
    blocks = [restarts(0, {"a": 2}, 0, 0.01), *(restarts(k, {"a": 0}, 0, 0.01) for k in range(1, 60))]
    evidence = enter(begin(Analysis((RESTARTS,), fast_lane=None), 1, TIMING), 0, abort_from=0)
    assert judge(fold(evidence, "restarts", blocks)).outcome is Outcome.FAIL


def test_restarts_far_apart_or_of_both_sides_do_not_break_the_rule() -> None:
    apart = [restarts(k, {"a": float(k in (0, 20))}, 0, 0.01) for k in range(21)]
    assert verdict(RESTARTS, apart).classification is Classification.UNDECIDED
    both = [restarts(0, {"a": 2}, 1, 0.01)]
    assert verdict(RESTARTS, both).classification is Classification.UNDECIDED


def test_many_restarts_are_high_by_the_test_where_stable_restarts_too() -> None:
    blocks = [restarts(k, {"a": 2}, float(k % 8 == 0), 1.0) for k in range(24)]
    found = verdict(RESTARTS, blocks)
    assert found.classification is Classification.HIGH
    assert "canary 48 in 24 pod-hours, stable 3 in 24 pod-hours" in found.reason
    assert "limit 2x + 0.02 per pod-hour" in found.reason


def test_a_few_quiet_hours_prove_nothing_and_need_not() -> None:
    found = verdict(RESTARTS, [restarts(k, {"a": 0}, 0, 1.0) for k in range(10)])
    assert (found.classification, found.proven) == (Classification.UNDECIDED, False)
    assert RESTARTS.gating is Gating.ABORT


@pytest.mark.parametrize("odd", [Restarts(-1, 1), Restarts(math.inf, 1), Restarts(1, 0), Arrivals(1, 1)])
def test_impossible_restarts_are_absent(odd: Restarts | Arrivals) -> None:
    stable = SideBlock({"s": Restarts(0, 1)})
    found = verdict(RESTARTS, [Block(0, SideBlock({"c": odd}), stable, stable)])
    assert found.classification is Classification.NO_DATA


def test_absolute_tolerance_of_a_rate_is_in_its_own_unit() -> None:
    wide = replace(ORDERS, tolerance=Margin(1.25, 2.0))
    assert verdict(wide, [rate(k, (50, 60), (300, 180)) for k in range(9)]).classification is not Classification.LOW
