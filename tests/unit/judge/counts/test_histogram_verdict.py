"""Latencies are judged per bound: the share of requests above it, never a quantile."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analyzer.judge.offline.replay import judge_case
from analyzer.model.block import Block, Buckets, SideBlock
from analyzer.model.metric import Analysis, HistogramMetric, Margin
from analyzer.model.noise import BoundNoise, Noise
from analyzer.model.verdict import Classification
from tests.unit.judge.sample_kinds import BOUNDS, buckets, histogram, verdict

LATENCY = HistogramMetric("latency", "http_request_duration_seconds_bucket", objective=0.25)
GOOD, SLOW = (600, 370, 25, 5), (600, 300, 95, 5)


def blocks(canary: tuple[float, ...], stable: tuple[float, ...], count: int) -> list[Block[Buckets]]:
    return [histogram(k, canary, stable) for k in range(count)]


def test_a_slower_canary_is_high_and_the_bound_explains_it() -> None:
    found = verdict(LATENCY, blocks(SLOW, GOOD, 3))
    assert found.classification is Classification.HIGH
    assert found.boundary == "250 ms"
    assert found.reason.startswith("latency: canary 10 % over 250 ms (300 of 3,000), stable 3 % (90 of 3,000): 3.3x")
    assert found.reason.endswith("limit 1.25x + 0.1 pp. Failed, false alarm chance below 1 %")
    assert (found.canary.events, found.canary.total) == (300, 3000)
    assert found.query == LATENCY.buckets


def test_the_bound_with_the_largest_evidence_explains_not_the_objective() -> None:
    tail = (600, 370, 10, 20)
    found = verdict(LATENCY, blocks(tail, GOOD, 6))
    assert found.classification is Classification.HIGH
    assert found.boundary == "1 s"


def test_an_equal_canary_passes() -> None:
    few, many = verdict(LATENCY, blocks(GOOD, GOOD, 1)), verdict(LATENCY, blocks(GOOD, GOOD, 30))
    assert few.classification is Classification.UNDECIDED
    assert (many.classification, many.proven) == (Classification.PASS, True)


def test_a_bad_tail_is_not_carried_by_a_good_objective() -> None:
    """Over 1 s: 1.0 % against 0.5 %, which is 2x; over the objective both are alike."""
    found = verdict(LATENCY, blocks((600, 370, 20, 10), GOOD, 20))
    assert not found.proven
    assert found.boundary == "1 s"


def test_a_bound_that_nobody_crossed_must_be_proven_like_a_metric_without_errors() -> None:
    fast = (600, 370, 30, 0)
    assert not verdict(LATENCY, blocks(fast, fast, 1)).proven
    assert verdict(LATENCY, blocks(fast, fast, 30)).proven


@pytest.mark.parametrize("place", range(4))
def test_all_requests_in_one_bucket_are_no_resolution_and_never_a_pass(place: int) -> None:
    one = tuple(1000.0 * (bucket == place) for bucket in range(4))
    found = verdict(LATENCY, blocks(one, one, 50))
    assert (found.classification, found.proven, found.advance_proven) == (Classification.UNDECIDED, False, False)
    assert "lie in one bucket" in found.reason


def test_a_canary_all_above_a_bound_that_stable_stays_below_is_high() -> None:
    found = verdict(LATENCY, blocks((0, 0, 1000, 0), (0, 1000, 0, 0), 2))
    assert found.classification is Classification.HIGH


def test_margins_follow_stable_s_share_below_the_90th_percentile_and_in_the_tail() -> None:
    body = (700, 200, 95, 5)
    found = verdict(replace(LATENCY, objective=0.1), blocks(body, body, 20))
    assert "Passed: 1.25x + 1 pp or worse is ruled out" in found.reason or found.boundary != "100 ms"
    slower = verdict(replace(LATENCY, objective=0.1), blocks((550, 350, 95, 5), body, 20))
    assert slower.boundary == "100 ms"
    assert "limit 1.1x + 0.5 pp. Failed" in slower.reason
    own = verdict(replace(LATENCY, tolerance=Margin(3, 0.1)), blocks(SLOW, GOOD, 3))
    assert own.classification is not Classification.HIGH


def test_the_objective_has_half_of_the_weight() -> None:
    with_it, without = (
        verdict(replace(LATENCY, objective=objective), blocks(SLOW, GOOD, 3)) for objective in (0.25, None)
    )
    assert with_it.evidence is not None
    assert without.evidence is not None
    assert with_it.evidence.abort - without.evidence.abort == pytest.approx(math.log(0.5 * 3), abs=0.05)


def test_noise_may_differ_from_bound_to_bound() -> None:
    noise = Noise(9, 0.5, bounds=(BoundNoise(9, 0.5), BoundNoise(1, 0), BoundNoise(9, 0.5)))
    quiet, loud = verdict(LATENCY, blocks(SLOW, GOOD, 3), noise), verdict(LATENCY, blocks(SLOW, GOOD, 3), Noise(9, 0.5))
    assert quiet.classification is Classification.HIGH
    assert loud.classification is Classification.UNDECIDED
    assert (quiet.noise_note is None, loud.noise_note is None) == (True, False)


def test_sides_with_other_bounds_are_compared_at_those_they_share() -> None:
    canary = SideBlock({"c": buckets((300, 300, 300, 95, 5))}, bounds=(0.05, 0.1, 0.25, 1.0, math.inf))
    stable = SideBlock({"s": buckets((600, 370, 25, 5))}, bounds=BOUNDS)
    found = verdict(LATENCY, [Block(k, canary, stable, stable) for k in range(3)])
    assert (found.classification, found.boundary) == (Classification.HIGH, "250 ms")


@pytest.mark.parametrize(
    ("bounds", "counts", "reason"),
    [
        ((0.1, 0.25, 1.0), (1, 2, 3), "without +Inf"),
        ((0.25, 0.1, 1.0, math.inf), (1, 2, 3, 4), "out of order"),
        ((0.1, 0.1, 1.0, math.inf), (1, 2, 3, 4), "out of order"),
        ((math.nan, 0.1, 1.0, math.inf), (1, 2, 3, 4), "out of order"),
        ((), (), "no buckets"),
        (BOUNDS, (1, 2, 3), "3 buckets for 4 bounds"),
        (BOUNDS, (4, 3, 5, 6), "never fall"),
        (BOUNDS, (-1, 3, 5, 6), "impossible buckets"),
        (BOUNDS, (math.nan, 3, 5, 6), "impossible buckets"),
        (BOUNDS, (1, 3, 5, math.inf), "impossible buckets"),
    ],
)
def test_impossible_buckets_are_absent_with_the_reason(
    bounds: tuple[float, ...], counts: tuple[float, ...], reason: str
) -> None:
    stable = SideBlock({"s": buckets(GOOD)}, bounds=BOUNDS)
    odd = SideBlock({"c": Buckets(counts)}, bounds=bounds)
    found = verdict(LATENCY, [Block(k, odd, stable, stable) for k in range(3)])
    assert found.classification is Classification.NO_DATA
    assert reason in found.reason or "no bound in common" in found.reason
    later = verdict(LATENCY, [histogram(0, GOOD, GOOD), *(Block(k, odd, stable, stable) for k in range(1, 9))])
    assert (later.canary.total, later.proven) == (1000, False)


def test_a_billion_requests_and_none_at_all_are_fine() -> None:
    many = tuple(count * 1e6 for count in GOOD)
    assert verdict(LATENCY, blocks(many, many, 3)).classification is Classification.PASS
    assert verdict(LATENCY, blocks((0, 0, 0, 0), GOOD, 3)).classification is Classification.UNDECIDED


def test_many_bounds_are_thinned_out_and_keep_the_objective() -> None:
    bounds = (*(float(k) for k in range(1, 31)), math.inf)
    per_bucket = [30.0] * 31
    metric = HistogramMetric("size", "response_bytes_bucket", objective=17.0, tolerance=Margin(1.1, 0.005))
    worse = [*per_bucket[:16], 10.0, *per_bucket[17:-1], 50.0]
    found = verdict(metric, [histogram(k, worse, per_bucket, bounds) for k in range(40)])
    assert found.boundary == "30"
    assert found.classification is Classification.HIGH


def test_false_aborts_at_the_tolerances_stay_below_alpha() -> None:
    rng = np.random.default_rng(5)
    share = np.array([0.4, 0.05, 0.005])
    bad = np.array([1.1 * 0.4 + 0.005, 1.25 * 0.05 + 0.001, 1.25 * 0.005 + 0.001])
    runs, aborted = 120, 0
    analysis = Analysis((LATENCY,), fast_lane=None)
    for _ in range(runs):
        made = []
        for index in range(60):
            sides = [_drawn(rng, above) for above in (bad, share)]
            made.append(Block(index, sides[0], sides[1]))
        result = judge_case(analysis, [0], {"latency": made}, {"latency": Noise()})
        aborted += result.verdict.metrics[0].classification is Classification.HIGH
    assert aborted == 0 or float(stats.beta.ppf(0.001, aborted, runs - aborted + 1)) <= 0.01


def _drawn(rng: np.random.Generator, above: np.typing.NDArray[np.float64]) -> SideBlock[Buckets]:
    chances = -np.diff(np.concatenate([[1.0], above, [0.0]]))
    return SideBlock({"p": buckets([float(count) for count in rng.multinomial(300, chances)])}, bounds=BOUNDS)
