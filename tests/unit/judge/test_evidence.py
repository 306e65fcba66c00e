"""Evidence is a value: the same blocks give the same bits, in whatever portions and versions they came."""

from __future__ import annotations

import pytest

from analyzer.judge import begin, enter, fail, fold, judge, last_folded, prove_from
from analyzer.model.block import GuardReading
from analyzer.model.metric import Analysis, QueryMetric
from analyzer.model.verdict import Classification
from tests.unit.judge.sample_blocks import ERRORS, TIMING, block, folded, release, run, side

BLOCKS = [block(k, (k % 4, 100 + k), (2 * k % 7, 310 - k), later=(2 * k % 7, 312 - k)) for k in range(12)]


def test_one_block_at_a_time_or_all_at_once_is_the_same_to_the_last_bit() -> None:
    one_by_one = release()
    for each in BLOCKS:
        one_by_one = folded(one_by_one, [each])
    assert one_by_one == folded(release(), BLOCKS)
    assert judge(one_by_one) == judge(folded(release(), BLOCKS))


def test_a_later_version_of_the_latest_block_takes_its_place() -> None:
    early = block(5, (3, 100), (1, 300))
    late = block(5, (3, 100), (1, 300), later=(2, 310))
    straight = folded(folded(release(), BLOCKS[:5]), [late])
    detour = folded(folded(folded(release(), BLOCKS[:5]), [early]), [late])
    assert detour == straight
    assert folded(detour, BLOCKS[6:]) == folded(straight, BLOCKS[6:])


def test_a_different_block_leaves_different_evidence() -> None:
    other = [*BLOCKS[:-1], block(11, (5, 111), (1, 299))]
    assert folded(release(), other) != folded(release(), BLOCKS)


def test_a_step_entered_after_others_is_the_same_as_one_entered_after_a_restart() -> None:
    begun = begin(Analysis((ERRORS,), fast_lane=None), 3, TIMING)
    lived = folded(release(steps=3), BLOCKS[:4])
    lived = folded(enter(lived, 1, abort_from=6), BLOCKS[4:8])
    lived = folded(prove_from(lived, 8), BLOCKS[8:])
    restarted = folded(prove_from(enter(begun, 1, abort_from=6), 8), BLOCKS[6:])
    assert lived == restarted


def test_blocks_from_before_the_step_are_ignored() -> None:
    entered = enter(begin(Analysis((ERRORS,)), 1, TIMING), 0, abort_from=3)
    assert judge(folded(entered, BLOCKS[:3])).metrics[0].canary.total == 0
    assert judge(folded(entered, BLOCKS[:4])).metrics[0].canary == BLOCKS[3].canary.pods["c"]


def test_each_step_starts_anew() -> None:
    bad = folded(release(steps=2), run((30, 100), (1, 300), range(5)))
    anew = enter(bad, 1, abort_from=5)
    assert judge(anew).metrics[0].evidence != judge(bad).metrics[0].evidence
    assert judge(anew).metrics[0].canary.total == 0


def test_proof_counts_from_the_settled_block_on_and_abort_from_the_entered_one() -> None:
    unsettled = folded(release(settled=False), run((0, 5000), (0, 5000), range(3)))
    assert judge(unsettled).metrics[0].evidence.promote == 0  # type: ignore[union-attr]
    assert judge(unsettled).metrics[0].canary.total == 15000
    settled = folded(prove_from(unsettled, 3), run((0, 4000), (0, 4000), range(3, 4)))
    verdict = judge(settled).metrics[0]
    assert verdict.canary.total == 4000
    alone = judge(folded(release(), run((0, 4000), (0, 4000), range(1)))).metrics[0]
    assert verdict.evidence.promote == alone.evidence.promote  # type: ignore[union-attr]
    assert verdict.evidence.abort < alone.evidence.abort  # type: ignore[union-attr]


@pytest.mark.parametrize("index", [2, 5])
def test_refuses_an_older_block_and_a_gap(index: int) -> None:
    with pytest.raises(ValueError, match=f"block {index}"):
        folded(folded(release(), BLOCKS[:4]), [BLOCKS[index]])


def test_refuses_a_first_block_that_leaves_out_the_step_s_beginning() -> None:
    with pytest.raises(ValueError, match="leaves out blocks 0 to 1"):
        folded(release(), BLOCKS[2:3])


def test_refuses_to_begin_a_step_or_its_proof_in_blocks_that_were_folded() -> None:
    evidence = folded(release(settled=False, steps=2), BLOCKS[:4])
    with pytest.raises(ValueError, match="block 3 is in the evidence already"):
        prove_from(evidence, 3)
    with pytest.raises(ValueError, match="begin again"):
        enter(evidence, 1, abort_from=2)


def test_proof_begins_once() -> None:
    evidence = prove_from(release(settled=False), 4)
    assert prove_from(evidence, 4) == evidence
    with pytest.raises(ValueError, match="began at block 4"):
        prove_from(evidence, 5)


def test_refuses_what_makes_no_sense() -> None:
    begun = begin(Analysis((ERRORS,)), 2, TIMING)
    with pytest.raises(ValueError, match="at least one step"):
        begin(Analysis((ERRORS,)), 0, TIMING)
    with pytest.raises(ValueError, match="no step was entered"):
        folded(begun, BLOCKS)
    with pytest.raises(ValueError, match="there is no step 2"):
        enter(begun, 2, abort_from=0)
    with pytest.raises(ValueError, match="no metric 'latency'"):
        fold(release(), "latency", BLOCKS)
    with pytest.raises(ValueError, match="type Block only"):
        fold(release(), "errors", [GuardReading(0, 1.0)])


def test_an_error_lasts_until_the_next_successful_fold() -> None:
    failed = fail(folded(release(), BLOCKS[:3]), "errors", "query refused: parse error")
    assert judge(failed).metrics[0].classification is Classification.ERROR
    assert judge(failed).metrics[0].reason == "errors: query refused: parse error"
    assert fold(failed, "errors", []) == folded(release(), BLOCKS[:3])


def test_metrics_know_their_newest_block_each() -> None:
    slo = QueryMetric("slo", "up", max=1)
    evidence = folded(release(ERRORS, slo), BLOCKS[:3])
    assert (last_folded(evidence, "errors"), last_folded(evidence, "slo")) == (2, None)
    assert judge(evidence).last_block == 2


def test_the_order_in_which_pods_are_listed_does_not_matter() -> None:
    pods = {"a": (1, 0.1), "b": (2, 1e15), "d": (3, 0.2)}
    forwards = block(0, side(**pods), (1, 5))
    backwards = block(0, side(**dict(reversed(pods.items()))), (1, 5))
    one, other = folded(release(), [forwards]), folded(release(), [backwards])
    assert judge(one) == judge(other)
