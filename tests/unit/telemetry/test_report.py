"""One event per decision, from which a release can be retold, and no noise."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from structlog.testing import capture_logs

from analyzer.model.block import Counts, Timing
from analyzer.model.decision import Action, Decision, Transition
from analyzer.model.metric import Analysis
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, Plan, Step
from analyzer.model.report import Report
from analyzer.model.state import DeadlineClock, Release, StepRecord, TargetState
from analyzer.model.target import Roles, Side, Target
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, Outcome, Verdict
from analyzer.model.workload import Scale, Snapshot, Template, Workload
from analyzer.telemetry.report import LogReporter, decision_fields

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TARGET = Target("my-app", "default", Roles("v1", "v2"), Plan(steps=()), Analysis(metrics=()))
TEMPLATE = Template("c0ffee001122", {})

RELEASE = Release(
    id="my-app-c0ffee00-1",
    canary=TEMPLATE,
    stable=TEMPLATE,
    plan=Plan(steps=(Step(10, timedelta(minutes=5)), Step(50, timedelta(minutes=5)))),
    analysis=Analysis(metrics=()),
    mode=Mode.ACT,
    total=10,
    timing=Timing(2, 1, 1),
    started_at=NOW,
    clock=DeadlineClock(timedelta(0), NOW),
    steps=(StepRecord(NOW),),
)

VERDICT = Verdict(
    outcome=Outcome.FAIL,
    reason="errors is worse",
    metrics=(
        MetricVerdict(
            name="errors",
            classification=Classification.HIGH,
            reason="worse",
            canary=Counts(12, 31_000_123),
            stable=Counts(110, 2750),
            ratio=3.00049,
            interval=(1.5, 5.99999),
            evidence=LogEvidence(abort=4.7, promote=-8, advance=-8, abort_at=4.6, promote_at=3),
        ),
    ),
    culprit="errors",
    observed_share=0.10123,
)


def a_report(reason: str = "errors: e-value 3.2", error: str | None = None, **decision: Any) -> Report:
    phase = decision.pop("phase", Phase.PROGRESSING)
    state = TargetState("my-app", TARGET.roles, phase, NOW, "new", release=decision.pop("release", RELEASE))
    action = decision.pop("action", Action.HOLD)
    return Report(TARGET, NOW, Decision(action, reason, state, **decision), error=error)


def levels(*reports: Report) -> list[str]:
    reporter = LogReporter()
    with capture_logs() as logs:
        for report in reports:
            reporter.report(report)
    assert {line["event"] for line in logs} == {"decision"}
    assert len(logs) == len(reports), "one line per decision"
    return [line["log_level"] for line in logs]


def test_tells_everything_about_a_decision_in_one_event() -> None:
    stable = Workload("v1", "u1", 9, 9, 9, 9, TEMPLATE, {})
    report = Report(
        TARGET,
        NOW,
        Decision(
            Action.ROLLBACK,
            "errors is worse",
            TargetState("my-app", TARGET.roles, Phase.ROLLING_BACK, NOW, "worse", release=RELEASE),
            move=Scale(Side.CANARY, "v2", "u2", 1, 0),
            transitions=(Transition(Phase.PROGRESSING, Phase.ROLLING_BACK, "errors is worse"),),
            notes=("v2 is taken out",),
        ),
        Snapshot(TARGET, stable, None),
        VERDICT,
    )

    fields = decision_fields(report)

    assert json.loads(json.dumps(fields)) == fields
    assert fields == {
        "target": "my-app",
        "namespace": "default",
        "release": "my-app-c0ffee00-1",
        "phase": "ROLLING_BACK",
        "action": "ROLLBACK",
        "reason": "errors is worse",
        "move": "scale v2 (canary) from 1 to 0",
        "transitions": ["PROGRESSING -> ROLLING_BACK: errors is worse"],
        "notes": ["v2 is taken out"],
        "replicas": {"stable": "9/9", "canary": "gone"},
        "step": "1/2",
        "weight": 10,
        "observed_share": 0.1012,
        "verdict": "FAIL",
        "metrics": {
            "errors": {
                "classification": "HIGH",
                "canary": "12/31000123",
                "stable": "110/2750",
                "ratio": 3.0005,
                "interval": [1.5, 6.0],
                "abort_evidence": 100,
                "promote_evidence": 0,
            }
        },
    }


def test_the_log_evidence_is_for_those_who_debug() -> None:
    report = replace(a_report(), verdict=VERDICT)

    def of(level: int) -> dict[str, Any]:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
        try:
            with capture_logs() as logs:
                LogReporter().report(report)
        finally:
            structlog.reset_defaults()
        (line,) = logs
        errors: dict[str, Any] = line["metrics"]["errors"]
        return errors

    people, technical = of(logging.INFO), of(logging.DEBUG)

    assert not [name for name in people if name.startswith("log_evidence")]
    assert {name: technical[name] for name in technical.keys() - people.keys()} == {
        "log_evidence_abort": 4.7,
        "log_evidence_abort_threshold": 4.6,
        "log_evidence_promote": -8,
        "log_evidence_promote_threshold": 3,
    }


def test_evidence_is_in_whole_percents_of_what_decides() -> None:
    evidence = LogEvidence(abort=0.29, promote=2.9999, advance=0, abort_at=1, promote_at=3)
    metric = replace(VERDICT.metrics[0], evidence=evidence)
    (found,) = decision_fields(replace(a_report(), verdict=replace(VERDICT, metrics=(metric,))))["metrics"].values()

    assert (found["abort_evidence"], found["promote_evidence"]) == (29, 99), "100 only where it decides"


def test_tells_the_levels_of_a_gauge() -> None:
    gauge = MetricVerdict("memory", Classification.UNDECIDED, "proof is missing", ratio=1.1, levels=(110.04, 100.0))
    report = replace(a_report(), verdict=replace(VERDICT, metrics=(gauge,)))
    (found,) = decision_fields(report)["metrics"].values()
    assert found == {"classification": "UNDECIDED", "canary": "110", "stable": "100", "ratio": 1.1}


def test_leaves_out_what_does_not_apply_to_an_idle_target() -> None:
    assert decision_fields(a_report("at rest", phase=Phase.IDLE, release=None)) == {
        "target": "my-app",
        "namespace": "default",
        "phase": "IDLE",
        "action": "HOLD",
        "reason": "at rest",
    }


def test_a_decision_that_differs_in_numbers_only_is_no_news() -> None:
    assert levels(a_report("errors: 3.2 of 4.6"), a_report("errors: 3.35 of 4.6")) == ["info", "debug"]


def test_another_phase_action_or_reason_is_news() -> None:
    assert (
        levels(
            a_report(),
            a_report(phase=Phase.PAUSED),
            a_report(action=Action.ADVANCE, phase=Phase.PAUSED),
            a_report("by ada", action=Action.ADVANCE, phase=Phase.PAUSED),
        )
        == ["info"] * 4
    )


def test_a_move_is_always_news() -> None:
    moves = [a_report(move=Scale(Side.CANARY, "v2", "u2", before, before + 1)) for before in (0, 1)]

    assert levels(*moves) == ["info", "info"]


def test_a_failed_tick_is_a_warning_once() -> None:
    failed = a_report(error="Prometheus does not answer after 10 s")

    assert levels(a_report(), failed, failed, a_report()) == ["info", "warning", "debug", "info"]


def test_targets_are_followed_apart() -> None:
    other = Target("other", "default", TARGET.roles, TARGET.plan, TARGET.analysis)
    report = a_report()

    assert levels(report, Report(other, NOW, report.decision), report) == ["info", "info", "debug"]


def test_a_target_that_is_forgotten_is_news_again() -> None:
    reporter = LogReporter()
    with capture_logs() as lines:
        reporter.report(a_report())
        reporter.report(a_report())
        reporter.forget("my-app")
        reporter.report(a_report())
    assert [line["log_level"] for line in lines] == ["info", "debug", "info"]
