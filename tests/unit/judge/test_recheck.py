"""A block is read again only where it may say more, and only then is kept what it takes to replace it."""

from __future__ import annotations

from dataclasses import replace

from analyzer.judge import judge, open_to_more, sealed, unconfirmed
from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.evidence import Evidence
from tests.unit.judge.sample_blocks import block, folded, release, run, side

BAD, FINE = (41, 1204), (18, 3590)


def _errors(evidence: Evidence) -> CountEvidence:
    (one,) = evidence.metrics
    assert isinstance(one, CountEvidence)
    return one


def test_what_was_measured_whole_is_sealed_and_the_same_evidence() -> None:
    whole = folded(release(), run(FINE, FINE, range(3)))
    judge(whole)
    small = sealed(whole)
    assert not open_to_more(whole)
    assert _errors(small).before is None
    assert small == whole
    assert judge(small) is judge(whole)


def test_a_sealed_block_that_comes_again_changes_nothing_and_the_next_one_counts() -> None:
    small = sealed(folded(release(), run(FINE, FINE, range(3))))
    assert folded(small, [block(2, BAD, FINE, later=FINE)]) is small
    blocks = [block(2, BAD, FINE), *run(FINE, FINE, range(3, 4))]
    assert folded(small, blocks) == folded(release(), run(FINE, FINE, range(4)))
    assert _errors(folded(small, blocks)).before is not None


def test_an_abort_that_waits_for_stable_s_next_sample_names_its_block_and_stays_open() -> None:
    waiting = folded(release(), [block(0, FINE, FINE), block(1, BAD, FINE)])
    assert (open_to_more(waiting), unconfirmed(waiting)) == (True, 1)
    assert sealed(waiting) is waiting


def test_an_abort_that_stable_s_next_sample_refutes_waits_for_no_sample_any_more() -> None:
    refuted = folded(release(), [block(0, BAD, FINE, later=(300, 3700))])
    assert open_to_more(refuted)
    assert unconfirmed(refuted) is None


def test_a_block_with_a_pod_that_was_not_measured_stays_open() -> None:
    hurt = replace(block(0, FINE, FINE), stable=side(s=FINE, t="no sample"))
    assert open_to_more(folded(release(), [hurt]))
    assert not open_to_more(folded(release(), [hurt, block(1, FINE, FINE)]))
