"""Alerts for the tests of alerting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.model.state import OutboxEntry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def an_alert(ident: str = "default/r-1/aborted", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "key": "default/r-1",
        "event": AlertEvent.ABORTED,
        "severity": Severity.CRITICAL,
        "target": "my-app",
        "namespace": "default",
        "release": "r-1",
        "summary": "my-app aborted: errors 12.1 % against 4.0 %",
        "at": NOW,
        "details": {"culprit": "errors", "ratio": 3.0},
    }
    return Alert(id=ident, **{**values, **changes})


def entries(*idents: str) -> tuple[OutboxEntry, ...]:
    return tuple(OutboxEntry(an_alert(ident)) for ident in idents)
