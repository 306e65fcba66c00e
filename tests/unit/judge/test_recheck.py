"""A block is read again only where it may say more, and only then is kept what it takes to replace it."""

from __future__ import annotations

from dataclasses import replace

from analyzer.judge import Judged, fold, judge, judge_after, open_to_more, prove_from, sealed, unconfirmed
from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.evidence import Evidence
from analyzer.model.metric import RatioMetric
from tests.unit.judge.sample_blocks import block, folded, release, run, side

BAD, FINE = (41, 1204), (18, 3590)


def judged(evidence: Evidence) -> Judged:
    return judge_after(evidence, None)


def _errors(evidence: Evidence) -> CountEvidence:
    (one,) = evidence.metrics
    assert isinstance(one, CountEvidence)
    return one


def test_what_was_measured_whole_is_sealed_and_the_same_evidence() -> None:
    whole = judged(folded(release(), run(FINE, FINE, range(3))))
    small = sealed(whole)
    assert not open_to_more(whole)
    assert _errors(small.evidence).before is None
    assert small == whole
    assert small.verdict is whole.verdict


def test_a_sealed_block_that_comes_again_changes_nothing_and_the_next_one_counts() -> None:
    small = sealed(judged(folded(release(), run(FINE, FINE, range(3))))).evidence
    assert folded(small, [block(2, BAD, FINE, later=FINE)]) is small
    blocks = [block(2, BAD, FINE), *run(FINE, FINE, range(3, 4))]
    assert folded(small, blocks) == folded(release(), run(FINE, FINE, range(4)))
    assert _errors(folded(small, blocks)).before is not None


def test_an_abort_that_waits_for_stable_s_next_sample_names_its_block_and_stays_open() -> None:
    waiting = judged(folded(release(), [block(0, FINE, FINE), block(1, BAD, FINE)]))
    assert (open_to_more(waiting), unconfirmed(waiting)) == (True, 1)
    assert sealed(waiting) is waiting


def test_an_abort_that_stable_s_next_sample_refutes_waits_for_no_sample_any_more() -> None:
    refuted = judged(folded(release(), [block(0, BAD, FINE, later=(300, 3700))]))
    assert open_to_more(refuted)
    assert unconfirmed(refuted) is None


def test_a_block_with_a_pod_that_was_not_measured_stays_open() -> None:
    hurt = replace(block(0, FINE, FINE), stable=side(s=FINE, t="no sample"))
    assert open_to_more(judged(folded(release(), [hurt])))
    assert not open_to_more(judged(folded(release(), [hurt, block(1, FINE, FINE)])))


def test_only_what_has_changed_is_judged_again() -> None:
    two = release(RatioMetric("errors", "e", "t"), RatioMetric("refused", "r", "t"))
    before = judged(fold(two, "errors", run(FINE, FINE, range(3))))
    same = judge_after(before.evidence, before)
    assert same is before
    more = fold(before.evidence, "errors", run(FINE, FINE, range(3, 4)))
    after = judge_after(more, before)
    assert after.verdict == judge(more)
    assert after.verdict.metrics[1] is before.verdict.metrics[1]
    assert after.verdict.metrics[0] is not before.verdict.metrics[0]


def test_a_change_of_the_thresholds_is_judged_again() -> None:
    unsettled = judged(folded(release(settled=False), run(FINE, FINE, range(3))))
    proving = prove_from(unsettled.evidence, 3)
    assert judge_after(proving, unsettled).verdict == judge(proving)
    assert judge_after(proving, unsettled).verdict.metrics[0] is not unsettled.verdict.metrics[0]
