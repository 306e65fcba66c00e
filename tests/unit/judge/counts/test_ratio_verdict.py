"""What is said about one ratio metric, and with which numbers."""

from __future__ import annotations

import json
import math

import pytest

from analyzer.judge import fail, judge, prove_from
from analyzer.model.block import Block, Timing
from analyzer.model.metric import Margin, RatioMetric
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, Outcome
from tests.unit.judge.sample_blocks import block, folded, release, run, side

BAD, FINE = (41, 1204), (18, 3590)


def verdict(*blocks: Block, settled: bool = True) -> MetricVerdict:
    return judge(folded(release(settled=settled), blocks)).metrics[0]


def nats(found: MetricVerdict) -> LogEvidence:
    assert found.evidence is not None
    return found.evidence


def test_a_worse_canary_is_high_and_the_reason_explains_itself() -> None:
    found = verdict(*run(BAD, FINE, range(1)))
    assert found.classification is Classification.HIGH
    assert found.reason == (
        "errors: canary 3.4 % (41 of 1,204), stable 0.5 % (18 of 3,590): 6.8x (95 % interval 2.6x to 20x); "
        "limit 1.25x + 0.05 pp. Failed, false alarm chance below 1 %"
    )
    assert nats(found).abort > nats(found).abort_at == pytest.approx(math.log(100))
    assert not found.proven
    assert found.seconds_to_promote is None


def test_an_equal_canary_passes_once_there_is_enough_traffic() -> None:
    few, many = verdict(*run((10, 1000), (10, 1000), range(2))), verdict(*run((10, 1000), (10, 1000), range(12)))
    assert (few.classification, few.proven) == (Classification.UNDECIDED, False)
    assert (many.classification, many.proven) == (Classification.PASS, True)
    assert "Passed: 1.5x + 0.1 pp or worse is ruled out, error chance below 5 %" in many.reason
    assert many.seconds_to_promote is None


def test_a_few_errors_more_than_tolerated_are_undecided_yet_adverse() -> None:
    found = verdict(block(0, (9, 1000), (6, 3000), later=(6, 3000)))
    assert found.classification is Classification.UNDECIDED
    assert found.adverse
    assert not verdict(*run((10, 1000), (10, 1000), range(2))).adverse


def test_zero_errors_anywhere_are_proven_by_some_five_thousand_canary_requests() -> None:
    assert not verdict(*run((0, 1000), (0, 9000), range(3))).proven
    assert verdict(*run((0, 1000), (0, 9000), range(6))).proven
    looser = verdict(*run((0, 400), (0, 3600), range(3)))
    assert (looser.proven, looser.advance_proven) == (False, True)


def test_a_step_never_asks_for_more_than_promotion() -> None:
    lenient = RatioMetric("errors", "e", "t", promote_margin=Margin(3, 0.03))
    found = judge(folded(release(lenient), run((0, 50), (0, 150), range(4)))).metrics[0]
    assert (found.proven, found.advance_proven) == (True, True)


def test_the_forecast_is_when_proof_comes_if_both_sides_go_on_alike() -> None:
    early = verdict(*run((10, 1000), (10, 1000), range(2)))
    assert early.seconds_to_promote is not None
    assert "more at present traffic" in early.reason
    blocks = 2 + math.ceil(early.seconds_to_promote / 30)
    assert not verdict(*run((10, 1000), (10, 1000), range(blocks - 2))).proven
    assert verdict(*run((10, 1000), (10, 1000), range(blocks + 1))).proven


def test_no_forecast_where_proof_will_not_come() -> None:
    strict = RatioMetric("errors", "e", "t", promote_margin=Margin(1.5, 0.0))
    found = judge(folded(release(strict), run((0, 100), (0, 100), range(3)))).metrics[0]
    assert found.seconds_to_promote is None
    assert "not reachable at present traffic" in found.reason


def test_before_the_replicas_are_reached_nothing_is_proven_but_a_bad_canary_is_seen() -> None:
    good = verdict(*run((0, 9000), (0, 9000), range(9)), settled=False)
    assert (good.classification, good.proven, good.advance_proven) == (Classification.UNDECIDED, False, False)
    assert "evidence for the canary starts when the step's replicas are available" in good.reason
    assert verdict(*run(BAD, FINE, range(1)), settled=False).classification is Classification.HIGH


def test_an_abort_waits_until_stable_s_next_sample_confirms_it() -> None:
    found = verdict(block(0, BAD, FINE))
    assert found.classification is Classification.UNDECIDED
    assert "waiting for stable's next sample to confirm" in found.reason
    assert not found.advance_proven
    evidence = folded(release(), [block(0, BAD, FINE)])
    confirmed = folded(evidence, [block(0, BAD, FINE, later=(20, 3600))])
    assert judge(confirmed).metrics[0].classification is Classification.HIGH


def test_a_shared_incident_that_stable_shows_one_sample_later_does_not_abort() -> None:
    calm = run((10, 1000), (10, 1000), range(3))
    burst = block(3, (300, 1000), (10, 1000), later=(290, 1000))
    assert verdict(*calm, burst).classification is Classification.UNDECIDED


def test_an_abort_that_earlier_blocks_carry_needs_only_the_latest_block_confirmed() -> None:
    blocks = [block(k, BAD, FINE) for k in range(3)]
    assert verdict(*blocks).classification is Classification.UNDECIDED
    assert verdict(*blocks, block(3, (0, 10), (0, 30), later=(0, 30))).classification is Classification.HIGH


def test_a_stable_pod_without_a_later_sample_leaves_the_abort_unconfirmed() -> None:
    stable, later = side(a=(9, 1800), b=(9, 1790)), side(a=(9, 1900), b="not scraped yet")
    found = verdict(Block(0, side(c=BAD), stable, later))
    assert found.classification is Classification.UNDECIDED


def test_an_absent_block_after_an_unconfirmed_abort_does_not_confirm_it() -> None:
    gone = block(1, side(c="no series"), FINE, later=FINE)
    assert verdict(block(0, BAD, FINE), gone).classification is Classification.UNDECIDED


def test_one_side_alone_is_no_data() -> None:
    found = verdict(block(0, side(c="no series"), (1, 100)), block(1, side(), (1, 100)))
    assert found.classification is Classification.NO_DATA
    assert found.reason == "errors: no data from both sides in 2 blocks (c: no series)"
    assert nats(found).abort == nats(found).promote == 0
    assert found.interval is None


def test_nothing_yet_is_no_data() -> None:
    assert verdict().reason == "errors: the first block of this step is not complete yet"


def test_pods_without_requests_are_undecided_with_what_proof_takes() -> None:
    found = verdict(*run((0, 0), (0, 0), range(4)))
    assert found.classification is Classification.UNDECIDED
    assert found.reason.startswith("errors: no traffic on both sides in the last 4 blocks; promotion needs about")
    assert found.reason.endswith("more canary requests")


@pytest.mark.parametrize("counts", [(math.nan, 100), (-1, 100), (101, 100), (0, math.inf), (1, math.nan)])
def test_counts_that_cannot_be_true_are_absent_with_the_reason(counts: tuple[float, float]) -> None:
    found = verdict(block(0, counts, (1, 100)))
    assert found.classification is Classification.NO_DATA
    assert "impossible counts" in found.reason


def test_with_more_than_a_fifth_of_the_pods_missing_nothing_is_proven_but_aborts_go_on() -> None:
    def blocks(canary: tuple[float, float], stable: tuple[float, float]) -> list[Block]:
        missing = side(a=canary, b="series vanished")
        return [Block(k, missing, side(s=stable, t=stable), side(s=stable, t=stable)) for k in range(9)]

    good, bad = verdict(*blocks((0, 9000), (0, 9000))), verdict(*blocks(BAD, FINE))
    assert (good.classification, good.proven, good.advance_proven) == (Classification.NO_DATA, False, False)
    assert "9 of 36 pod measurements are missing" in good.reason
    assert "b: series vanished" in good.reason
    assert bad.classification is Classification.HIGH


def test_a_fifth_missing_still_proves() -> None:
    blocks = [
        Block(k, side(a=(0, 9000), b="gone"), side(s=(0, 9000), t=(0, 9000), u=(0, 9000)), None) for k in range(3)
    ]
    assert verdict(*blocks).classification is Classification.PASS


def test_an_error_hides_proof_but_not_an_abort() -> None:
    proven = fail(folded(release(), run((0, 9000), (0, 9000), range(3))), "errors", "refused")
    found = judge(proven).metrics[0]
    assert (found.classification, found.proven) == (Classification.ERROR, False)
    bad = fail(folded(release(), run(BAD, FINE, range(1))), "errors", "refused")
    assert judge(bad).outcome is Outcome.FAIL


def test_no_errors_at_all_have_neither_ratio_nor_interval() -> None:
    found = verdict(*run((0, 100), (0, 100), range(3)))
    assert (found.ratio, found.interval) == (None, None)
    assert "x (95 %" not in found.reason


def test_a_billion_requests_a_block_are_judged_like_any_others() -> None:
    found = verdict(*run((10**7, 10**9), (10**7, 10**9), range(3)))
    assert found.classification is Classification.PASS
    assert found.ratio == pytest.approx(1, abs=0.01)
    assert json.dumps(found.interval)


def test_silent_pods_are_named_after_three_blocks_and_a_minute() -> None:
    canary = side(a=(0, 100), b="no series")
    blocks = [Block(k, canary, side(s=(0, 100))) for k in range(5)]
    assert verdict(*blocks[:2]).silent_pods == ()
    assert verdict(*blocks[:3]).silent_pods == ("b",)
    short = Timing(block=2.0, slot=1.0, delay=1.0)
    many = [Block(k, canary, side(s=(0, 100))) for k in range(30)]
    evidence = release(timing=short)
    assert judge(folded(evidence, many[:29])).metrics[0].silent_pods == ()
    assert judge(folded(evidence, many)).metrics[0].silent_pods == ("b",)


def test_a_pod_is_not_silent_while_stable_is_not_seen_either() -> None:
    canary = side(a=(0, 100), b="no series")
    blocks = [Block(k, canary, side(s=(0, 100)) if k != 3 else side(s="down")) for k in range(6)]
    assert verdict(*blocks).silent_pods == ()


def test_a_pod_that_is_measured_again_is_no_longer_silent() -> None:
    blocks = [Block(k, side(b="no series"), side(s=(0, 100))) for k in range(3)]
    assert verdict(*blocks).silent_pods == ("b",)
    assert verdict(*blocks, block(3, side(b=(0, 1)), (0, 100))).silent_pods == ()


def test_settling_later_keeps_what_spoke_against_the_canary() -> None:
    early = folded(release(settled=False), run((12, 1000), (9, 3000), range(2)))
    late = folded(prove_from(early, 2), run((12, 1000), (9, 3000), range(2, 4)))
    assert judge(late).metrics[0].classification is Classification.HIGH
    assert "canary 1.2 % (48 of 4,000)" in judge(late).metrics[0].reason
    assert judge(late).metrics[0].canary.total == 2000
