"""All that this process knows of one target, in one place: dropping a target is dropping its runtime.

It is a memory and no source: every tick reads the state document before it decides, and what a restart loses is
rebuilt.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from analyzer.model.block import Timing
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode
from analyzer.model.report import Report
from analyzer.model.state import Command, ExecutedCommand, OutboxEntry, TargetState
from analyzer.model.target import Target
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Snapshot
from analyzer.release.evidence import KeptEvidence
from analyzer.release.noise import FoundNoise

Marks = dict[str, OutboxEntry | None]
"""What became of each alert, by id; None: every receiver has it."""


REMEMBERED = 60.0
"""Seconds that preflight findings count: a pending target must not flood the API server."""


class Holder(StrEnum):
    """Who holds a target and may write its state. A tick of a sweep waits for Prometheus; the others are brief."""

    TICK = "tick"
    BETWEEN = "tick between sweeps"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class IdleSnapshot:
    """All that a tick saw which changed nothing, and its report.

    The state is compared by identity: within one epoch only this process writes it, and every write creates a new one.
    """

    epoch: int
    state: TargetState
    snapshot: Snapshot
    commands: tuple[Command, ...]
    report: Report

    def unchanged(self, epoch: int | None, state: TargetState | None, snapshot: Snapshot, commands: object) -> bool:
        """Would a tick find the same now?"""
        same = (snapshot, commands) == (self.snapshot, self.commands)
        return same and epoch == self.epoch and state is self.state


@dataclass(frozen=True, slots=True)
class PublishedStatus:
    """The last status that this process wrote; `fields` is a digest, since thousands of whole ones take memory."""

    at: datetime
    phase: Phase
    answers: tuple[ExecutedCommand, ...]
    fields: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """The checks passed: all that a release needs to begin."""

    timing: Timing
    noise: FoundNoise
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotReady:
    """Why a release cannot begin yet. `failed`: a check did not run, as when Prometheus is down."""

    reason: str
    warnings: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PreflightOutcome:
    """Why a release cannot begin, and what people should know; it counts for this many `seconds`."""

    obstacle: str | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = REMEMBERED


@dataclass(slots=True, eq=False)
class Checks:
    """The checks of a pending release: those that run or ran last, and what of them is kept longer. `about` says for
    which pods and versions each counts."""

    about: object
    future: Future[Ready | NotReady] | None = None
    before: NotReady | None = None
    failures: int = 0
    known_at: float | None = None
    preflight: tuple[object, float, PreflightOutcome] | None = None
    noise: tuple[object, FoundNoise] | None = None


@dataclass(slots=True, eq=False)
class TargetRuntime:
    """One target in this process. Who holds it (see `Targets`) may use all of it; others only read `state`.

    `configured` is the target as configured last, None where the configuration never had it and its state does not
    tell; `removed`: the configuration no longer has it. `waiting_since` and `granted` are about slots and belong to
    `Targets`. `fenced` says under which epoch which Deployments were claimed, `archived` which release is in the
    history, `verdict` on which verdict a release was decided. `marks` are alerts whose delivery is not saved yet.
    """

    name: str
    configured: Target | None = None
    removed: bool = False
    holder: Holder | None = None
    waiting_since: datetime | None = None
    granted: bool = False
    state: TargetState | None = None
    fenced: object | None = None
    evidence: KeptEvidence | None = None
    idle: IdleSnapshot | None = None
    checks: Checks | None = None
    published: PublishedStatus | None = None
    archived: str | None = None
    verdict: tuple[str, Verdict] | None = None
    marks: Marks = field(default_factory=dict)
    delivering: bool = False

    @property
    def active(self) -> bool:
        """Its release holds a slot, as far as is known."""
        return self.state is not None and self.state.phase.active

    @property
    def pending(self) -> bool:
        """It waits for its release to begin, as far as is known."""
        return self.state is not None and self.state.phase.pending

    @property
    def has_alerts(self) -> bool:
        """Its state holds alerts that are not delivered."""
        return self.state is not None and bool(self.state.outbox)

    @property
    def finished(self) -> bool:
        """Nothing is left to do where it is no longer configured: no release in progress, no alert."""
        return not (self.active or self.has_alerts)

    @property
    def moving(self) -> bool:
        """Its pods are on the move, where nothing has to be proven first: to a step's replicas, out of a release that
        is rolled back, or to the new version once stable has it."""
        release = self.state.release if self.state is not None else None
        if self.state is None or release is None:
            return False
        phase = self.state.phase
        reaching = phase.clock_runs and release.record.settled_at is None
        return phase.rolling_back or reaching or (phase.promoting and release.written)

    def must_claim(self, state: TargetState, epoch: int) -> bool:
        """Must the Deployments be claimed before anything is decided? Never where they are only observed."""
        release = state.release
        if release is None or not state.phase.active or release.mode is Mode.OBSERVE:
            return False
        return self.fenced != _claim(state, epoch)

    def claimed(self, state: TargetState, epoch: int) -> None:
        """The Deployments were claimed. It is no harm to claim them again, as after a restart."""
        self.fenced = _claim(state, epoch)

    def drop_checks(self) -> None:
        """It is no longer pending."""
        if self.checks is not None and self.checks.future is not None:
            self.checks.future.cancel()
        self.checks = None


def _claim(state: TargetState, epoch: int) -> object:
    """What was claimed: a target that is configured with other Deployments has to be claimed again."""
    return epoch, state.home, frozenset((state.roles.stable, state.roles.canary))
