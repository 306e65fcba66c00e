"""The live view of the demo fits 80 columns, and shows nothing that is over."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from analyzer.cli.demo.live import render
from analyzer.model.block import Counts
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from tests.unit.cli.demo.scenes import ERRORS, MEMORY, NO_CANARY, VERDICT, aborted, scene
from tests.unit.record.sample_states import a_release, a_state

JUDGED = scene("step 1: errors: promotion evidence 70 %", verdict=VERDICT)


def frame(report: Report, judged: Report | None = JUDGED) -> str:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(render(report, "the good release", judged))
    return console.export_text()


def test_shows_numbers_for_people_and_evidence_as_progress() -> None:
    lines = {line.split()[1]: line.strip("│ \n").split() for line in frame(JUDGED).splitlines()[4:8]}

    assert " ".join(lines["errors"]) == "errors 10.5 % of 410 3.4 % of 3,662 3.1x █████░ 99 % ████░░ 70 %"
    assert " ".join(lines["memory"]) == "memory 25.6 MiB 25.5 MiB - - -"


def test_evidence_is_100_percent_only_where_it_decides() -> None:
    assert "99 %" in frame(JUDGED), "6.49 of 6.5"


def test_no_line_is_wider_than_80_columns_and_no_cell_is_cut() -> None:
    many = replace(ERRORS, name="latency", canary=Counts(2050, 20_170), stable=Counts(2050, 20_170))
    judged = scene("step 1", verdict=replace(VERDICT, metrics=(many, MEMORY)))
    text = frame(judged, judged)

    assert max(map(len, text.splitlines())) == 80
    assert "…" not in text


def test_shows_step_pods_and_what_happens() -> None:
    text = frame(JUDGED)

    assert "step    1 of 2 (10 %), 10.3 % of requests observed" in text
    assert "pods    my-app-v1 9 of 9 and my-app-v2 1 of 1 available" in text
    assert "12:01:30Z  errors: promotion evidence 70 %" in text


@pytest.mark.parametrize(
    "report",
    [
        scene("at rest", state=aborted(), snapshot=NO_CANARY),
        scene("rolling back", state=a_state(phase=Phase.ROLLING_BACK, release=a_release())),
    ],
    ids=["aborted", "rolling back"],
)
def test_an_old_share_is_not_shown_once_the_canary_leaves(report: Report) -> None:
    assert "observed" in frame(JUDGED)
    assert "observed" not in frame(report)


def test_a_change_of_phase_shows_what_led_to_it() -> None:
    promoting = a_state(phase=Phase.PROMOTING, reason="passed: errors")
    report = scene("passed: errors; promoting: scaling", Phase.PROGRESSING, Phase.PROMOTING, state=promoting)

    assert "12:01:30Z  passed: errors; promoting: scaling" in frame(report)


def test_a_bake_compares_after_with_before_the_promotion() -> None:
    baking = a_state(phase=Phase.BAKING)
    baked = scene("baked 4s of 5s", state=baking, verdict=VERDICT)
    ended = scene("stable", Phase.BAKING, Phase.SUCCEEDED, state=a_state(phase=Phase.SUCCEEDED), verdict=VERDICT)

    for report in (baked, ended):
        text = frame(report, report)
        assert "after promotion" in text
        assert "before promotion" in text
        assert "…" not in text
    assert "after promotion" not in frame(JUDGED)


def test_after_the_last_step_there_is_no_step_to_show() -> None:
    assert "step    all 2 passed" in frame(scene("promoting", state=a_state(phase=Phase.PROMOTING)))


def test_before_a_release_there_are_no_numbers() -> None:
    text = frame(scene("first sight", state=a_state(phase=Phase.IDLE, release=None)), None)

    assert "no release yet" in text
    assert "metric" not in text
