"""All that is known after one tick of one target: what reporters, status and history are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analyzer.model.decision import Decision
from analyzer.model.target import Target
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Snapshot


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known after one tick of one target; `error` when the tick failed and held."""

    target: Target
    at: datetime
    decision: Decision
    snapshot: Snapshot | None = None
    verdict: Verdict | None = None
    error: str | None = None
