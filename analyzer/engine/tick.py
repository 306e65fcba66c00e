"""One pass of the loop for one target, as a straight line without policy. A sweep creates one per target.

Intent is saved before the write, and writes are absolute: after a kill between any two lines the next tick repairs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from analyzer.decision import decide, enroll, keep_invariants, moved_to
from analyzer.decision.wording import then
from analyzer.engine import hints
from analyzer.engine.admission import Admissions
from analyzer.engine.publisher import Publisher
from analyzer.engine.target import IdleSnapshot, TargetRuntime
from analyzer.judge import Judged
from analyzer.model.collection import Collected
from analyzer.model.decision import Action, Decision
from analyzer.model.errors import AnalyzerError, LeaseLostError, ObservationError, RecordError
from analyzer.model.report import Report
from analyzer.model.state import Command, Stored, TargetState
from analyzer.model.target import Roles, Target
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Snapshot
from analyzer.ports import Clock, Lease, ReleaseStore, Workloads
from analyzer.release.bake import Asked
from analyzer.release.evidence import Look, folded, keep, look

_log = structlog.get_logger(__name__)

STANDBY = "standing by: this daemon does not hold the leader lease"


@dataclass(frozen=True, slots=True)
class TickContext:
    """All that a tick needs."""

    store: ReleaseStore
    workloads: Workloads
    lease: Lease
    clock: Clock
    admissions: Admissions
    publisher: Publisher


class Tick:
    """`prepare`, then query the returned blocks, then `conclude` (or `abandon`): once each.

    Any error of a target becomes a report, not an exception.
    """

    def __init__(self, target: Target, runtime: TargetRuntime, world: TickContext) -> None:
        self.target = target
        self._runtime = runtime
        self._world = world
        self._epoch: int | None = None
        self._stored: Stored | None = None
        self._state: TargetState | None = None
        self._snapshot: Snapshot | None = None
        self._commands: Sequence[Command] = ()
        self._unreadable: str | None = None
        self._changed: str | None = None
        self._look: Look | None = None
        self._verdict: Verdict | None = None
        self._choice: Decision | None = None
        self._failed: Report | None = None
        self._saved = False

    @property
    def in_release(self) -> bool:
        """A release is in progress, as `prepare` found: it must not wait for idle targets."""
        return self._state is not None and self._state.phase.active

    def repeat_idle(self) -> bool:
        """Where the target is idle and nothing has changed since a tick that found nothing to do: repeat its report,
        and this tick is over."""
        world, runtime, last = self._world, self._runtime, self._runtime.idle
        if last is None or last.snapshot.target is not self.target:
            return False
        try:
            commands = tuple(world.store.commands(runtime.name))
            snapshot = world.workloads.snapshot(self.target, last.state.roles)
            snapshot = replace(snapshot, admission=world.admissions.admit(runtime, last.state, snapshot))
            if not last.unchanged(world.lease.held(), runtime.state, snapshot, commands):
                return False
            world.publisher.repeat(last.report)
        except Exception:  # noqa: BLE001 - the tick itself reports it, for this target alone
            return False
        return True

    def prepare(self) -> Asked | None:
        """Read state, Deployments and commands; returns what to query, None for nothing."""
        self._failed = self._guarded(self._read)
        return self._look.asked if self._look is not None and self._failed is None else None

    def conclude(self, answer: Collected | ObservationError | None) -> Report:
        """Judge, decide, save and act; returns the report. Without an `answer` (nothing was queried) the evidence is
        that of the last tick."""
        report = self._failed or self._guarded(lambda: self._decide_and_act(answer))
        report = report or self._report()
        self._world.admissions.settle(self._runtime, failed=report.error is not None)
        written = None if self._epoch is None or self._stored is None else self._stored.state
        published = self._world.publisher.tell(self._runtime, report, written)
        self._runtime.idle = self._idle_snapshot(report) if published and self._is_idle(report) else None
        return report

    def abandon(self) -> None:
        """It was not concluded: free its slot. Nothing was written."""
        self._world.admissions.settle(self._runtime, failed=True)

    def _is_idle(self, report: Report) -> bool:
        """Nothing was done, and nothing is pending."""
        choice, stored = self._choice, self._stored
        if choice is None or stored is None or report.error is not None or self._saved:
            return False
        idle = stored.state.phase.idle and not stored.state.outbox
        return idle and not (choice.move or choice.transitions or choice.notes)

    def _idle_snapshot(self, report: Report) -> IdleSnapshot | None:
        if self._epoch is None or self._stored is None or self._snapshot is None:
            return None
        return IdleSnapshot(self._epoch, self._stored.state, self._snapshot, tuple(self._commands), report)

    def _read(self) -> None:
        world = self._world
        self._epoch = world.lease.held()
        if self._epoch is None:
            raise LeaseLostError(STANDBY)
        self._stored = world.store.load(self.target.name)
        if self._stored is not None:
            self._runtime.state = self._stored.state
            self._state = _claimed(self._stored.state, self._epoch)
            self._stay_with_release(self._state)
            self._take_over(self._state, self._epoch)
            self._catch_up_history(self._state)
            self._state = self._follow_configuration(self._state)
        roles = self._state.roles if self._state else self.target.roles
        seen_at = world.clock.now()
        self._snapshot = world.workloads.snapshot(self.target, roles)
        self._read_commands()
        if self._state is not None:
            self._state = enroll(self._state, self._snapshot, world.clock.now())
            self._look = look(self._runtime.evidence, self.target, self._state, seen_at)
            if self._look is None:
                self._runtime.evidence = None
            admission = world.admissions.admit(self._runtime, self._state, self._snapshot, self._unreadable)
            warnings = (*admission.warnings, *filter(None, (self._changed,)))
            self._snapshot = replace(self._snapshot, admission=replace(admission, warnings=warnings))

    def _stay_with_release(self, state: TargetState) -> None:
        """A release ends with the Deployments that it began with."""
        if not state.phase.active or state.is_about(self.target):
            return
        ours, wanted = state.roles, self.target
        home = state.home or wanted.namespace
        self._changed = (
            f"the configuration now names {wanted.roles.stable} and {wanted.roles.canary} in {wanted.namespace}; "
            f"finishing this release with {ours.stable} and {ours.canary} in {home} first"
        )
        self.target = replace(wanted, namespace=home)

    def _follow_configuration(self, state: TargetState) -> TargetState:
        """Other Deployments than in the state make it a new target. Raises RecordError."""
        if state.phase.active or state.is_about(self.target):
            return state
        self._world.publisher.archive(self._runtime, state)  # or its last release would be lost
        _log.info(
            "target_moved",
            target=state.target,
            before=_named(state.home, state.roles),
            after=_named(self.target.namespace, self.target.roles),
        )
        return moved_to(self.target, state, self._world.clock.now())

    def _read_commands(self) -> None:
        """Without the operators' commands nothing moves forward: one may be `abort`. Rollbacks go on."""
        try:
            self._commands = self._world.store.commands(self.target.name)
        except RecordError as error:
            self._unreadable = f"operators' commands cannot be read ({error})"

    def _take_over(self, state: TargetState, epoch: int) -> None:
        """Fence off earlier leaders before anything is decided: first from the state, then from the Deployments."""
        if self._runtime.must_claim(state, epoch):
            self._save(state)
            self._world.workloads.claim(self.target, state.roles, self._writing_epoch())
            self._runtime.claimed(state, epoch)

    def _catch_up_history(self, state: TargetState) -> None:
        """A kill may have come before the entry of an ended release. An unusable history stops nothing."""
        try:
            self._world.publisher.archive(self._runtime, state)
        except RecordError as error:
            _log.warning("history_write_failed", target=self.target.name, reason=str(error), hint=hints.RETRIED)

    def _decide_and_act(self, answer: Collected | ObservationError | None) -> None:
        world, snapshot = self._world, _known(self._snapshot)
        judged = _judged(self._look, answer)
        self._verdict = judged.verdict if judged is not None else None
        choice = decide(self._state, snapshot, self._verdict, self._commands, world.clock.now())
        choice = self._checked(choice, snapshot)
        self._save(choice.intent)
        self._choice = choice
        if self._look is not None and judged is not None and answer is not None:
            self._runtime.evidence = keep(self._look.course, judged)
        world.publisher.remember(self._runtime, choice.state, self._verdict)
        if choice.move is not None:
            world.workloads.apply(self.target, choice.move, self._writing_epoch())
        self._save(choice.next_state)
        world.publisher.archive(self._runtime, choice.next_state)

    def _checked(self, choice: Decision, snapshot: Snapshot) -> Decision:
        """The decision without a write that would break an invariant: such a bug must not cost users pods."""
        checked = keep_invariants(choice, snapshot, self._world.clock.now())
        if checked is not choice:
            _log.error(
                "unsafe_move",
                target=self.target.name,
                move=str(choice.move),
                reason=checked.reason,
                hint="a bug: please report it with this line; `canary-analyzer abort` still rolls back",
            )
        return checked

    def _save(self, state: TargetState) -> None:
        """Write the state, if it changed, while the lease is held."""
        if self._stored is not None and state == self._stored.state:
            return
        self._writing_epoch()
        version = self._world.store.save(state, self._stored.version if self._stored else None)
        self._stored, self._saved = Stored(state, version), True
        self._runtime.state = state

    def _writing_epoch(self) -> int:
        held = self._world.lease.held()
        if held is None or held != self._epoch:
            found = "no lease" if held is None else f"epoch {held}"
            raise LeaseLostError(
                f"expected to hold the leader lease in epoch {self._epoch}, found {found}; not written"
            )
        return held

    def _guarded(self, work: Callable[[], None]) -> Report | None:
        """After any error in one target's tick that target holds and reports it; others go on."""
        try:
            work()
        except AnalyzerError as error:
            return self._report(str(error))
        except Exception as error:  # noqa: BLE001 - a bug must not end the daemon, and never promotes
            _log.exception("tick_failed", target=self.target.name, hint=hints.BUG)
            return self._report(f"{type(error).__name__}: {error} (a bug in the analyzer; this target holds)")
        return None

    def _report(self, error: str | None = None) -> Report:
        now = self._world.clock.now()
        decision = self._choice or Decision(Action.HOLD, error or "", self._best_known(now))
        done = self._choice is not None and self._stored is not None and self._stored.state == self._choice.next_state
        if error is not None and self._choice is not None and not done:
            reason = then(self._choice.reason, f"not carried out: {error}")
            decision = replace(self._choice, action=Action.HOLD, reason=reason, state=self._best_known(now))
        return Report(self.target, now, decision, self._snapshot, self._verdict, error)

    def _best_known(self, now: datetime) -> TargetState:
        known = self._stored.state if self._stored else self._runtime.state
        return known or TargetState.first(self.target, now, "not read yet")


def _claimed(state: TargetState, epoch: int) -> TargetState:
    """The state under our epoch; an idle one keeps the old epoch, so that a new leader does not write them all."""
    if state.epoch > epoch:
        raise LeaseLostError(
            f"expected a state document of epoch {epoch} or less, found epoch {state.epoch}; not written"
        )
    return state if state.phase.idle or state.epoch == epoch else replace(state, epoch=epoch)


def _named(namespace: str, roles: Roles) -> str:
    return f"{roles.stable} and {roles.canary} in {namespace or 'an unknown namespace'}"


def _judged(asked: Look | None, answer: Collected | ObservationError | None) -> Judged | None:
    if asked is None or answer is None:
        return asked.judged if asked is not None else None
    return folded(asked, answer)


def _known(snapshot: Snapshot | None) -> Snapshot:
    if snapshot is None:
        raise ValueError("conclude() needs prepare() first")
    return snapshot
