"""The sentences of verdicts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from analyzer.judge.sequential.effect import Effect
from analyzer.judge.thresholds import Thresholds
from analyzer.judge.wording import (
    Comparison,
    allowance,
    failed,
    incomplete,
    normal_variation,
    passed,
    progress,
    share_of,
    span,
    towards_proof,
    undecided,
    unit_of,
    unmeasured,
    without_traffic,
)
from analyzer.model.block import Counts
from analyzer.model.metric import GaugeMetric, Margin
from analyzer.model.verdict import BEFORE_AND_AFTER, LogEvidence, Unit, level_text

COMPARED = Comparison(
    name="errors",
    canary="canary 10.5 % (43 of 410)",
    stable="stable 3.4 % (125 of 3,662)",
    ratio="3.1x (95 % interval 1.6x to 5.4x)",
    limit="1.25x + 0.05 pp",
)
NUMBERS = (
    "errors: canary 10.5 % (43 of 410), stable 3.4 % (125 of 3,662): 3.1x (95 % interval 1.6x to 5.4x); "
    "limit 1.25x + 0.05 pp. "
)


def evidence(promote: float, advance: float = 0.0) -> LogEvidence:
    """Evidence for the canary as shares of the threshold."""
    return LogEvidence(abort=0, promote=3 * promote, advance=3 * advance, abort_at=6, promote_at=3)


def test_an_abort_gives_the_numbers_then_the_chance_of_a_false_alarm() -> None:
    assert failed(COMPARED, 0.0015) == NUMBERS + "Failed, false alarm chance below 0.15 %"


def test_a_proof_says_what_is_ruled_out() -> None:
    text = passed(COMPARED, "1.5x + 0.1 pp", 0.05)
    assert text == NUMBERS + "Passed: 1.5x + 0.1 pp or worse is ruled out, error chance below 5 %"


def test_what_is_undecided_tells_both_kinds_of_evidence_as_progress() -> None:
    text = undecided(COMPARED, towards_proof(evidence(0.7), 180, last_step=True), 0.25)
    assert text == NUMBERS + "Undecided: promotion evidence 70 %, about 3m more; abort evidence 25 %"


def test_evidence_reads_100_percent_only_where_it_is_enough() -> None:
    assert (progress(0.999), progress(1.0), progress(0.0)) == ("99 %", "100 %", "0 %")


def test_a_proof_that_will_not_come_is_said() -> None:
    text = towards_proof(evidence(0.1), None, last_step=True, at=" at present traffic")
    assert text == "promotion evidence 10 %, not reachable at present traffic"


def test_in_an_intermediate_step_the_evidence_to_advance_is_told() -> None:
    some, enough = evidence(0.1, advance=0.46), evidence(0.1, advance=1.2)
    assert towards_proof(some, 12, last_step=False) == "evidence to advance 46 %, about 12s more"
    assert towards_proof(enough, None, last_step=False) == "enough evidence to advance"


def test_long_waits_are_rounded() -> None:
    assert towards_proof(evidence(0.5), 7384, last_step=True).endswith("about 2h3m more")


def test_margins_leave_out_an_absolute_part_of_zero() -> None:
    assert allowance(Margin(1.25, 0.0005)) == "1.25x + 0.05 pp"
    assert allowance(Margin(2.0)) == "2x"


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (Effect(2.0, 1.5, 4.0), "2x (95 % interval 1.5x to 4x)"),
        (Effect(None, 1.5, math.inf), "95 % interval 1.5x or more"),
        (Effect(0.0, 0.0, 4.0), "0x (95 % interval up to 4x)"),
        (Effect(None, 0.0, math.inf), ""),
    ],
)
def test_intervals_say_when_an_end_is_open(effect: Effect, text: str) -> None:
    assert span(effect) == text


def test_without_a_ratio_only_both_sides_and_the_limit_are_told() -> None:
    nothing = Comparison("errors", "canary no requests", "stable 1 % (1 of 100)", "", "2x")
    assert str(nothing) == "errors: canary no requests, stable 1 % (1 of 100); limit 2x"


def test_shares_have_their_counts_and_what_they_are_over() -> None:
    assert share_of(Counts(43, 410)) == "10.5 % (43 of 410)"
    assert share_of(Counts(43, 410), " over 250 ms") == "10.5 % over 250 ms (43 of 410)"
    assert share_of(Counts(0, 0)) == "no requests"


@pytest.mark.parametrize(
    ("selector", "unit", "text"),
    [
        ("process_resident_memory_bytes", Unit.BYTES, "25.6 MiB"),
        ('container_memory_working_set_bytes{container="app"}', Unit.BYTES, "25.6 MiB"),
        ("queue_length", None, "26,843,546"),
    ],
)
def test_memory_reads_as_memory(selector: str, unit: Unit | None, text: str) -> None:
    assert unit_of(GaugeMetric("memory", selector)) is unit
    assert level_text(26_843_546, unit) == text


def test_seconds_read_as_seconds_but_cpu_seconds_a_second_do_not() -> None:
    assert level_text(0.25, unit_of(GaugeMetric("age", "oldest_job_age_seconds"))) == "250 ms"
    assert level_text(0.25, unit_of(GaugeMetric("cpu", "process_cpu_seconds_total", counter=True))) == "0.25"


def test_noise_is_told_by_what_it_hides() -> None:
    told = "with 1 canary pod, differences below 1.4x cannot be told from normal variation between pods"
    assert normal_variation(1.0, 1.4, down=False) == told
    drops = "with 3 canary pods, drops to more than 0.7x cannot be told from normal variation between pods"
    assert normal_variation(3.0, 0.7, down=True) == drops


def test_absences_say_what_is_missing() -> None:
    assert unmeasured(0, None) == "the first block of this step is not complete yet"
    assert unmeasured(2, "c: no series") == "no data from both sides in 2 blocks (c: no series)"
    assert incomplete(9, 27, 0.2, "c: gone") == (
        "9 of 36 pod measurements are missing, more than 20 %: no promotion on this data; for example c: gone"
    )
    assert without_traffic(4, 2900) == (
        "no traffic on both sides in the last 4 blocks; promotion needs about 2,900 more canary requests"
    )
    assert without_traffic(1, None) == "no traffic on both sides in the last block"


def test_a_comparison_of_two_times_claims_no_chance_of_a_false_alarm() -> None:
    guarded = Thresholds(abort=math.log(100), promote=3.0, block=30.0, settled=True)
    assert guarded.false_alarm == pytest.approx(0.01)
    assert replace(guarded, sides=BEFORE_AND_AFTER).false_alarm is None
    assert failed(COMPARED, None) == NUMBERS + "Failed"
