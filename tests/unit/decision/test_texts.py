"""The sentences that people on call read: what happened, what is done about it, then the numbers, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.decision.wording import counted, then
from analyzer.model.alert import AlertEvent
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, OnDrift, OnInconclusive, Step
from analyzer.model.state import Pause, PauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Classification, Outcome, Verdict
from tests.fakes import verdicts
from tests.fakes.verdicts import FAIL, GUARD_FAIL, PASS
from tests.fakes.world import World
from tests.unit.decision.given import idle_world, pending, progressing, promoting, rolling_back, run, to_rest

COMPARISON = (
    "errors: canary 10.5 % (43 of 410), stable 3.4 % (125 of 3,662): 3.1x (95 % interval 1.6x to 5.4x); "
    "limit 1.25x + 0.05 pp. Failed, false alarm chance below 0.15 %"
)
FAILED = replace(FAIL, reason=COMPARISON)
WAITING = verdicts.verdict(
    Outcome.INCONCLUSIVE, Classification.UNDECIDED, reason="errors: evidence to advance 40 %, about 37s more"
)
ENOUGH = replace(WAITING, advance=True)
PASSED = replace(PASS, reason="passed: errors")


def summaries(world: World, event: AlertEvent) -> list[str]:
    return [entry.alert.summary for entry in world.known.outbox if entry.alert.event is event]


def reasons(world: World, verdict: Verdict, ticks: int, seconds: float = 15) -> list[str]:
    told = []
    for _ in range(ticks):
        world.run_pods()
        told.append(world.tick(verdict, seconds=seconds).reason)
    return told


def test_a_step_says_which_of_how_many_it_is_and_what_is_missing() -> None:
    world = pending()
    version = world.canary.template.hash
    started = f"release shop-{version[:8]}-1 started: version {version}, 10 stable pods"
    assert reasons(world, WAITING, 4) == [
        f"{started}; step 1 of 2 (30 %): scaling shop-canary (canary) from 0 to 3",
        "step 1 of 2 (30 %): scaling shop-stable (stable) from 10 to 7",
        "step 1 of 2 (30 %) reached: canary serves from 3 of 10 pods; collecting evidence",
        "step 1 of 2 (30 %): held 15s of 1m; errors: evidence to advance 40 %, about 37s more",
    ]


def test_a_step_that_waits_for_pods_says_how_many_are_there() -> None:
    world = pending()
    world.run_pods()
    world.tick(WAITING)
    assert world.tick(WAITING).reason == "step 1 of 2 (30 %): waiting for the canary: 0 of 3 pods available"


def test_advancing_names_both_steps_once() -> None:
    world = progressing(stable=8, steps=(Step(12.5, timedelta(0)), Step(50, timedelta(0))))
    assert world.tick(ENOUGH, seconds=15).reason == (
        "step 1 of 2 (12.5 %) passed, enough evidence; "
        "advancing to step 2 of 2 (50 %): scaling shop-canary (canary) from 1 to 3"
    )


def test_promotion_says_what_passed_and_how_far_it_is() -> None:
    world = progressing(steps=(Step(50, timedelta(0)),))
    choice = world.tick(PASSED, seconds=15)
    assert choice.transitions[-1].reason == "passed: errors"
    assert choice.reason.startswith("passed: errors; promoting: scaling shop-canary (canary) from 5")
    choice = run(world, PASSED, until=lambda choice: choice.state.phase is Phase.SUCCEEDED)
    assert summaries(world, AlertEvent.PROMOTED) == [f"shop: promoted, {choice.reason}"]
    assert choice.reason == f"version {world.stable.template.hash} is stable after a bake of 5m"
    assert world.tick().reason == choice.reason


def test_a_failed_metric_is_told_with_its_numbers_once_in_each_text() -> None:
    world = progressing()
    choice = world.tick(FAILED)
    assert choice.reason == f"{COMPARISON}; rolling back: scaling shop-stable (stable) from 7 to 10"
    assert choice.transitions[-1].reason == COMPARISON
    last = to_rest(world)
    assert last.reason == COMPARISON
    assert summaries(world, AlertEvent.ABORTED) == [
        f"shop: rolling back, errors failed. {COMPARISON}",
        f"shop: aborted, errors failed; canary out of service 30s later. {COMPARISON}",
    ]
    assert world.tick().reason == COMPARISON


def test_a_failed_guard_is_called_a_guard() -> None:
    world = progressing()
    world.tick(replace(GUARD_FAIL, reason="slo: 0.9, limit 0.5. Failed for 3 blocks"))
    assert summaries(world, AlertEvent.ABORTED) == [
        "shop: rolling back, guard slo failed. slo: 0.9, limit 0.5. Failed for 3 blocks"
    ]


def test_in_observe_the_abort_says_once_that_nothing_was_changed() -> None:
    world = pending(mode=Mode.OBSERVE)
    world.scale(Side.CANARY, 2)
    reasons(world, WAITING, 2)
    choice = world.tick(FAILED, seconds=15)
    assert choice.state.phase is Phase.ABORTED
    assert choice.reason == COMPARISON
    assert summaries(world, AlertEvent.ABORTED) == [
        f"shop: aborted, errors failed (mode observe: nothing was changed). {COMPARISON}"
    ]


def test_an_operator_s_abort_says_aborted_once() -> None:
    world = rolling_back()
    to_rest(world)
    rolling, aborted = summaries(world, AlertEvent.ABORTED)
    assert rolling == "shop: rolling back, aborted by ada"
    assert aborted == "shop: aborted by ada; canary out of service 30s later"
    assert world.tick().reason == "aborted by ada"


def test_answers_to_commands_say_who_did_what() -> None:
    world = progressing()
    for verb in (Verb.PAUSE, Verb.RESUME, Verb.ABORT):
        world.ask(verb)
        world.tick(WAITING, seconds=15)
    assert [entry.answer for entry in world.known.executed] == ["paused by ada", "resumed by ada", "aborted by ada"]


def test_refusals_say_what_to_do_instead() -> None:
    world = progressing(deadline=timedelta(minutes=1))
    run(world, WAITING, until=lambda choice: choice.state.phase is Phase.PAUSED)
    for verb in (Verb.RESUME, Verb.PAUSE, Verb.RETRY):
        world.ask(verb)
        choice = world.tick(WAITING, seconds=15)
        assert choice.notes == (f"{verb} by ada refused: {world.known.executed[-1].answer}",)
    assert [entry.answer for entry in world.known.executed] == [
        "deadline exceeded; pass --extend DURATION, for example --extend 1h",
        "the release is already paused",
        "a release is already in phase PAUSED",
    ]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (OnInconclusive.HOLD, "paused, {}; go on with `canary-analyzer resume shop --extend 1h`"),
        (OnInconclusive.ROLLBACK, "rolling back, {}; onInconclusive: rollback"),
    ],
)
def test_the_deadline_says_what_was_missing_and_what_follows(policy: OnInconclusive, expected: str) -> None:
    world = progressing(deadline=timedelta(minutes=2), on_inconclusive=policy)
    reasons(world, WAITING, 12)
    missing = "not decided within the deadline of 2m: errors: evidence to advance 40 %, about 37s more"
    assert world.known.outbox[0].alert.summary == f"shop: {expected.format(missing)}"


def test_drift_names_what_changed_from_what_to_what_and_by_whom() -> None:
    world = progressing(on_drift=OnDrift.REASSERT)
    world.scale(Side.CANARY, 8, by="kubectl-scale")
    what = "shop-canary was scaled from 3 to 8 by kubectl-scale during the release"
    assert world.tick(WAITING).reason == f"{what}; reverting: scaling shop-canary (canary) from 8 to 3"
    assert summaries(world, AlertEvent.DRIFT) == [f"shop: reverting, {what}"]


def test_an_unknown_writer_is_another_client() -> None:
    world = progressing()
    world.scale(Side.CANARY, 8)
    world.canary.writers.clear()
    assert "by another client during" in world.tick(WAITING).reason


def test_a_rollback_that_waits_says_for_what() -> None:
    world = rolling_back()
    run_down = [world.tick(WAITING, seconds=60).reason for _ in range(12)]
    assert run_down[-1] == "rolling back: stable 7 of 10 pods available, 3 canary pods left"
    assert summaries(world, AlertEvent.STUCK) == [
        "shop: rollback not finished after 10m; stable 7 of 10 pods available, 3 canary pods left"
    ]


def test_a_prometheus_that_fails_for_minutes_is_told_with_its_error() -> None:
    world = progressing()
    error = replace(verdicts.ERROR, reason="errors: request to Prometheus failed: timed out")
    assert reasons(world, error, 7, seconds=60)[-1] == "step 1 of 2 (30 %): " + error.reason
    assert summaries(world, AlertEvent.STUCK) == [
        f"shop: holding, no usable response from Prometheus for 5m. {error.reason}"
    ]


def test_canary_pods_without_series_are_named_with_what_to_check() -> None:
    world = progressing()
    world.tick(verdicts.SILENT, seconds=15)
    assert summaries(world, AlertEvent.STUCK) == [
        "shop: holding, ready canary pod shop-canary-7 has no series for errors in Prometheus; check that it is scraped"
    ]


def test_a_failed_guard_on_both_sides_says_that_it_holds() -> None:
    world = progressing()
    world.tick(verdicts.HELD, seconds=15)
    assert summaries(world, AlertEvent.GUARD) == [
        "shop: holding, a guard on both sides failed. queue: 9 is out of [-, 5] on both sides"
    ]


def test_a_target_that_was_never_released_says_how_to_begin() -> None:
    world = idle_world()
    expected = "unmanaged: replicas are left alone until a new canary version or `canary-analyzer start shop`"
    assert world.known.reason == expected
    assert world.tick().reason == expected


def test_a_cancelled_release_stays_as_the_reason() -> None:
    world = pending()
    world.admission = replace(world.admission, obstacle="no slot is free")
    world.ask(Verb.ABORT)
    expected = f"pending version {world.canary.template.hash} was cancelled by ada"
    assert world.tick().reason == expected
    assert world.known.phase is Phase.IDLE


def test_a_pause_is_named_once() -> None:
    world = promoting()
    held = Pause(PauseKind.DRIFT, "shop-canary was scaled", world.now)
    assert held.shown == "paused: shop-canary was scaled"
    assert replace(held, kind=PauseKind.OPERATOR, reason="paused by ada").shown == "paused by ada"


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("aborted by ada", "rolling back: x", "aborted by ada; rolling back: x"),
        ("quota exceeded.", "rolling back: x", "quota exceeded; rolling back: x"),
        ("advancing to step 2", "step 2: scaling", "advancing to step 2: scaling"),
        ("errors: 3x. Failed.", "errors: 3x. Failed.", "errors: 3x. Failed."),
        ("", "rolling back", "rolling back"),
    ],
)
def test_two_texts_become_one_without_repetition(first: str, second: str, both: str) -> None:
    assert then(first, second) == both


def test_one_is_singular() -> None:
    assert [counted(number, "pod") for number in (0, 1, 2)] == ["0 pods", "1 pod", "2 pods"]
