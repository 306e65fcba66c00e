"""The daemon: starts the jobs, follows a changed configuration, stops cleanly. `bootstrap` creates it."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from analyzer.engine import hints
from analyzer.engine.outbox import Flush, Outbox
from analyzer.engine.schedule import Schedule
from analyzer.engine.sweep import Sweeper
from analyzer.engine.take_over import read_states
from analyzer.engine.targets import Targets
from analyzer.engine.tick import TickContext
from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.model.errors import ConfigError, RecordError
from analyzer.model.target import Target
from analyzer.ports import Measurements, Preflight

LEAD_EVERY = timedelta(seconds=1)
OUTBOX_EVERY = timedelta(seconds=1)
MOVE_EVERY = timedelta(seconds=2)
WATCH_EVERY = timedelta(seconds=5)
LONGEST_STOP = 15.0
"""Seconds that a stop waits for running ticks; their state is safe in any case."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What may change while the daemon runs; `metrics`, `flush` and `preflight` come from the same configuration.

    Without a `preflight` a release needs only its measurements to begin.
    """

    targets: tuple[Target, ...]
    metrics: Measurements
    flush: Flush
    max_concurrent: int
    freeze: bool = False
    preflight: Preflight | None = None


@dataclass(frozen=True, slots=True)
class Machinery:
    """The parts that live as long as the daemon."""

    tick_context: TickContext
    targets: Targets
    sweeper: Sweeper
    outbox: Outbox
    executors: tuple[Executor, ...]
    schedule: Schedule


class Daemon:
    """Ticks every target at its interval while it holds the lease. `watch` gives changed settings, None without a
    change, or raises ConfigError: then the old ones stay."""

    def __init__(
        self, settings: Settings, machinery: Machinery, watch: Callable[[], Settings | None] | None = None
    ) -> None:
        self._settings = settings
        self._machinery = machinery
        self._watch = watch
        self._lock = threading.Lock()
        machinery.targets.configure(settings.targets)
        self._epoch: int | None = None
        self._known_under: int | None = None
        self._all_found = True

    def start(self) -> None:
        """Begin; returns at once. The first sweep follows immediately, or as soon as the lease is held."""
        schedule = self._machinery.schedule
        schedule.start()
        schedule.every(LEAD_EVERY, "lead", self.lead)
        schedule.every(MOVE_EVERY, "moves", self.keep_moving)
        schedule.every(OUTBOX_EVERY, "outbox", self._machinery.outbox.run)
        if self._watch is not None:
            schedule.every(WATCH_EVERY, "configuration", self.follow)
        held = self._machinery.tick_context.lease.held() is not None
        _log.info("daemon_started", targets=len(self._settings.targets), leading=held)

    def stop(self) -> None:
        """End cleanly: ticks finish, and alerts on their way are tried once more. Releases stay where they are."""
        machinery = self._machinery
        machinery.schedule.stop()
        if not machinery.targets.wait_until_free(LONGEST_STOP):
            _log.warning(
                "ticks_still_running", seconds=LONGEST_STOP, hint="they are cut off; state documents stay consistent"
            )
        machinery.outbox.run()
        for executor in machinery.executors:
            executor.shutdown(wait=False, cancel_futures=True)
        _log.info("daemon_stopped")

    def overdue(self, slack: timedelta) -> tuple[str, ...]:
        """Jobs that have not ended for three of their intervals and `slack`: only a restart helps."""
        return self._machinery.schedule.overdue(slack)

    def lead(self) -> None:
        """Check whether the lease is held; where it was just acquired, first read what others did meanwhile."""
        with self._lock:
            epoch = self._machinery.tick_context.lease.held()
            if epoch is not None and epoch != self._known_under:
                self._learn_again(epoch)
            elif epoch is not None and not self._all_found:
                self._learn()
            if epoch == self._epoch:
                return
            self._epoch = epoch
            if epoch is None:
                _log.warning(
                    "leadership_lost",
                    reason="the Lease was taken by another daemon or could not be renewed",
                    hint="this daemon stands by and writes nothing; it takes over when the Lease is free",
                )
            else:
                _log.info("leadership_acquired", epoch=epoch, targets=len(self._settings.targets))
            self._reschedule()

    def sweep(self, interval: timedelta) -> None:
        """One pass over the targets with this interval; nothing in standby."""
        self.lead()
        if self._epoch is not None:
            self._machinery.sweeper.run(self._by_interval().get(interval, ()))
            self._drop_finished()

    def keep_moving(self) -> None:
        """Tick targets that only wait for pods: a rollback must not wait for the next sweep."""
        moving = {one.name for one in self._machinery.targets.all() if one.moving}
        if self._epoch is not None and moving:
            slow = [one for one in self._targets() if one.name in moving and one.analysis.interval > MOVE_EVERY]
            self._machinery.sweeper.run_between(slow)

    def deliver(self) -> None:
        """Try the alerts that are due once."""
        self._machinery.outbox.run()

    def follow(self) -> None:
        """Use a changed configuration, if there is one and it is valid."""
        if self._watch is None:
            return
        try:
            changed = self._watch()
        except ConfigError as error:
            problems = [str(problem) for problem in error.problems]
            _log.error("config_rejected", problems=problems, hint="fix it; the previous one stays in use until then")
            self._machinery.outbox.notice(_refusal(problems, self._machinery.tick_context.clock.now()))
            return
        if changed is not None:
            self.reload(changed)

    def reload(self, settings: Settings) -> None:
        """Use these settings from the next sweep on; targets removed in mid-release are finished first."""
        machinery = self._machinery
        with self._lock:
            names = frozenset(target.name for target in settings.targets)
            removed = [target.name for target in self._settings.targets if target.name not in names]
            self._settings = settings
            machinery.targets.configure(settings.targets)
            machinery.tick_context.admissions.configure(
                settings.metrics, settings.max_concurrent, freeze=settings.freeze, preflight=settings.preflight
            )
            machinery.sweeper.ask(settings.metrics)
            machinery.outbox.send_by(settings.flush)
            machinery.outbox.notice(None)
            if self._epoch is not None:
                self._learn()
                self._drop_finished()
            self._reschedule()
        _log.info("config_reloaded", targets=len(settings.targets), removed=removed)

    def _learn_again(self, epoch: int) -> None:
        """What is cached is from before another daemon led. None has led while the epoch stayed the same."""
        self._machinery.targets.forget_states()
        self._known_under, self._all_found = epoch, True
        self._learn()

    def _learn(self) -> None:
        """Read state documents that are not cached yet, so that slots are counted before a release begins."""
        try:
            read_states(self._machinery.tick_context.store, self._machinery.targets, self._settings.targets)
        except RecordError as error:
            if self._all_found:  # retried each second, logged once
                _log.warning("state_list_failed", reason=str(error), hint=hints.RETRIED)
            self._all_found = False
        else:
            self._all_found = True

    def _drop_finished(self) -> None:
        for name in self._machinery.targets.drop_finished():
            self._machinery.tick_context.publisher.forget(name)
            _log.info("target_forgotten", target=name)

    def _targets(self) -> tuple[Target, ...]:
        """Those configured, and those removed whose release is not finished."""
        removed = (one.configured for one in self._machinery.targets.all() if one.removed and one.active)
        return (*self._settings.targets, *(target for target in removed if target is not None))

    def _by_interval(self) -> dict[timedelta, list[Target]]:
        grouped: dict[timedelta, list[Target]] = defaultdict(list)
        for target in self._targets():
            grouped[target.analysis.interval].append(target)
        return grouped

    def _reschedule(self) -> None:
        schedule = self._machinery.schedule
        wanted = {f"sweep/{interval}": interval for interval in self._by_interval()} if self._epoch is not None else {}
        present = {name for name in schedule.names() if name.startswith("sweep/")}
        for name in present - wanted.keys():
            schedule.drop(name)
        for name in wanted.keys() - present:
            interval = wanted[name]
            schedule.every(interval, name, lambda interval=interval: self.sweep(interval))  # type: ignore[misc]


def _refusal(problems: list[str], now: datetime) -> Alert:
    """Its id follows from the problems: when two daemons find the same ones, receivers can drop the second."""
    digest = hashlib.blake2b("\n".join(problems).encode(), digest_size=8).hexdigest()
    first, more = problems[0], len(problems) - 1
    others = f" (and {more} more)" if more else ""
    return Alert(
        id=f"configuration/{digest}",
        key="configuration",
        event=AlertEvent.CONFIGURATION,
        severity=Severity.WARNING,
        target="",
        namespace="",
        release=None,
        summary=f"new configuration refused, the previous one stays in use: {first}{others}",
        at=now,
        details={"problems": problems},
    )
