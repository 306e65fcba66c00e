"""The input of the rules of one tick, and the ways in which a rule can decide.

A rule is a function `Context -> Decision | None`; None passes to the next rule. `first_answer` runs a list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from analyzer.decision.replicas import Bounds, bounds_of
from analyzer.model.alert import Alert
from analyzer.model.decision import Action, Decision, Transition
from analyzer.model.phase import TRANSITIONS, Phase
from analyzer.model.plan import CapacityMode, Mode
from analyzer.model.state import OutboxEntry, Release, TargetState
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Move, Replicas, Snapshot, Workload


@dataclass(frozen=True, slots=True)
class Context:
    """One tick of one target: its state, the Deployments, the judge's verdict (None: not judged) and the time."""

    state: TargetState
    snapshot: Snapshot
    verdict: Verdict | None
    now: datetime

    @property
    def release(self) -> Release:
        """The release in progress; rules of active phases may rely on it."""
        if self.state.release is None:
            message = f"phase {self.state.phase} without a release: the state document is inconsistent"
            raise ValueError(message)
        return self.state.release

    @property
    def stable(self) -> Workload:
        """Stable's Deployment; `decide` has made sure that it exists."""
        return _present(self.snapshot.stable, self.state.roles.stable)

    @property
    def canary(self) -> Workload:
        """The canary's Deployment; `decide` has made sure that it exists."""
        return _present(self.snapshot.canary, self.state.roles.canary)

    @property
    def missing(self) -> str | None:
        """The Deployments that do not exist, as texts name them; None when both do."""
        absent = [self.state.roles.name(side) for side in Side if self.snapshot.side(side) is None]
        return f"Deployment{'s' if len(absent) > 1 else ''} {' and '.join(absent)}" if absent else None

    @property
    def bounds(self) -> Bounds:
        """The bounds that our writes keep in this release."""
        return bounds_of(self.release.plan.capacity, self.release.total)

    @property
    def surge(self) -> bool:
        """Stable's replicas are not ours to write."""
        return self.release.plan.capacity.mode is CapacityMode.SURGE

    @property
    def acting(self) -> bool:
        """Workloads may be written."""
        return self.snapshot.target.mode is Mode.ACT if not self.state.phase.active else self._release_acts

    @property
    def _release_acts(self) -> bool:
        return self.release.mode is Mode.ACT

    @property
    def replicas(self) -> Replicas:
        """The replicas that both Deployments request now."""
        return Replicas(stable=self.stable.replicas, canary=self.canary.replicas)

    def update(self, **changes: Any) -> Context:
        """The same context with a changed release."""
        return replace(self, state=self.state.with_release(replace(self.release, **changes)))

    def hold(self, reason: str, *notes: str) -> Decision:
        """Stay in the phase, with the reason."""
        return Decision(Action.HOLD, reason, self.state, notes=notes)

    def write(self, move: Move, reason: str, *notes: str) -> Decision:
        """Stay in the phase and make one write."""
        return Decision(Action.HOLD, f"{reason}: {move.doing}", self.state, move=move, notes=notes)

    def go(self, phase: Phase, reason: str, action: Action = Action.HOLD, *alerts: Alert) -> Decision:
        """Enter another phase; the alerts are enqueued in the same write."""
        before = self.state.phase
        if phase not in TRANSITIONS[before]:
            message = f"transition from {before} to {phase} is not allowed ({reason})"
            raise ValueError(message)
        state = enqueue(self.state.enter(phase, self.now, reason), *alerts)
        return Decision(action, reason, state, transitions=(Transition(before, phase, reason),))

    def enqueue(self, *alerts: Alert) -> Context:
        """The same context with alerts in its outbox."""
        return replace(self, state=enqueue(self.state, *alerts))


Rule = Callable[[Context], Decision | None]


def first_answer(rules: Sequence[Rule], context: Context) -> Decision:
    """The first rule that applies decides; the last one always does."""
    for rule in rules:
        answer = rule(context)
        if answer is not None:
            return answer
    message = f"no rule decided in phase {context.state.phase}"
    raise ValueError(message)


def enqueue(state: TargetState, *alerts: Alert) -> TargetState:
    """Put alerts into the outbox, without duplicates."""
    waiting = {entry.alert.id for entry in state.outbox}
    new = tuple(OutboxEntry(alert) for alert in alerts if alert.id not in waiting)
    return replace(state, outbox=state.outbox + new) if new else state


def _present(workload: Workload | None, name: str) -> Workload:
    if workload is None:
        message = f"Deployment {name} does not exist"
        raise ValueError(message)
    return workload
