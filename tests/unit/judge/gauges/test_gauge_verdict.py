"""What is said about a gauge, and with which numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.judge.gauges.verdict import judge_gauge
from analyzer.judge.order import Starts
from analyzer.model.block import Block, PodLevel
from analyzer.model.metric import Direction
from analyzer.model.noise import Noise
from analyzer.model.verdict import Classification
from tests.unit.judge.sample_levels import AT, CPU, SECONDS, block, folded, run, verdict


def test_a_hungrier_canary_is_high_and_the_reason_explains_itself() -> None:
    found = verdict(run(0.8, 0.4, range(5)))
    assert found.classification is Classification.HIGH
    assert found.reason == (
        "cpu: canary 0.8 (2 pods), stable 0.4 (4 pods): 2x (95 % interval 1.3x to 3x); limit 1.1x. "
        "Failed, false alarm chance below 1 %"
    )
    assert found.ratio == pytest.approx(2)
    assert found.levels == pytest.approx((0.8, 0.4))
    assert not found.proven


def test_an_equal_canary_passes_soon() -> None:
    few, many = verdict(run(1.0, 1.0, range(1))), verdict(run(1.0, 1.0, range(9)))
    assert (few.classification, few.proven) == (Classification.UNDECIDED, False)
    assert (many.classification, many.proven, many.advance_proven) == (Classification.PASS, True, True)
    assert "Passed: 1.5x or worse is ruled out, error chance below 5 %" in many.reason
    assert many.seconds_to_promote is None


def test_a_canary_between_tolerance_and_margin_is_proven_without_pod_spread_in_the_way() -> None:
    unlike = Noise(within_pod=0.1, pod_spread=0.5)
    assert verdict(run(1.0, 1.0, range(9)), noise=unlike).proven


def test_a_drop_is_low_where_less_is_worse() -> None:
    down = replace(CPU, direction=Direction.DOWN)
    found = verdict(run(0.4, 0.8, range(5)), down)
    assert found.classification is Classification.LOW
    assert "0.5x (95 % interval 0.34x to 0.74x); limit 0.91x. Failed" in found.reason
    assert verdict(run(0.8, 0.4, range(9)), down).classification is Classification.PASS


def test_the_forecast_is_when_proof_comes_if_the_canary_is_like_stable() -> None:
    early = verdict(run(1.0, 1.0, range(1)))
    assert early.seconds_to_promote is not None
    assert early.seconds_to_advance is not None
    assert early.seconds_to_advance <= early.seconds_to_promote
    needed = 1 + round(early.seconds_to_promote / SECONDS)
    assert not verdict(run(1.0, 1.0, range(needed - 1))).proven
    assert verdict(run(1.0, 1.0, range(needed + 1))).proven


def test_before_the_replicas_are_reached_nothing_is_proven_but_a_bad_canary_is_seen() -> None:
    unsettled = replace(AT, settled=False)
    good = judge_gauge(folded(run(1.0, 1.0, range(9)), starts=Starts(0)), unsettled)
    assert (good.classification, good.proven) == (Classification.UNDECIDED, False)
    assert "evidence for the canary starts when the step's replicas are available" in good.reason
    bad = judge_gauge(folded(run(2.0, 1.0, range(9)), starts=Starts(0)), unsettled)
    assert bad.classification is Classification.HIGH


def test_one_side_alone_is_no_data() -> None:
    found = verdict([block(0, {"c": "no series"}, 1.0)])
    assert found.classification is Classification.NO_DATA
    assert found.reason == "cpu: no data from both sides in 1 block (c: no series)"
    assert (found.ratio, found.interval, found.seconds_to_promote) == (None, None, None)


def test_nothing_yet_is_no_data() -> None:
    assert verdict([]).reason == "cpu: the first block of this step is not complete yet"


def test_levels_of_zero_are_no_data_and_say_why() -> None:
    found = verdict(run(0.0, 0.0, range(4)))
    assert found.classification is Classification.NO_DATA
    assert "level 0 cannot be compared as a ratio" in found.reason


def test_with_more_than_a_fifth_of_the_pods_missing_nothing_is_proven_but_aborts_go_on() -> None:
    def blocks(level: float) -> list[Block[PodLevel]]:
        return [block(k, {"a": level, "b": "gone"}, {"s": 1.0, "t": 1.0}) for k in range(20)]

    good, bad = verdict(blocks(1.0)), verdict(blocks(2.0))
    assert (good.classification, good.proven) == (Classification.NO_DATA, False)
    assert "20 of 80 pod measurements are missing" in good.reason
    assert bad.classification is Classification.HIGH


def test_an_error_hides_proof_but_not_an_abort() -> None:
    proven = judge_gauge(replace(folded(run(1.0, 1.0, range(9))), error="refused"), AT)
    assert (proven.classification, proven.proven, proven.reason) == (Classification.ERROR, False, "cpu: refused")
    bad = judge_gauge(replace(folded(run(2.0, 1.0, range(9))), error="refused"), AT)
    assert bad.classification is Classification.HIGH


def test_silent_pods_are_named() -> None:
    blocks = [block(k, {"a": 1.0, "b": "no series"}, 1.0) for k in range(3)]
    assert verdict(blocks).silent_pods == ("b",)


def test_levels_of_any_size_stay_finite() -> None:
    found = verdict([block(k, 1e300, 1e-300) for k in range(9)])
    assert found.classification is Classification.HIGH
    assert found.interval is not None


def test_the_smallest_visible_excess_is_where_an_abort_becomes_possible() -> None:
    unlike = Noise(within_pod=0.01, pod_spread=0.2)
    smallest = verdict(run(1.0, 1.0, range(1)), noise=unlike).smallest_visible
    assert smallest is not None
    assert verdict(run(1.07 * smallest, 1.0, range(300)), noise=unlike).classification is Classification.HIGH
    assert verdict(run(smallest / 1.07, 1.0, range(300)), noise=unlike).classification is Classification.UNDECIDED


def test_the_noise_and_the_series_are_part_of_the_verdict() -> None:
    noise = Noise(within_pod=0.2, pod_spread=0.1, source="from 6h of 9 pods")
    found = verdict(run(1.0, 1.0, range(1)), noise=noise)
    assert (found.noise, found.query) == (noise, "cpu_seconds")
    assert found.noise_note == (
        "with 2 canary pods, differences below 1.5x cannot be told from normal variation between pods"
    )
