"""Documents for the tests of the record, written by hand; `any_value.py` makes arbitrary ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.model.block import Timing
from analyzer.model.metric import Analysis, QueryMetric, RatioMetric
from analyzer.model.phase import Phase
from analyzer.model.plan import Gate, Mode, Plan, Step
from analyzer.model.state import (
    Command,
    DeadlineClock,
    ExecutedCommand,
    OutboxEntry,
    Release,
    StepRecord,
    TargetState,
    Verb,
    Version,
)
from analyzer.model.status_document import BySide, DeploymentDocument, HistoryEntry, StatusDocument
from analyzer.model.target import Roles, Side
from analyzer.model.workload import Replicas, RosterEntry, Scale, Template

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

TEMPLATE = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "web", "image": "shop:2"}]}}


def at(seconds: float) -> datetime:
    """A moment that many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def a_release(**changes: Any) -> Release:
    values: dict[str, Any] = {
        "id": "my-app-c0ffee00-1",
        "canary": Template("c0ffee001122", TEMPLATE),
        "stable": Template("57ab1e001122", TEMPLATE),
        "plan": Plan(steps=(Step(10, timedelta(minutes=5)), Step(50, timedelta(minutes=5), Gate(timedelta(hours=4))))),
        "analysis": Analysis(
            metrics=(RatioMetric("errors", 'http_total{code=~"5.."}', "http_total"), QueryMetric("slo", "up", max=0.5))
        ),
        "mode": Mode.ACT,
        "total": 10,
        "timing": Timing(block=30.0, slot=15.0, delay=2.0),
        "started_at": NOW,
        "clock": DeadlineClock(timedelta(seconds=12.5), at(30)),
        "steps": (StepRecord(NOW, at(20)),),
        "roster": (RosterEntry("my-app-v2-abc12", Side.CANARY, at(3), at(50)),),
    }
    return Release(**{**values, **changes})


def a_state(**changes: Any) -> TargetState:
    values: dict[str, Any] = {
        "target": "my-app",
        "roles": Roles("my-app-v1", "my-app-v2"),
        "phase": Phase.PROGRESSING,
        "since": NOW,
        "reason": "new version c0ffee001122",
        "epoch": 3,
        "handled": Version("uid-2", "c0ffee001122"),
        "unmanaged": False,
        "stable_hash": "57ab1e001122",
        "release": a_release(),
        "releases": 1,
        "expected": Replicas(9, 1),
        "intent": Scale(Side.CANARY, "my-app-v2", "uid-2", 0, 1),
        "outbox": (OutboxEntry(an_alert(), ("log",), 2, at(60)),),
        "executed": (ExecutedCommand("20260301-1", Verb.PAUSE, accepted=True, answer="paused"),),
    }
    return TargetState(**{**values, **changes})


def an_alert(**changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": "default/my-app-c0ffee00-1/aborted",
        "key": "default/my-app-c0ffee00-1",
        "event": AlertEvent.ABORTED,
        "severity": Severity.CRITICAL,
        "target": "my-app",
        "namespace": "default",
        "release": "my-app-c0ffee00-1",
        "summary": "my-app aborted: errors 12.1 % against 4.0 %",
        "at": NOW,
        "details": {"ratio": 3.0, "culprit": "errors"},
    }
    return Alert(**{**values, **changes})


def a_command(number: int, verb: Verb = Verb.ABORT, when: datetime = NOW) -> Command:
    return Command(f"command-{number:03}", verb, "my-app-c0ffee00-1", "ada", when)


def a_status_document(**changes: Any) -> StatusDocument:
    values: dict[str, Any] = {
        "target": "my-app",
        "namespace": "shop",
        "phase": Phase.PROGRESSING,
        "reason": "more traffic is needed",
        "replicas": BySide(DeploymentDocument("v1", 9, 9), DeploymentDocument("v2", 1, 1)),
        "updated_at": NOW,
    }
    return StatusDocument(**{**values, **changes})


def an_entry(identity: str = "r-1", **changes: Any) -> HistoryEntry:
    values: dict[str, Any] = {"target": "my-app", "result": "aborted", "reason": "errors: 12 % against 4 %"}
    return HistoryEntry(id=identity, **{**values, **changes})
