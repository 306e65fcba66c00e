"""`why` says each thing once, in the order in which people ask: outcome, culprit, history, state, metrics, outlook."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.model.block import Counts
from analyzer.model.decision import Action, Decision
from analyzer.model.noise import Noise
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.plan import Mode
from analyzer.model.report import Report
from analyzer.model.state import Cause, CauseKind, ExecutedCommand, Pause, PauseKind, Result, StepRecord, Verb
from analyzer.model.status_document import StatusDocument
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, Outcome, Unit, Verdict
from analyzer.record.codec import decode_status
from analyzer.record.explanation import explain, first_sentence, last_answer, short_reason, wrap
from analyzer.record.status import status_of
from tests.plain_words import assert_plain
from tests.unit.record.sample_states import a_release, a_state, at
from tests.unit.record.test_status import SNAPSHOT, TARGET, a_workload

FAILED = (
    "errors: canary 10.5 % (43 of 410), stable 3.4 % (125 of 3,662): 3.1x (95 % interval 1.6x to 5.4x); "
    "limit 1.25x + 0.05 pp. Failed, false alarm chance below 0.15 %."
)
WAITING = "promotion evidence 70 %, about 3m more at present traffic"
UNDECIDED = (
    "errors: canary 3.5 % (14 of 410), stable 3.4 % (125 of 3,662): 1x (95 % interval 0.6x to 1.4x); "
    f"limit 1.25x + 0.05 pp. Undecided: {WAITING}."
)
LATENCY = "latency: canary 0 % (0 of 410), stable 0 % (0 of 3,662) over 250 ms; limit 2x + 2 pp. Passed."

ERRORS = MetricVerdict(
    "errors",
    Classification.UNDECIDED,
    UNDECIDED,
    canary=Counts(14, 410),
    stable=Counts(125, 3662),
    evidence=LogEvidence(abort=-1.0, promote=2.1, advance=3.0, abort_at=6.5, promote_at=3.0),
    waiting=WAITING,
    noise=Noise(1.3, 0.03, 0.1, "from 6h of 9 pods"),
    smallest_visible=1.4,
    noise_note="with 1 canary pod, differences below 1.4x cannot be told from normal variation between pods",
    seconds_to_promote=180.0,
    query="http_requests_total",
)
PASSED = MetricVerdict("latency", Classification.PASS, LATENCY, boundary="250 ms", noise_note="with 1 canary pod, 1.3x")
MEMORY = MetricVerdict(
    "memory",
    Classification.UNDECIDED,
    "memory: canary 25.6 MiB, stable 25.5 MiB. Undecided: promotion evidence 20 %.",
    levels=(26.8e6, 26.7e6),
    unit=Unit.BYTES,
    noise=Noise(1.0, 0.03, 0.05),
    smallest_visible=0.8,
    noise_note="with 1 canary pod, drops to more than 0.8x cannot be told from normal variation between pods",
)
CULPRIT = replace(ERRORS, classification=Classification.HIGH, reason=FAILED, waiting=None)

EMPTY = replace(
    SNAPSHOT,
    stable=a_workload("my-app-v1", "57ab1e001122", 10, 10),
    canary=a_workload("my-app-v2", "c0ffee001122", 0, 0),
)


def status(tick: str, /, *metrics: MetricVerdict, **changes: Any) -> StatusDocument:
    """The document after a tick that held for the reason `tick`; `changes` are the state's or the report's."""
    report = {key: changes.pop(key) for key in ("snapshot", "error", "target") if key in changes}
    state = a_state(**{"outbox": (), "executed": (), **changes})
    verdict = Verdict(Outcome.INCONCLUSIVE, "", metrics, observed_share=0.1012) if metrics else None
    given = {"target": TARGET, "snapshot": SNAPSHOT, **report}
    return status_of(Report(at=at(90), decision=Decision(Action.HOLD, tick, state), verdict=verdict, **given), state)


def aborted(cause: Cause, *metrics: MetricVerdict, **changes: Any) -> StatusDocument:
    release = a_release(cause=cause, aborted_at=at(60), safe_at=at(62), ended_at=at(65), result=Result.ABORTED)
    values = {"phase": Phase.ABORTED, "release": release, "reason": cause.reason, "snapshot": EMPTY, **changes}
    return status(f"at rest: {cause.reason}", *metrics, **values)


def paused(kind: PauseKind, reason: str, **changes: Any) -> StatusDocument:
    release = a_release(pause=Pause(kind, reason, at(70)), **changes)
    return status(f"paused: {reason}", ERRORS, phase=Phase.PAUSED, since=at(70), reason=reason, release=release)


def why(document: StatusDocument, **options: Any) -> list[str]:
    """The lines of the answer, twelve seconds after the document was written."""
    return explain(document, now=at(102), **options).splitlines()


def said(document: StatusDocument, **options: Any) -> str:
    """The answer without line breaks."""
    return " ".join(line.strip() for line in why(document, **options))


def test_an_abort_is_told_from_outcome_to_outlook_and_each_thing_once() -> None:
    assert why(aborted(Cause(CauseKind.FAIL, FAILED, "errors"), CULPRIT, PASSED)) == [
        "my-app (default): aborted, errors failed",
        "  errors: canary 10.5 % (43 of 410), stable 3.4 % (125 of 3,662): 3.1x (95 %",
        "    interval 1.6x to 5.4x); limit 1.25x + 0.05 pp. Failed, false alarm chance",
        "    below 0.15 %.",
        "  Release my-app-c0ffee00-1: started 12:00:00Z, aborted 12:01:00Z in step 1 of 2",
        "    (10 %), out of service after 2s.",
        "  Now: stable my-app-v1 10 of 10 pods available, canary my-app-v2 0 of 0.",
        "  latency: canary 0 % (0 of 410), stable 0 % (0 of 3,662) over 250 ms; limit 2x",
        "    + 2 pp. Passed.",
        "  Next: a new version of my-app-v2 starts a release;",
        "    `canary-analyzer retry my-app` releases the same version again.",
        "  As of 12s ago, 12:01:30Z.",
    ]


def test_a_release_in_progress_says_what_it_waits_for_and_when_that_ends() -> None:
    release = a_release(steps=(StepRecord(at(62), at(70)),))
    began = "release my-app-c0ffee00-1 of version c0ffee001122, 10 pods in total"
    document = status(f"step 1: held for 20s of 5m; errors: {WAITING}", ERRORS, PASSED, release=release, reason=began)

    assert why(document) == [
        "my-app (default): in progress, step 1 of 2 (10 %) for 40s",
        "  Release my-app-c0ffee00-1: started 1m42s ago, 12:00:00Z.",
        "  Now: stable my-app-v1 9 of 9 pods available, canary my-app-v2 1 of 1; weight",
        "    10 % requested, 10.1 % of requests observed.",
        "  errors: canary 3.5 % (14 of 410), stable 3.4 % (125 of 3,662): 1x (95 %",
        "    interval 0.6x to 1.4x); limit 1.25x + 0.05 pp. Undecided: promotion evidence",
        "    70 %, about 3m more at present traffic.",
        "  latency: canary 0 % (0 of 410), stable 0 % (0 of 3,662) over 250 ms; limit 2x",
        "    + 2 pp. Passed.",
        "  With 1 canary pod, differences below 1.4x cannot be told from normal variation",
        "    between pods.",
        "  Next: step 2 of 2 (50 %). Before that: held for 20s of 5m; more evidence on",
        "    errors. Deadline in 1h59m, 14:00:17Z: then the release pauses.",
        "  As of 12s ago, 12:01:30Z.",
    ]


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_words_and_says_what_comes_next(phase: Phase) -> None:
    headline, *_ = why(status("waiting", phase=phase, release=a_release(), unmanaged=False))
    outlook = said(status("waiting", phase=phase, release=a_release(), unmanaged=False)).partition(" Next: ")[2]
    assert headline.startswith(f"my-app (default): {phase.words}")
    assert len(outlook.partition(".")[0].split()) > 1


def test_the_last_step_is_followed_by_the_promotion() -> None:
    document = status("step 2: not judged yet", release=a_release(step=1, steps=(StepRecord(at(1)), StepRecord(at(9)))))

    assert "Next: promotion. Before that: not judged yet." in said(document)


def test_what_noise_hides_is_one_line_for_all_metrics_that_are_not_decided() -> None:
    text = said(status("step 1: not judged yet", ERRORS, PASSED, MEMORY))

    assert (
        "With 1 canary pod, differences below 1.4x (errors) and drops to more than 0.8x (memory) cannot be told" in text
    )
    assert "1.3x" not in text, "latency is decided"


def test_limits_of_the_same_kind_are_listed_together() -> None:
    note = "with 1 canary pod, differences below 1.2x cannot be told from normal variation between pods"
    other = replace(MEMORY, smallest_visible=1.2, noise_note=note)

    text = said(status("step 1: not judged yet", ERRORS, other))

    assert "With 1 canary pod, differences below 1.4x (errors) and 1.2x (memory) cannot be told" in text


def test_metrics_of_which_there_is_the_same_to_say_share_a_line() -> None:
    early = "the first block of this step is not complete yet"
    errors, latency = (replace(PASSED, name=name, reason=f"{name}: {early}") for name in ("errors", "latency"))

    text = said(status("step 1: not judged yet", errors, latency, MEMORY))

    assert f"errors and latency: {early}." in text
    assert text.count(early) == 1


def test_an_ended_release_has_no_forecast_and_no_noise() -> None:
    text = said(aborted(Cause(CauseKind.OPERATOR, "aborted by ada"), ERRORS))

    assert "Undecided: promotion evidence 70 %." in text
    assert "at present traffic" not in text
    assert "cannot be told" not in text


def test_a_pause_names_who_paused_and_how_to_go_on() -> None:
    text = said(paused(PauseKind.OPERATOR, "paused by ada (unverified)"))

    assert text.startswith("my-app (default): paused in step 1 of 2 (10 %) Paused by ada (unverified) 32s ago, ")
    assert "Next: `canary-analyzer resume my-app` goes on; `canary-analyzer abort my-app` rolls back." in text
    assert text.count("by ada") == 1


@pytest.mark.parametrize(
    ("kind", "way_on"),
    [
        (PauseKind.GATE, "`canary-analyzer resume my-app` opens the gate"),
        (PauseKind.DRIFT, "`canary-analyzer resume my-app` accepts the change and goes on"),
        (PauseKind.INCONCLUSIVE, "`canary-analyzer resume my-app --extend 1h` moves the deadline and goes on"),
    ],
)
def test_each_pause_has_its_way_on(kind: PauseKind, way_on: str) -> None:
    text = said(paused(kind, "my-app-v1 was scaled to 4"))

    assert "Paused 32s ago, 12:01:10Z: my-app-v1 was scaled to 4." in text
    assert f"Next: {way_on};" in text


def test_what_a_metric_waits_for_stands_in_its_own_line_alone() -> None:
    text = said(paused(PauseKind.INCONCLUSIVE, f"not decided within 2h: errors: {WAITING}"))

    assert "not decided within 2h: more evidence on errors." in text
    assert text.count(WAITING) == 1


def test_metrics_that_wait_for_the_same_are_named_together() -> None:
    other = replace(ERRORS, name="latency", reason=UNDECIDED.replace("errors", "latency"))
    document = status(f"step 1: held 3s of 5s; errors, latency: {WAITING}; memory: slow", ERRORS, other, MEMORY)

    assert "Before that: held 3s of 5s; more evidence on errors and latency; memory: slow." in said(document)


def test_a_pending_release_says_what_it_waits_for_and_how_the_last_one_ended() -> None:
    release = a_release(
        cause=Cause(CauseKind.FAIL, FAILED, "errors"), aborted_at=at(60), ended_at=at(65), result=Result.ABORTED
    )
    document = status(
        "waiting for a slot: 20 of 20 releases are in progress", CULPRIT, phase=Phase.PENDING, release=release,
        since=at(70), reason="new version c0ffee001122 in my-app-v2", snapshot=EMPTY,
    )  # fmt: skip

    assert why(document) == [
        "my-app (default): pending for 32s",
        "  New version c0ffee001122 in my-app-v2.",
        "  Last release my-app-c0ffee00-1: started 12:00:00Z, aborted 12:01:00Z in step 1",
        "    of 2 (10 %) because errors failed.",
        "  Now: stable my-app-v1 10 of 10 pods available, canary my-app-v2 0 of 0.",
        "  Next: the release starts; `canary-analyzer abort my-app` cancels it. Before",
        "    that: waiting for a slot: 20 of 20 releases are in progress.",
        "  As of 12s ago, 12:01:30Z.",
    ]


def test_a_target_without_a_release_is_not_managed_yet() -> None:
    reason = "unmanaged until a new version or `start`: replicas are left alone"
    document = status(reason, phase=Phase.IDLE, release=None, unmanaged=True, snapshot=EMPTY)

    assert why(document)[0] == "my-app (default): not managed yet, replicas are left alone"
    assert "Next: a new version of my-app-v2, or `canary-analyzer start my-app`, starts the first release." in said(
        document
    )
    assert said(document).count("left alone") == 1


def test_a_rollback_in_progress_says_what_is_done() -> None:
    cause = Cause(CauseKind.FAIL, FAILED, "errors")
    document = status(
        f"fail: {FAILED}; taking the canary out of service", CULPRIT, phase=Phase.ROLLING_BACK, since=at(80),
        release=a_release(cause=cause, aborted_at=at(80)), reason=f"fail: {FAILED}",
    )  # fmt: skip

    assert why(document)[0] == "my-app (default): rolling back for 22s, errors failed"
    assert "Before that: taking the canary out of service." in said(document)
    assert said(document).count("10.5 %") == 1
    assert "observed" not in said(document)


def test_a_promotion_says_on_what_evidence() -> None:
    reason = "proven: all gating metrics passed: errors, latency"
    document = status(
        "promoting: scale my-app-v1 from 5 to 2", PASSED, phase=Phase.PROMOTING, since=at(80), reason=reason
    )

    assert why(document)[:2] == [
        "my-app (default): promoting for 22s",
        "  Proven: all gating metrics passed: errors, latency.",
    ]
    assert "Next: the bake, once stable runs the new version. Before that: scale my-app-v1 from 5 to 2." in said(
        document
    )


def test_a_bake_compares_after_with_before_the_promotion_and_names_no_canary_and_stable_for_it() -> None:
    document = status(
        "baking for 22s of 30m, compared with stable before the promotion", ERRORS, phase=Phase.BAKING, since=at(80),
        snapshot=EMPTY,
    )  # fmt: skip

    assert "errors: after promotion 3.5 % (14 of 410), before promotion 3.4 % (125 of 3,662)" in said(document)
    assert "canary 3.5 %" not in said(document)
    assert "Next: promoted in 29m38s, 12:31:20Z." in said(document)


def test_a_promoted_release_says_when_and_how_long_it_took() -> None:
    release = a_release(ended_at=at(88), result=Result.PROMOTED)
    reason = "version c0ffee001122 is stable, baked for 5s"
    document = status(f"at rest: {reason}", PASSED, phase=Phase.SUCCEEDED, release=release, reason=reason)

    assert why(document)[:3] == [
        "my-app (default): promoted",
        "  Version c0ffee001122 is stable, baked for 5s.",
        "  Release my-app-c0ffee00-1: started 12:00:00Z, promoted 12:01:28Z after 1m28s.",
    ]


def test_a_deleted_deployment_is_named_with_the_way_back() -> None:
    reason = "Deployment my-app-v2 was deleted; nothing is recreated"
    release = a_release(ended_at=at(88), result=Result.GONE)
    document = status(
        reason, phase=Phase.GONE, release=release, reason=reason, snapshot=replace(EMPTY, canary=None), since=at(88)
    )

    assert why(document)[:2] == ["my-app (default): a Deployment is gone", f"  {reason}."]
    assert "Next: recreate what was deleted" in said(document)
    assert said(document).count("was deleted") == 2, "once as what happened, once as what to do"


def test_mode_observe_says_that_replicas_are_not_changed() -> None:
    document = status("step 1: not judged yet", ERRORS, target=replace(TARGET, mode=Mode.OBSERVE))

    assert "Mode observe: the release is judged and reported, replicas are not changed." in said(document)


def test_a_failed_tick_is_an_error_that_changed_nothing() -> None:
    document = status("not decided", snapshot=None, error="GET Deployment my-app-v1: 503 Service Unavailable")

    assert "The last tick failed and changed nothing: GET Deployment my-app-v1: 503" in said(document)
    assert said(document).count("503") == 1
    assert "Now: the pods of my-app-v1 and my-app-v2 are not known." in said(document)


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (Cause(CauseKind.OPERATOR, "aborted by ada"), "aborted by ada"),
        (
            Cause(CauseKind.HARD_FAILURE, "pod my-app-v2-x restarted twice", "CrashLoopBackOff"),
            "aborted, pods of the new version failed (CrashLoopBackOff)",
        ),
        (Cause(CauseKind.INCONCLUSIVE, "2h are over"), "aborted, not decided before the deadline"),
        (Cause(CauseKind.REGRESSION, "errors: more", "errors"), "aborted, errors got worse after the promotion"),
    ],
)
def test_every_cause_has_words_for_the_outcome(cause: Cause, outcome: str) -> None:
    assert why(aborted(cause))[0] == f"my-app (default): {outcome}"


def test_warnings_alerts_and_the_latest_command_are_said_once() -> None:
    executed = (
        ExecutedCommand("c1", Verb.PAUSE, accepted=True, answer="pause by ada: by ada"),
        ExecutedCommand("c2", Verb.RESUME, accepted=False, answer="the release is not paused"),
    )
    outbox = a_state().outbox
    text = said(status("step 1: not judged yet", executed=executed, outbox=outbox, warnings=("one pod only",)))

    assert text.count("Warning: one pod only") == 1
    assert text.count("1 alert is not delivered yet.") == 1
    assert text.count("Latest command (resume, c2) refused: the release is not paused.") == 1
    assert "c1" not in text


def test_an_answer_that_repeats_the_cause_is_not_repeated() -> None:
    answer = ExecutedCommand("c1", Verb.ABORT, accepted=True, answer="abort by ada: operator: aborted by ada")
    document = aborted(Cause(CauseKind.OPERATOR, "aborted by ada"), executed=(answer,))

    assert last_answer(document) == "Latest command (abort, c1) accepted"
    assert said(document).count("aborted by ada") == 1


def test_details_add_the_technical_values_of_each_metric() -> None:
    lines = why(status("step 1: not judged yet", ERRORS, MEMORY), details=True)

    for line in (
        "      abort evidence 0 %: log evidence -1.00 of 6.50 (false abort 0.15 %)",
        "      promotion evidence 70 %: log evidence 2.10 of 3.00 (false promote 5 %)",
        "      evidence to advance 100 %: log evidence 3.00 of 3.00",
        "      noise: dispersion 1.3, pod spread 0.03 (from 6h of 9 pods)",
        "      noise: pod spread 0.03, within-pod noise 0.05 (stated)",
        "      smallest visible ratio: 1.4x",
        "      time to promote: about 3m at present traffic",
        "      query: http_requests_total",
    ):
        assert line in lines


def test_details_of_the_culprit_stand_beneath_it() -> None:
    lines = why(aborted(Cause(CauseKind.FAIL, FAILED, "errors"), CULPRIT, PASSED), details=True)

    assert lines[4].startswith("      abort evidence")
    assert "      boundary: 250 ms" in lines


@pytest.mark.parametrize("reason", ["idle: all gating metrics passed", "all gating metrics passed"])
def test_a_target_with_nothing_to_do_does_not_repeat_that(reason: str) -> None:
    release = a_release(ended_at=at(88), result=Result.PROMOTED)
    document = status(reason, phase=Phase.SUCCEEDED, release=release, reason="all gating metrics passed")

    assert "Next: a new version of my-app-v2 starts a release. As of" in said(document)


def test_what_an_idle_target_waits_for_is_said() -> None:
    document = status("waiting for the Deployment controller", phase=Phase.SUCCEEDED, release=a_release(), reason="x")

    assert "starts a release. Last tick: waiting for the Deployment controller." in said(document)


def test_answers_in_plain_words() -> None:
    cause = Cause(CauseKind.FAIL, FAILED, "errors")
    documents = [
        status("step 1: not judged yet", ERRORS, MEMORY, PASSED, warnings=("one pod only",)),
        aborted(cause, CULPRIT, PASSED),
        paused(PauseKind.GATE, "step 1 passed, its gate waits for an operator"),
        *(status("waiting", ERRORS, phase=phase) for phase in Phase if phase is not Phase.PAUSED),
    ]

    assert_plain(said(document) for document in documents)
    assert_plain(short_reason(document) for document in documents)


def test_the_default_answer_has_no_technical_values() -> None:
    text = said(status("step 1: not judged yet", ERRORS, MEMORY, PASSED))

    for word in ("nats", "log evidence", "dispersion", "spread", "lane", "http_requests_total"):
        assert word not in text


def test_reads_a_status_of_the_version_before() -> None:
    found = plain_json(aborted(Cause(CauseKind.FAIL, FAILED, "errors"), CULPRIT, PASSED))
    for key in ("phaseReason", "stepWeight", "nextWeight", "compared", "abortedAt", "safeAt", "deadlineAt", "mode"):
        del found[key]
    later = [
        "evidence",
        "waiting",
        "noise",
        "smallestVisible",
        "noiseNote",
        "unit",
        "lane",
        "query",
        "boundary",
        "levels",
    ]
    for metric in found["metrics"]:
        for key in later:
            del metric[key]
    document = decode_status(found, "here")

    assert why(document, details=True)[0] == "my-app (default): aborted, errors failed"
    assert said(document).count("10.5 %") == 1
    assert short_reason(document).startswith("errors: canary 10.5 %")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = why(status(f"step 1: errors: {WAITING}", ERRORS, PASSED, MEMORY), width=width, details=True)

    assert max(map(len, lines)) <= width


def test_a_number_stays_with_its_unit_and_a_command_in_one_piece() -> None:
    lines = wrap("at the end of this line is 10.5 % and then `kubectl get pods` follows", 40, indent=0, hanging=2)

    assert lines == ["at the end of this line is 10.5 % and", "  then `kubectl get pods` follows"]
    assert wrap("this line is quite long and ends in 25.6 MiB", 43, indent=0)[1] == "  25.6 MiB"


def test_the_reason_in_a_table_is_the_first_sentence_of_what_ended_the_release() -> None:
    document = aborted(Cause(CauseKind.FAIL, FAILED, "errors"), CULPRIT)

    assert short_reason(document) == FAILED.partition(". Failed")[0]
    assert first_sentence("limit 1.25x + 0.05 pp. Failed, 0.15 %.") == "limit 1.25x + 0.05 pp"


def test_the_reason_in_a_table_does_not_repeat_the_step() -> None:
    assert short_reason(status(f"step 1: errors: {WAITING}", ERRORS)) == f"errors: {WAITING}"
    assert short_reason(status("", error="no connection")) == "error: no connection"
    assert short_reason(paused(PauseKind.OPERATOR, "by ada")) == "paused by ada"
