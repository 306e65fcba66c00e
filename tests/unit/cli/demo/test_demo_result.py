"""Each release of the demo ends in a sentence that needs no explanation."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from analyzer.cli.demo.result import Played, as_json, as_table, in_words
from analyzer.cli.demo.story import Story, Storyteller
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.state import Pause, PauseKind, Result
from analyzer.model.verdict_document import metric_documents
from analyzer.sandbox.service import Tally
from analyzer.sandbox.shop import ReleaseKind
from tests.unit.cli.demo.scenes import MEMORY, VERDICT, aborted, scene
from tests.unit.record.sample_states import a_release, a_state, at

VERSION = "c0ffee001122"


def played(kind: ReleaseKind, story: Story) -> Played:
    return Played(kind, story, Tally(requests=500, errors=70, failures=2, first_served=at(41.5)), 1, 58.4)


def promoted() -> Story:
    release = a_release(result=Result.PROMOTED, ended_at=at(58))
    return Story(VERSION, Phase.SUCCEEDED, "stable", release, {0: 0.1034, 1: 0.5}, (MEMORY,))


def failed() -> Story:
    state = aborted(result=Result.ABORTED)
    return Story(VERSION, state.phase, state.reason, state.release, {0: 0.1034})


def test_a_promotion_says_what_passed_at_which_shares() -> None:
    assert in_words(played(ReleaseKind.GOOD, promoted())) == (
        "The good release was promoted after 58s: memory passed while the canary served 10 % and 50 % of the requests."
    )


def test_an_abort_says_why_when_and_whom_it_hurt() -> None:
    assert in_words(played(ReleaseKind.BAD, failed())) == (
        "The bad release was aborted 18 s after its first request because errors failed: canary 10.5 %: 3.1x. "
        "It was out of service 2 s later. 72 requests got an error from it; 1 alert was delivered."
    )


def test_a_release_that_is_held_waits_for_an_operator() -> None:
    release = a_release(pause=Pause(PauseKind.INCONCLUSIVE, "not decided within 2m: no traffic", at(50)))
    story = Story(VERSION, Phase.PAUSED, "not decided within 2m: no traffic", release)

    assert in_words(played(ReleaseKind.NO_TRAFFIC, story)) == (
        "The no-traffic release is paused after 58s, waiting for an operator: not decided within 2m: no traffic."
    )


def test_an_end_that_was_not_expected_is_said_so() -> None:
    assert in_words(played(ReleaseKind.BAD, promoted())).endswith(" Expected: aborted.")


def test_json_has_the_metrics_as_the_status_has_them() -> None:
    found = as_json(played(ReleaseKind.GOOD, promoted()))

    assert found["metrics"] == plain_json(metric_documents(replace(VERDICT, metrics=(MEMORY,))))
    assert (found["outcome"], found["observedShares"]) == ("promoted", [0.103, 0.5])


def test_the_table_fits_80_columns() -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(as_table([played(ReleaseKind.GOOD, promoted()), played(ReleaseKind.BAD, failed())]))
    good, bad = (
        line.split("│")[1:-1] for line in console.export_text().splitlines() if "good" in line or "bad" in line
    )

    assert [cell.strip() for cell in good] == ["good", "promoted", "58s", "10 %, 50 %", "-", "-", "-"]
    assert [cell.strip() for cell in bad] == ["bad", "aborted", "58s", "10 %", "errors", "18 s", "20 s"]


def test_a_story_ends_with_its_release_and_not_with_the_next_one_of_the_same_version() -> None:
    storyteller = Storyteller()
    story = storyteller.follow(VERSION)
    storyteller.report(scene("aborted", state=aborted(result=Result.ABORTED)))
    assert storyteller.wait(1)

    storyteller.report(scene("retried", state=a_state()))

    assert story.phase is Phase.ABORTED


def test_shares_are_those_of_steps_and_not_of_the_bake_that_follows() -> None:
    story = Story(VERSION)
    story.take(scene("step 1", verdict=VERDICT))
    baked = scene("stable", Phase.BAKING, Phase.SUCCEEDED, state=a_state(phase=Phase.SUCCEEDED), verdict=VERDICT)
    story.take(baked)

    assert story.shares == {0: 0.1034}
    assert story.phase is Phase.SUCCEEDED
