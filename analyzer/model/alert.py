"""A message to people, with an id that stays the same over restarts and retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class AlertEvent(StrEnum):
    """What happened. Routes match on it."""

    PAUSED = "paused"
    ABORTED = "aborted"
    PROMOTED = "promoted"
    PROVEN = "proven"
    STUCK = "stuck"
    DRIFT = "drift"
    SUPERSEDED = "superseded"
    GUARD = "guard"
    REGRESSION = "regression"
    GATE = "gate"
    GONE = "gone"
    CONFIGURATION = "configuration"


class Severity(StrEnum):
    """How urgent it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """One message. `id` is unique per transition; alerts with one `key` are about the same incident. An alert about
    the daemon itself has no `target`.

    `summary` is one line: what happened and what the program does about it, then the numbers. `details` is plain JSON.
    """

    id: str
    key: str
    event: AlertEvent
    severity: Severity
    target: str
    namespace: str
    release: str | None
    summary: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
