"""The life of the daemon: starts the jobs, follows a changed configuration, stops cleanly. `bootstrap` makes it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

import structlog

from analyzer.engine.claims import Claims
from analyzer.engine.outbox import Flush, Outbox
from analyzer.engine.schedule import Schedule
from analyzer.engine.sweep import Sweeper
from analyzer.engine.tick import Surroundings
from analyzer.model.errors import ConfigError, RecordError
from analyzer.model.target import Target
from analyzer.ports import Measurements

OUTBOX_EVERY = timedelta(seconds=1)
WATCH_EVERY = timedelta(seconds=5)
LONGEST_STOP = 15.0
"""Seconds that a stop waits for ticks that are running; their documents are safe in any case."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What may change while the daemon runs; `metrics` and `flush` are made from the same configuration."""

    targets: tuple[Target, ...]
    metrics: Measurements
    flush: Flush
    max_concurrent: int = 20
    freeze: bool = False


@dataclass(frozen=True, slots=True)
class Machinery:
    """The parts that live as long as the daemon."""

    surroundings: Surroundings
    claims: Claims
    sweeper: Sweeper
    outbox: Outbox
    executors: tuple[Executor, ...]
    schedule: Schedule


class Daemon:
    """Ticks every target at its interval. `watch` gives changed settings, None without a change, or raises
    ConfigError: then the old ones stay."""

    def __init__(
        self, settings: Settings, machinery: Machinery, watch: Callable[[], Settings | None] | None = None
    ) -> None:
        self._settings = settings
        self._machinery = machinery
        self._watch = watch
        self._lock = threading.Lock()
        self._leaving: dict[str, Target] = {}

    def start(self) -> None:
        """Begin; returns at once. The first sweep follows immediately."""
        self.learn()
        schedule = self._machinery.schedule
        schedule.start()
        schedule.every(OUTBOX_EVERY, "outbox", self._machinery.outbox.run)
        if self._watch is not None:
            schedule.every(WATCH_EVERY, "configuration", self.follow)
        self._reschedule()
        _log.info("daemon_started", targets=len(self._settings.targets))

    def stop(self) -> None:
        """End cleanly: ticks finish, and alerts on their way are tried once more. Releases stay where they are."""
        machinery = self._machinery
        machinery.schedule.stop()
        if not machinery.claims.wait_until_idle(LONGEST_STOP):
            _log.warning("ticks_left_behind", reason=f"still running after {LONGEST_STOP:g} s")
        machinery.outbox.run()
        for executor in machinery.executors:
            executor.shutdown(wait=False, cancel_futures=True)
        _log.info("daemon_stopped")

    def learn(self) -> None:
        """Read documents that were not seen yet, so that slots are counted before a release begins."""
        world = self._machinery.surroundings
        for target in self._settings.targets:
            if world.board.seen(target.name) is not None:
                continue
            try:
                stored = world.store.load(target.name)
            except RecordError as error:
                _log.warning("state_unreadable", target=target.name, reason=str(error))
                continue
            if stored is not None:
                world.board.note(stored.state)

    def sweep(self, interval: timedelta) -> None:
        """One pass over the targets that are looked at this often."""
        self._machinery.sweeper.run(self._by_interval().get(interval, ()))
        self._say_goodbye()

    def deliver(self) -> None:
        """Try the alerts that are due once."""
        self._machinery.outbox.run()

    def follow(self) -> None:
        """Take a changed configuration over, if there is one and it is right."""
        if self._watch is None:
            return
        try:
            changed = self._watch()
        except ConfigError as error:
            _log.error("configuration_refused", problems=[str(problem) for problem in error.problems])
            return
        if changed is not None:
            self.reload(changed)

    def reload(self, settings: Settings) -> None:
        """Use these settings from the next sweep on; targets that are gone in mid-release are finished first."""
        with self._lock:
            names = {target.name for target in settings.targets}
            dropped = [target for target in self._settings.targets if target.name not in names]
            self._settings = settings
            self._leaving = {name: target for name, target in self._leaving.items() if name not in names}
            self._leaving.update({target.name: target for target in dropped})
        machinery = self._machinery
        machinery.surroundings.admissions.configure(settings.metrics, settings.max_concurrent, freeze=settings.freeze)
        machinery.sweeper.ask(settings.metrics)
        machinery.outbox.send_by(settings.flush)
        self.learn()
        self._say_goodbye()
        self._reschedule()
        _log.info("configuration_reloaded", targets=len(settings.targets), dropped=[one.name for one in dropped])

    def _by_interval(self) -> dict[timedelta, list[Target]]:
        board = self._machinery.surroundings.board
        with self._lock:
            leaving = [one for one in self._leaving.values() if one.name in board.active()]
            grouped: dict[timedelta, list[Target]] = defaultdict(list)
            for target in (*self._settings.targets, *leaving):
                grouped[target.analysis.interval].append(target)
        return grouped

    def _say_goodbye(self) -> None:
        """Forget removed targets whose release has ended and whose alerts are delivered."""
        world = self._machinery.surroundings
        with self._lock:
            for name in list(self._leaving):
                state = world.board.seen(name)
                if state is None or not (state.phase.active or state.outbox):
                    del self._leaving[name]
                    world.board.forget(name)
                    world.memory.forget(name)
                    _log.info("target_forgotten", target=name)

    def _reschedule(self) -> None:
        schedule = self._machinery.schedule
        wanted = {f"sweep/{interval}": interval for interval in self._by_interval()}
        present = {name for name in schedule.names() if name.startswith("sweep/")}
        for name in present - wanted.keys():
            schedule.drop(name)
        for name in wanted.keys() - present:
            interval = wanted[name]
            schedule.every(interval, name, lambda interval=interval: self.sweep(interval))  # type: ignore[misc]
