"""Without a terminal the demo writes one short line for each decision that changed something."""

from __future__ import annotations

from analyzer.cli.demo.progress import ProgressLines
from analyzer.model.decision import Action
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.state import StepRecord
from analyzer.model.target import Side
from analyzer.model.workload import Scale
from tests.unit.cli.demo.scenes import CAUSE, ERRORS, VERDICT, aborted, scene
from tests.unit.record.sample_states import a_release, a_state, at

MOVE = Scale(Side.CANARY, "my-app-v2", "uid-2", 0, 1)
UNSETTLED = a_state(release=a_release(steps=(StepRecord(at(1)),)))


def lines(*reports: Report) -> list[str]:
    written: list[str] = []
    progress = ProgressLines(written.append)
    for report in reports:
        progress.report(report)
    return written


def test_a_change_of_phase_and_the_move_that_follows_are_one_line() -> None:
    report = scene(f"release 1; {MOVE}", Phase.PENDING, Phase.PROGRESSING, state=UNSETTLED, move=MOVE)

    assert lines(report) == [f"12:01:30Z  PROGRESSING   1/2  release 1; {MOVE}\n"]


def test_a_tick_that_changed_nothing_writes_no_line() -> None:
    assert lines(scene("step 1: errors: promotion evidence 70 %", state=UNSETTLED)) == []


def test_a_step_that_is_reached_is_told_once() -> None:
    settled = a_state(release=a_release(steps=(StepRecord(at(1), at(5)),)))
    reached = scene("step 1 reached: 10 % of the pods", state=settled)

    assert lines(scene("x", state=UNSETTLED), reached, scene("step 1: held for 1s", state=settled)) == [
        "12:01:30Z  PROGRESSING   1/2  10 % of the pods\n"
    ]


def test_a_new_step_says_so_without_the_numbers_of_the_metrics() -> None:
    reason = f"step 1 of 2 (10 %): {ERRORS.reason}; advancing to step 2 of 2 (50 %)"
    report = scene(reason, action=Action.ADVANCE, state=UNSETTLED, verdict=VERDICT)

    assert lines(report) == ["12:01:30Z  PROGRESSING   1/2  evidence on errors; advancing to step 2 of 2 (50 %)\n"]


def test_an_abort_gives_its_reason_once_and_in_one_sentence() -> None:
    rolling = a_state(phase=Phase.ROLLING_BACK, release=a_release(cause=CAUSE))
    written = lines(
        scene(CAUSE.reason, Phase.PROGRESSING, Phase.ROLLING_BACK, state=rolling),
        scene(CAUSE.reason, Phase.ROLLING_BACK, Phase.ABORTED, state=aborted()),
    )

    assert written == [
        "12:01:30Z  ROLLING_BACK  1/2  errors: canary 10.5 %: 3.1x\n",
        "12:01:30Z  ABORTED       -    the canary is out of service\n",
    ]


def test_a_failed_tick_is_told_once_and_so_is_its_end() -> None:
    failed = scene("x", state=UNSETTLED, error="Prometheus: 503")

    assert lines(failed, failed, scene("x", state=UNSETTLED)) == [
        "12:01:30Z  PROGRESSING   1/2  tick failed, nothing changed: Prometheus: 503\n",
        "12:01:30Z  PROGRESSING   1/2  ticks succeed again\n",
    ]
