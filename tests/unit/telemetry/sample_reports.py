"""Reports of ticks, for the tests of those who pass them on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from analyzer.model.decision import Action, Decision, Transition
from analyzer.model.metric import Analysis
from analyzer.model.phase import Phase
from analyzer.model.plan import Plan
from analyzer.model.report import Report
from analyzer.model.state import TargetState
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Snapshot, Template, Workload

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TARGET = Target("my-app", "shop", Roles("v1", "v2"), Plan(steps=()), Analysis(metrics=()))


def workload(name: str) -> Workload:
    """A Deployment of one pod."""
    return Workload(name, f"uid-{name}", 1, 1, 1, 1, Template("c0ffee001122", {}), {"app": name})


BOTH = Snapshot(TARGET, workload("v1"), workload("v2"))


def tick(
    *entered: Phase,
    reason: str = "because",
    at: datetime = NOW,
    snapshot: Snapshot | None = BOTH,
    notes: tuple[str, ...] = (),
    error: str | None = None,
    saved: Phase | None = None,
) -> Report:
    """A tick in which these phases were entered, from IDLE on; `saved` is what the document says after a failure."""
    before = (Phase.IDLE, *entered)
    transitions = tuple(Transition(*pair, reason) for pair in zip(before, entered, strict=False))
    state = TargetState(TARGET.name, TARGET.roles, saved or before[-1], at, reason)
    return Report(TARGET, at, Decision(Action.HOLD, reason, state, None, transitions, notes), snapshot, None, error)
