"""How metrics are combined: one alpha for the release, every proof for a promotion, abort before all."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from analyzer.judge import Evidence, begin, enter, fail, fold, judge, prove_from
from analyzer.model.block import Block
from analyzer.model.metric import Analysis, Gating, GaugeMetric, RatioMetric
from analyzer.model.verdict import Classification, MetricVerdict, Outcome
from tests.unit.judge.sample_blocks import ERRORS, TIMING, block, folded, release, run, side

CHECKOUT = replace(ERRORS, name="checkout")
GOOD = run((0, 9000), (0, 9000), range(3))
BAD = run((60, 1000), (5, 1000), range(3))
THIN = run((0, 10), (0, 10), range(3))


def both(errors: list[Block], checkout: list[Block], second: RatioMetric = CHECKOUT) -> Evidence:
    return fold(folded(release(ERRORS, second), errors), "checkout", checkout)


def abort_at(metric: MetricVerdict) -> float:
    assert metric.evidence is not None
    return metric.evidence.abort_at


def test_alpha_is_split_by_importance_and_steps() -> None:
    heavy = replace(ERRORS, importance=3)
    silent = RatioMetric("shown", "e", "t", gating=Gating.NONE, importance=100)
    metrics = judge(release(heavy, CHECKOUT, silent, steps=4)).metrics
    assert abort_at(metrics[0]) == pytest.approx(math.log(4 / (0.75 * 0.01)))
    assert abort_at(metrics[1]) == pytest.approx(math.log(4 / (0.25 * 0.01)))
    levels = [math.exp(-abort_at(one)) for one in metrics[:2]]
    assert 4 * sum(levels) == pytest.approx(0.01)


def test_passes_when_every_gating_metric_is_proven_in_the_last_step() -> None:
    assert judge(both(GOOD, GOOD)).outcome is Outcome.PASS
    waiting = judge(both(GOOD, THIN))
    assert waiting.outcome is Outcome.INCONCLUSIVE
    assert waiting.reason.startswith("checkout: ")
    assert not waiting.advance


def test_proof_before_the_last_step_advances_and_does_not_pass() -> None:
    evidence = folded(release(steps=3), GOOD)
    verdict = judge(evidence)
    assert (verdict.outcome, verdict.advance) == (Outcome.INCONCLUSIVE, True)
    assert verdict.metrics[0].classification is Classification.PASS
    last = prove_from(enter(evidence, 2, abort_from=3), 3)
    assert judge(last).outcome is Outcome.INCONCLUSIVE
    assert judge(folded(last, run((0, 9000), (0, 9000), range(3, 6)))).outcome is Outcome.PASS


def test_one_bad_metric_fails_the_release_and_is_its_culprit() -> None:
    verdict = judge(both(GOOD, BAD))
    assert (verdict.outcome, verdict.culprit, verdict.advance) == (Outcome.FAIL, "checkout", False)
    assert verdict.reason == verdict.metrics[1].reason
    assert verdict.adverse


def test_the_culprit_is_the_metric_that_is_furthest_beyond_its_threshold() -> None:
    worse = run((200, 1000), (5, 1000), range(3))
    assert judge(both(BAD, worse)).culprit == "checkout"
    assert judge(both(worse, BAD)).culprit == "errors"


def test_an_abort_wins_over_an_error() -> None:
    assert judge(fail(both(GOOD, BAD), "errors", "refused")).outcome is Outcome.FAIL


def test_an_error_of_a_gating_metric_is_never_a_pass() -> None:
    verdict = judge(fail(both(GOOD, GOOD), "checkout", "refused"))
    assert (verdict.outcome, verdict.reason, verdict.advance) == (Outcome.ERROR, "checkout: refused", False)


def test_a_metric_that_only_informs_has_no_vote_and_shows_its_numbers() -> None:
    verdict = judge(both(GOOD, BAD, replace(CHECKOUT, gating=Gating.NONE)))
    assert (verdict.outcome, verdict.culprit, verdict.adverse) == (Outcome.PASS, None, False)
    assert verdict.metrics[1].interval is not None
    assert judge(fail(both(GOOD, BAD, replace(CHECKOUT, gating=Gating.NONE)), "checkout", "x")).outcome is (
        Outcome.PASS
    )


def test_a_metric_that_gates_aborts_only_need_not_be_proven() -> None:
    assert judge(both(GOOD, THIN, replace(CHECKOUT, gating=Gating.ABORT))).outcome is Outcome.PASS
    assert judge(both(GOOD, BAD, replace(CHECKOUT, gating=Gating.ABORT))).outcome is Outcome.FAIL


def test_nothing_to_prove_is_never_a_pass() -> None:
    verdict = judge(folded(release(replace(ERRORS, gating=Gating.ABORT)), GOOD))
    assert (verdict.outcome, verdict.advance) == (Outcome.INCONCLUSIVE, False)
    assert "no metric gates promotion" in verdict.reason
    assert judge(begin(Analysis(()), 1, TIMING)).outcome is Outcome.INCONCLUSIVE


def test_covered_when_each_expected_canary_pod_was_in_a_block_with_data() -> None:
    def covered(*canaries: dict[str, tuple[float, float] | str]) -> bool:
        blocks = [block(k, side(**one), (0, 100)) for k, one in enumerate(canaries)]
        return judge(folded(release(), blocks)).covered

    here, gone = (0.0, 100.0), "no series"
    assert not covered()
    assert covered({"a": here, "b": here})
    assert not covered({"a": here, "b": gone})
    assert covered({"a": here, "b": gone}, {"a": gone, "b": here})
    assert not covered({"a": here}, {"a": here, "b": gone})
    assert covered({"a": here, "b": gone}, {"a": here})
    assert not covered({"a": here, "b": gone}, {})


def test_a_block_without_stable_covers_no_pod() -> None:
    assert not judge(folded(release(), [block(0, (0, 100), side(s="down"))])).covered


def test_covered_asks_every_metric_that_must_be_proven() -> None:
    absent = [block(0, side(c="no series"), (0, 10))]
    assert not judge(both(GOOD, absent)).covered
    assert judge(both(GOOD, absent, replace(CHECKOUT, gating=Gating.ABORT))).covered


def test_observed_share_is_the_canary_s_part_of_the_requests() -> None:
    assert judge(folded(release(), run((0, 100), (0, 300), range(2)))).observed_share == pytest.approx(0.25)
    assert judge(release()).observed_share is None


def test_a_begun_release_is_judged_without_data() -> None:
    verdict = judge(begin(Analysis((ERRORS,)), 2, TIMING))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.metrics[0].classification is Classification.NO_DATA
    assert (verdict.last_block, verdict.covered, verdict.advance) == (None, False, False)


def test_a_step_advances_on_its_ratio_metrics_while_others_are_not_proven_yet() -> None:
    level = GaugeMetric("memory", "memory_bytes")
    evidence = folded(release(ERRORS, level, steps=2), run((4, 400), (4, 400), range(60)))
    verdict = judge(evidence)
    assert verdict.advance
    assert not next(metric for metric in verdict.metrics if metric.name == "memory").advance_proven


def test_a_step_without_ratio_metrics_advances_on_the_others() -> None:
    level = GaugeMetric("memory", "memory_bytes")
    assert not judge(release(level, steps=2)).advance
