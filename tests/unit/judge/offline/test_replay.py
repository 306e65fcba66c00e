"""A recorded release is judged as the daemon would have: at the first block where it would have acted."""

from __future__ import annotations

import pytest

from analyzer.judge.offline.replay import judge_case
from analyzer.model.block import Block
from analyzer.model.metric import Analysis
from analyzer.model.verdict import Outcome
from tests.unit.judge.sample_blocks import ERRORS, block, run, side

ANALYSIS = Analysis((ERRORS,))
GOOD, BAD = ((0, 9000), (0, 9000)), ((60, 1000), (5, 1000))


def decided(blocks: list[Block], steps: tuple[int, ...] = (0,)) -> tuple[Outcome, int | None]:
    found = judge_case(ANALYSIS, steps, {"errors": blocks})
    return found.verdict.outcome, found.decided_at


def test_aborts_at_the_first_block_that_shows_it_in_any_step() -> None:
    assert decided(run(*BAD, range(9))) == (Outcome.FAIL, 0)
    assert decided([*run(*GOOD, range(30)), *run(*BAD, range(30, 40))], (0, 30)) == (Outcome.FAIL, 30)


def test_promotes_in_the_last_step_only() -> None:
    assert decided(run(*GOOD, range(99))) == (Outcome.PASS, 0)
    assert decided(run(*GOOD, range(99)), (0, 70)) == (Outcome.PASS, 70)
    assert decided(run(*GOOD, range(60)), (0, 70)) == (Outcome.INCONCLUSIVE, None)


def test_what_comes_after_the_decision_changes_nothing() -> None:
    short = judge_case(ANALYSIS, (0,), {"errors": run(*GOOD, range(3))})
    long = judge_case(ANALYSIS, (0,), {"errors": [*run(*GOOD, range(3)), *run(*BAD, range(3, 50))]})
    assert (long.decided_at, long.verdict) == (short.decided_at, short.verdict)


def test_both_sides_are_taken_to_be_measured_at_once() -> None:
    assert decided([block(k, *BAD) for k in range(3)]) == (Outcome.FAIL, 0)


def test_there_is_no_fast_lane_so_the_whole_alpha_is_the_main_test_s() -> None:
    (metric,) = judge_case(ANALYSIS, (0,), {"errors": run(*BAD, range(1))}).verdict.metrics
    assert "false alarm chance below 1 %" in metric.reason


def test_without_blocks_nothing_is_decided() -> None:
    assert decided([]) == (Outcome.INCONCLUSIVE, None)
    assert decided([block(0, side(), (1, 10)), block(1, side(c="gone"), side())]) == (Outcome.INCONCLUSIVE, None)


@pytest.mark.parametrize("steps", [(), (5, 5), (5, 2)])
def test_refuses_steps_that_can_not_be(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="step"):
        decided(run(*GOOD, range(9)), steps)


def test_refuses_blocks_that_are_not_in_their_place() -> None:
    with pytest.raises(ValueError, match="block 0 of the recording has the index 3"):
        decided(run(*GOOD, range(3, 9)))
