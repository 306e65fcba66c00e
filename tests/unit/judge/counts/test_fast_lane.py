"""The fast lane: a version that fails outright does not live until its first block is over."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from analyzer.judge import Evidence, begin, enter, fold, fold_fast, judge, last_slot, prove_from
from analyzer.model.block import Block
from analyzer.model.metric import Analysis, Gating, HistogramMetric, Margin
from analyzer.model.noise import Noise
from analyzer.model.verdict import Classification, LogEvidence, Outcome
from tests.unit.judge.sample_blocks import ERRORS, TIMING, block, run, side

CALM = (0.0, 30.0)


def entered(steps: int = 1, noise: Noise | None = None, fast_from: int | None = 0) -> Evidence:
    begun = begin(Analysis((ERRORS,)), steps, TIMING, None if noise is None else {"errors": noise})
    return enter(begun, 0, abort_from=5, fast_from=fast_from)


def slot(index: int, failed: float, total: float = 10, stable: tuple[float, float] = CALM) -> Block:
    """A slot with one canary pod and three stable ones."""
    return block(index, (failed, total), side(a=stable, b=stable, c=stable))


def nats(evidence: Evidence) -> LogEvidence:
    found = judge(evidence).metrics[0].evidence
    assert found is not None
    return found


def test_alpha_is_shared_between_both_lanes() -> None:
    main = nats(entered(steps=4)).abort_at
    failing = nats(fold_fast(entered(steps=4), "errors", [slot(k, 10) for k in range(20)])).abort_at
    assert main == pytest.approx(math.log(4 / (0.9 * 0.01)))
    assert failing == pytest.approx(math.log(4 / (0.1 * 0.01)))
    assert math.exp(-main) + math.exp(-failing) == pytest.approx(0.01 / 4)
    alone = enter(begin(Analysis((ERRORS,), fast_lane=None), 4, TIMING), 0, abort_from=0)
    assert nats(alone).abort_at == pytest.approx(math.log(4 / 0.01))


def test_a_version_that_fails_half_of_its_requests_is_aborted_after_some_forty() -> None:
    def outcome(slots: int) -> Outcome:
        return judge(fold_fast(entered(), "errors", [slot(k, 5) for k in range(slots)])).outcome

    assert outcome(2) is not Outcome.FAIL
    assert outcome(5) is Outcome.FAIL


def test_it_says_that_the_version_fails_outright() -> None:
    found = judge(fold_fast(entered(), "errors", [slot(k, 8) for k in range(5)])).metrics[0]
    assert (found.classification, found.lane) == (Classification.HIGH, "fast")
    assert found.reason == (
        "errors: canary 80 % (40 of 50), stable 0 % (0 of 450); limit 5x + 10 pp. "
        "Failed outright, false alarm chance below 0.1 %"
    )
    assert found.canary.total == 50
    assert not found.proven


def test_a_version_that_is_merely_worse_is_left_to_the_main_test() -> None:
    slots = [slot(k, 1) for k in range(200)]
    assert judge(fold_fast(entered(), "errors", slots)).outcome is Outcome.INCONCLUSIVE


def test_with_few_stable_pods_it_waits_for_stable_s_next_sample() -> None:
    bad = [block(k, (8, 10), side(a=CALM, b=CALM)) for k in range(9)]
    pending = fold_fast(entered(), "errors", bad)
    assert judge(pending).outcome is Outcome.INCONCLUSIVE
    assert not judge(pending).advance
    last = bad[-1]
    confirmed = fold_fast(pending, "errors", [replace(last, stable_later=last.stable)])
    assert judge(confirmed).outcome is Outcome.FAIL


def test_a_shared_incident_does_not_abort() -> None:
    slots = [slot(k, 8, stable=(24, 30)) for k in range(20)]
    assert judge(fold_fast(entered(), "errors", slots)).outcome is Outcome.INCONCLUSIVE


def test_dispersion_counts_here_too() -> None:
    slots = [slot(k, 5) for k in range(5)]
    noisy = fold_fast(entered(noise=Noise(dispersion=3)), "errors", slots)
    assert judge(noisy).outcome is Outcome.INCONCLUSIVE


def test_slots_may_come_in_portions_and_again() -> None:
    slots = [slot(k, k % 4) for k in range(10)]
    straight = fold_fast(entered(), "errors", slots)
    portions = fold_fast(fold_fast(entered(), "errors", [*slots[:4], slot(4, 9)]), "errors", slots[4:])
    assert portions == straight
    assert last_slot(straight, "errors") == 9


def test_each_step_starts_anew_at_its_first_slot() -> None:
    failing = fold_fast(entered(steps=2), "errors", [slot(k, 2) for k in range(9)])
    anew = enter(failing, 1, abort_from=9, fast_from=12)
    assert judge(anew) == judge(enter(entered(steps=2), 1, abort_from=9, fast_from=12))
    ignored = fold_fast(anew, "errors", [slot(k, 10) for k in range(9, 12)])
    assert judge(ignored).outcome is Outcome.INCONCLUSIVE
    with pytest.raises(ValueError, match="leaves out blocks 12 to 13"):
        fold_fast(anew, "errors", [slot(14, 0)])


def test_refuses_slots_where_there_is_no_lane() -> None:
    with pytest.raises(ValueError, match="without fast_from"):
        fold_fast(entered(fast_from=None), "errors", [slot(0, 0)])
    latency = HistogramMetric("latency", "x_bucket")
    evidence = enter(begin(Analysis((latency,)), 1, TIMING), 0, abort_from=0, fast_from=0)
    with pytest.raises(ValueError, match="latency has no fast lane"):
        fold_fast(evidence, "latency", [slot(0, 0)])
    folded = fold_fast(entered(steps=2), "errors", [slot(0, 0)])
    with pytest.raises(ValueError, match="slot 0 is in the evidence already"):
        enter(folded, 1, abort_from=9, fast_from=0)


def test_a_metric_that_only_informs_does_not_abort_in_the_fast_lane_either() -> None:
    shown = replace(ERRORS, gating=Gating.NONE)
    evidence = enter(begin(Analysis((shown,)), 1, TIMING), 0, abort_from=5, fast_from=0)
    assert judge(fold_fast(evidence, "errors", [slot(k, 10) for k in range(9)])).outcome is Outcome.INCONCLUSIVE


def test_both_lanes_abort_and_the_clearer_one_explains() -> None:
    evidence = prove_from(enter(begin(Analysis((ERRORS,), fast_lane=Margin(5, 0.1)), 1, TIMING), 0, 0, 0), 0)
    evidence = fold_fast(evidence, "errors", [slot(k, 8) for k in range(5)])
    main = fold(evidence, "errors", run((400, 1000), (5, 1000), range(3)))
    assert judge(main).metrics[0].lane == "main"
    assert judge(evidence).metrics[0].lane == "fast"


def test_absent_and_impossible_slots_are_no_evidence() -> None:
    odd = [block(0, side(c="no series"), CALM), block(1, (20, 10), CALM), block(2, (math.nan, 10), CALM)]
    assert fold_fast(entered(), "errors", odd).metrics != entered().metrics
    assert judge(fold_fast(entered(), "errors", odd)) == judge(entered())
