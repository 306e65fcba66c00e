"""How a gauge's blocks become evidence: order, absence, clipping, and the sums behind it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from analyzer.judge.gauges.evidence import GaugeEvidence, fold_levels
from analyzer.judge.gauges.verdict import judge_gauge
from analyzer.judge.order import Starts
from analyzer.model.block import Block, PodLevel
from analyzer.model.metric import Direction
from analyzer.model.noise import Noise
from tests.unit.judge.sample_levels import AT, CPU, QUIET, SECONDS, STEP, block, folded, run


def test_blocks_one_by_one_or_all_at_once_leave_the_same_evidence() -> None:
    blocks = [block(k, 1.0 + 0.1 * (k % 3), 1.0) for k in range(7)]
    at_once, one_by_one = folded(blocks), GaugeEvidence(CPU, QUIET, SECONDS)
    for each in blocks:
        one_by_one = fold_levels(one_by_one, [each], STEP)
    assert at_once == one_by_one


def test_the_latest_block_may_come_again_and_is_replaced() -> None:
    calm = run(1.0, 1.0, range(3))
    assert folded([*calm, block(3, 9.0, 1.0), block(3, 1.0, 1.0)]) == folded(run(1.0, 1.0, range(4)))


def test_a_gap_or_an_older_block_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves out blocks 2 to 3"):
        folded([*run(1.0, 1.0, range(2)), block(4, 1.0, 1.0)])
    with pytest.raises(ValueError, match="comes after block 1"):
        folded([*run(1.0, 1.0, range(2)), block(0, 1.0, 1.0)])


def test_blocks_before_the_step_and_before_its_replicas_are_reached_do_not_count() -> None:
    early = folded(run(9.0, 1.0, range(6)), starts=Starts(3, 5))
    assert (early.last, early.state.abort.counted, early.state.proof.counted) == (5, 3, 1)


def test_the_order_of_pods_and_blocks_does_not_matter() -> None:
    there = [block(0, {"a": 1.1, "b": 1.3}, 1.0), block(1, {"a": 2.0, "b": 1.0}, 1.2)]
    back = [replace(there[1], index=0), block(1, {"b": 1.3, "a": 1.1}, 1.0)]
    one, other = (judge_gauge(folded(blocks), AT).evidence for blocks in (there, back))
    assert one is not None
    assert other is not None
    assert one.abort == pytest.approx(other.abort)


@pytest.mark.parametrize("level", [0.0, -1.0, math.nan, math.inf])
def test_a_level_without_a_logarithm_makes_the_pod_absent_with_the_reason(level: float) -> None:
    state = folded([block(0, {"a": level, "b": 1.0}, 1.0)]).state
    assert (state.abort.counted, state.abort.absent, state.canary_pods) == (1, 1, 1)
    assert state.abort.absence is not None
    assert "cannot be compared as a ratio (expected a number above 0)" in state.abort.absence


def test_a_block_needs_both_sides() -> None:
    assert folded([block(0, {"c": "no series"}, 1.0), block(1, 1.0, {})]).state.abort.counted == 0


def test_a_canary_pod_is_covered_once_it_was_measured() -> None:
    state = folded([block(0, {"a": 1.0, "b": "no series"}, 1.0)]).state
    assert not state.presence.covered
    assert folded(run(1.0, 1.0, range(1))).state.presence.covered


def test_no_single_block_can_end_a_release() -> None:
    for canary in (2.0, 50.0, 1e300):
        found = judge_gauge(folded([block(0, canary, 1.0)]), AT)
        assert found.evidence is not None
        assert found.evidence.abort <= 0


def test_an_incident_that_reaches_one_side_a_block_earlier_aborts_nothing() -> None:
    calm = run(1.0, 1.0, range(5))
    assert not _aborted([*calm, block(5, 20.0, 1.0), *run(20.0, 20.0, range(6, 12))])


def test_a_less_is_worse_gauge_is_the_mirror_image() -> None:
    down = replace(CPU, direction=Direction.DOWN)
    up = judge_gauge(folded(run(1.4, 1.0, range(5))), AT).evidence
    assert judge_gauge(folded(run(1.0, 1.4, range(5)), down), AT).evidence == up


def test_a_wandering_gauge_needs_more_blocks() -> None:
    assert _aborted(run(1.5, 1.0, range(14)))
    assert not _aborted(run(1.5, 1.0, range(14)), Noise(within_pod=0.3))


def test_an_excess_that_unlike_pods_explain_is_no_abort_at_any_length() -> None:
    assert _aborted(run(1.5, 1.0, range(2000)))
    assert not _aborted(run(1.5, 1.0, range(2000)), Noise(within_pod=0.1, pod_spread=0.3))


def test_pods_that_never_move_still_leave_finite_evidence() -> None:
    found = judge_gauge(folded(run(2.0, 1.0, range(50)), noise=Noise(within_pod=0.0)), AT).evidence
    assert found is not None
    assert all(math.isfinite(number) for number in (found.abort, found.promote, found.advance))


def _aborted(blocks: list[Block[PodLevel]], noise: Noise = QUIET) -> bool:
    evidence = GaugeEvidence(CPU, noise, SECONDS)
    for each in blocks:
        evidence = fold_levels(evidence, [each], STEP)
        found = judge_gauge(evidence, AT).evidence
        assert found is not None
        if found.abort >= AT.abort:
            return True
    return False
