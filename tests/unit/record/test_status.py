"""What the status document and the history say about a target."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.block import Counts
from analyzer.model.decision import Action, Decision
from analyzer.model.metric import Analysis
from analyzer.model.noise import Noise
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.plan import Gate, GateTimeout, Plan, Step
from analyzer.model.report import Report
from analyzer.model.state import Cause, CauseKind, Pause, PauseKind, Result, StepRecord, TargetState
from analyzer.model.target import Roles, Target
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, Outcome, Unit, Verdict
from analyzer.model.workload import Snapshot, Template, Workload
from analyzer.record.codec import encode_status
from analyzer.record.history import grown, history_text
from analyzer.record.status import history_entry, status_of
from tests.unit.record.sample_states import NOW, a_release, a_state, at

ROLES = Roles("my-app-v1", "my-app-v2")
TARGET = Target("my-app", "default", ROLES, Plan(steps=()), Analysis(metrics=()))

VERDICT = Verdict(
    outcome=Outcome.INCONCLUSIVE,
    reason="errors is not proven yet",
    metrics=(
        MetricVerdict(
            name="errors",
            classification=Classification.UNDECIDED,
            reason="more traffic is needed",
            canary=Counts(12, 310),
            stable=Counts(110, 2750.0),
            ratio=0.9677,
            interval=(0.51234, 1.6),
            evidence=LogEvidence(abort=-1.25, promote=2.0, advance=3.0, abort_at=4.6, promote_at=3.0),
            seconds_to_promote=95.0,
            silent_pods=("my-app-v2-x",),
            noise=Noise(1.3, 0.03, 0.1, "from 6h of 9 pods"),
            smallest_visible=1.4,
            boundary="250 ms",
            query="http_requests_total",
            waiting="promotion evidence 67 %, about 2m more at present traffic",
        ),
    ),
    observed_share=0.1012,
)


def a_workload(name: str, version: str, replicas: int, available: int) -> Workload:
    return Workload(name, f"uid-{name}", replicas, replicas, replicas, available, Template(version, {}), {})


SNAPSHOT = Snapshot(
    target=TARGET,
    stable=a_workload("my-app-v1", "57ab1e001122", 9, 9),
    canary=a_workload("my-app-v2", "c0ffee001122", 1, 1),
)


def a_status(state: TargetState, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"snapshot": SNAPSHOT, "verdict": VERDICT}
    decision = Decision(Action.HOLD, "errors: more traffic is needed", state)
    status: dict[str, Any] = plain_json(status_of(Report(TARGET, at(90), decision, **{**values, **changes}), state))
    assert json.loads(json.dumps(status, allow_nan=False)) == status, "the status is plain JSON"
    return status


def ended(**changes: Any) -> TargetState:
    values: dict[str, Any] = {
        "cause": Cause(CauseKind.FAIL, "errors: 12 % against 4 %", "errors"),
        "aborted_at": at(9.125),
        "safe_at": at(11),
        "ended_at": at(12),
        "result": Result.ABORTED,
    }
    return a_state(phase=Phase.ABORTED, release=a_release(**{**values, **changes}))


def test_shows_where_a_release_stands() -> None:
    status = a_status(a_state())

    expected = {
        "target": "my-app",
        "namespace": "default",
        "phase": "PROGRESSING",
        "outcome": None,
        "action": "HOLD",
        "reason": "errors: more traffic is needed",
        "release": "my-app-c0ffee00-1",
        "version": "c0ffee001122",
        "step": 1,
        "steps": 2,
        "weight": 10,
        "observedShare": 0.1012,
        "since": "2026-03-01T12:00:00Z",
        "updatedAt": "2026-03-01T12:01:30Z",
        "undeliveredAlerts": 1,
    }
    assert {key: status[key] for key in expected} == expected
    assert status["replicas"] == {
        "stable": {"deployment": "my-app-v1", "requested": 9, "available": 9},
        "canary": {"deployment": "my-app-v2", "requested": 1, "available": 1},
    }


def test_shows_the_numbers_behind_each_metric() -> None:
    [metric] = a_status(a_state())["metrics"]

    assert metric == {
        "name": "errors",
        "classification": "UNDECIDED",
        "reason": "more traffic is needed",
        "waiting": "promotion evidence 67 %, about 2m more at present traffic",
        "canary": {"events": 12, "total": 310},
        "stable": {"events": 110, "total": 2750},
        "levels": None,
        "unit": None,
        "ratio": 0.9677,
        "interval": [0.5123, 1.6],
        "evidence": {"abort": 0.0, "promote": 0.666, "advance": 1.0},
        "logEvidence": {"abort": -1.25, "promote": 2.0, "advance": 3.0, "abortAt": 4.6, "promoteAt": 3.0},
        "lane": "main",
        "proven": False,
        "secondsToPromote": 95.0,
        "secondsToAdvance": None,
        "silentPods": ["my-app-v2-x"],
        "noise": {"dispersion": 1.3, "podSpread": 0.03, "withinPod": 0.1, "source": "from 6h of 9 pods"},
        "smallestVisible": 1.4,
        "noiseNote": None,
        "boundary": "250 ms",
        "query": "http_requests_total",
    }


@pytest.mark.parametrize(
    ("phase", "weight"),
    [
        (Phase.PROGRESSING, 10),
        (Phase.PAUSED, 10),
        (Phase.PROMOTING, 100),
        (Phase.BAKING, 100),
        (Phase.ROLLING_BACK, 0),
    ],
)
def test_the_weight_is_what_is_asked_for_in_this_phase(phase: Phase, weight: int) -> None:
    assert a_status(a_state(phase=phase))["weight"] == weight


def test_a_target_that_was_never_released_has_no_release() -> None:
    status = a_status(a_state(phase=Phase.IDLE, release=None, unmanaged=True), verdict=None)

    assert (status["release"], status["step"], status["weight"], status["outcome"]) == (None, None, None, None)
    assert status["unmanaged"] is True
    assert status["metrics"] == []
    assert status["versions"] == {"stable": "57ab1e001122", "canary": "c0ffee001122"}


def test_repeats_the_answers_to_commands_and_why_a_release_is_paused() -> None:
    status = a_status(a_state(release=a_release(pause=Pause(PauseKind.OPERATOR, "by ada", at(3)))))

    assert status["pause"] == {
        "kind": "operator",
        "reason": "by ada",
        "since": "2026-03-01T12:00:03Z",
        "timeoutAt": None,
        "then": None,
    }
    assert status["executedCommands"] == [{"id": "20260301-1", "verb": "pause", "accepted": True, "answer": "paused"}]


def test_shows_the_error_of_a_failed_tick_as_the_reason() -> None:
    status = a_status(a_state(), snapshot=None, verdict=None, error="Prometheus does not answer")

    assert status["reason"] == status["error"] == "Prometheus does not answer"
    assert status["replicas"]["canary"] == {"deployment": "my-app-v2", "requested": None, "available": None}


def test_shows_how_a_release_ended() -> None:
    status = a_status(ended())

    assert status["outcome"] == "aborted"
    assert status["cause"] == {"kind": "fail", "reason": "errors: 12 % against 4 %", "culprit": "errors"}
    assert status["endedAt"] == "2026-03-01T12:00:12Z"


def test_history_tells_an_ended_release_with_its_times() -> None:
    steps = (StepRecord(NOW, at(2)), StepRecord(at(5)))
    entry = plain_json(history_entry(ended(steps=steps), VERDICT))

    assert json.loads(json.dumps(entry)) == entry
    assert [metric["name"] for metric in entry.pop("metrics")] == ["errors"]
    assert entry == {
        "id": "my-app-c0ffee00-1",
        "target": "my-app",
        "result": "aborted",
        "reason": "errors: 12 % against 4 %",
        "cause": "fail",
        "culprit": "errors",
        "mode": "act",
        "knownGood": False,
        "versions": {"stable": "57ab1e001122", "canary": "c0ffee001122"},
        "total": 10,
        "weights": [10, 50],
        "startedAt": "2026-03-01T12:00:00Z",
        "abortedAt": "2026-03-01T12:00:09.125000Z",
        "safeAt": "2026-03-01T12:00:11Z",
        "endedAt": "2026-03-01T12:00:12Z",
        "seconds": 12.0,
        "secondsToAbort": 9.125,
        "secondsToSafe": 11.0,
    }


def test_history_names_only_the_weights_that_were_reached() -> None:
    assert history_entry(ended()).weights == (10,)


def test_a_promoted_release_has_no_time_to_abort() -> None:
    entry = history_entry(ended(cause=None, aborted_at=None, safe_at=None, result=Result.PROMOTED))

    assert (entry.result, entry.cause, entry.seconds_to_abort) == ("promoted", None, None)


def test_a_release_in_progress_is_no_history() -> None:
    with pytest.raises(ValueError, match="no ended release"):
        history_entry(a_state())


@pytest.mark.parametrize(
    ("state", "available"),
    [
        (a_state(), 0),
        (a_state(phase=Phase.ROLLING_BACK), 1),
        (a_state(phase=Phase.BAKING), 1),
        (ended(), 1),
    ],
    ids=["no canary pod", "rolling back", "baking", "ended"],
)
def test_the_observed_share_is_shown_only_while_the_canary_serves_beside_stable(
    state: TargetState, available: int
) -> None:
    snapshot = replace(SNAPSHOT, canary=a_workload("my-app-v2", "c0ffee001122", 1, available))

    assert a_status(state, snapshot=snapshot)["observedShare"] is None


def test_shows_the_times_of_a_release() -> None:
    steps = (StepRecord(NOW, at(2)), StepRecord(at(5)))
    status = a_status(a_state(release=a_release(steps=steps)))

    assert (status["stepStartedAt"], status["stepWeight"], status["nextWeight"]) == ("2026-03-01T12:00:05Z", 10, 50)
    assert (status["deadlineAt"], status["atDeadline"]) == ("2026-03-01T14:00:17.500000Z", "hold")
    assert (status["abortedAt"], status["safeAt"]) == (None, None)


def test_a_clock_that_does_not_run_has_no_deadline() -> None:
    assert a_status(a_state(phase=Phase.PAUSED))["deadlineAt"] is None


def test_shows_when_a_release_was_aborted_and_out_of_service() -> None:
    status = a_status(ended())

    assert (status["abortedAt"], status["safeAt"]) == ("2026-03-01T12:00:09.125000Z", "2026-03-01T12:00:11Z")


def test_shows_when_a_bake_ends_and_what_its_numbers_compare() -> None:
    status = a_status(a_state(phase=Phase.BAKING))

    assert status["bakeEndsAt"] == "2026-03-01T12:30:00Z"
    assert status["compared"] == {"canary": "after promotion", "stable": "before promotion"}
    assert a_status(a_state())["compared"] is None


def test_a_bake_with_pods_of_the_old_version_compares_it_with_the_new_one() -> None:
    status = a_status(a_state(phase=Phase.BAKING, release=a_release(held_back=2)))

    assert status["compared"] == {"canary": "new version", "stable": "old version"}


def test_shows_when_a_gate_stops_waiting() -> None:
    gate = Step(10, timedelta(minutes=5), Gate(timedelta(hours=4), GateTimeout.ROLLBACK))
    release = a_release(plan=Plan(steps=(gate,)), pause=Pause(PauseKind.GATE, "step 1 waits for resume", at(3)))
    status = a_status(a_state(phase=Phase.PAUSED, release=release))

    assert (status["pause"]["timeoutAt"], status["pause"]["then"]) == ("2026-03-01T16:00:03Z", "rollback")


def test_evidence_is_1_only_where_its_threshold_is_reached() -> None:
    nearly = replace(VERDICT.metrics[0], evidence=LogEvidence(4.5999, 3.0, 2.9999, abort_at=4.6, promote_at=3.0))
    [metric] = a_status(a_state(), verdict=replace(VERDICT, metrics=(nearly,)))["metrics"]

    assert metric["evidence"] == {"abort": 0.999, "promote": 1.0, "advance": 0.999}


def test_a_gauge_shows_its_levels_where_others_show_counts() -> None:
    gauge = MetricVerdict(
        "memory",
        Classification.UNDECIDED,
        "memory: proof is missing",
        ratio=1.05,
        interval=(0.9, inf),
        levels=(1_234_567.0, 1_200_000.0),
        unit=Unit.BYTES,
        noise=Noise(within_pod=0.05),
        smallest_visible=inf,
    )
    [metric] = a_status(a_state(), verdict=replace(VERDICT, metrics=(gauge,)))["metrics"]

    assert metric["levels"] == {"canary": 1_235_000.0, "stable": 1_200_000.0}
    assert (metric["unit"], metric["noise"]["withinPod"]) == ("bytes", 0.05)
    assert (metric["interval"], metric["smallestVisible"]) == ([0.9, None], None), "JSON has no infinity"


def test_what_is_not_bounded_is_null() -> None:
    unbounded = replace(VERDICT.metrics[0], ratio=inf, interval=(-inf, inf), evidence=None)
    [metric] = a_status(a_state(), verdict=replace(VERDICT, metrics=(unbounded,)))["metrics"]

    assert (metric["ratio"], metric["interval"], metric["logEvidence"]) == (None, [None, None], None)


GOLDEN = Path(__file__).parent / "golden"


def test_a_status_document_is_written_byte_for_byte_as_programs_know_it() -> None:
    """Keys, their order and the form of numbers: who changes one of them changes what others depend on."""
    gate = Step(12.5, timedelta(minutes=5), Gate(timedelta(hours=4), GateTimeout.ROLLBACK))
    release = a_release(plan=Plan(steps=(gate,)), pause=Pause(PauseKind.GATE, "step 1 waits for resume", at(3)))
    report = Report(
        TARGET, at(90), Decision(Action.HOLD, "errors: more traffic is needed", a_state()), SNAPSHOT, VERDICT
    )

    written = encode_status(status_of(report, a_state(release=release)))

    assert written.decode() == (GOLDEN / "status.json").read_text(encoding="utf-8")


def test_a_history_document_is_written_byte_for_byte_as_programs_know_it() -> None:
    entry = history_entry(ended(steps=(StepRecord(NOW, at(2)), StepRecord(at(5)))), VERDICT)
    entries = grown((), "my-app", entry)

    assert entries is not None
    assert history_text("my-app", entries).decode() == (GOLDEN / "history.json").read_text(encoding="utf-8")
