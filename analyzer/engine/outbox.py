"""Delivers the alerts in the outboxes of state documents, apart from the ticks. The schedule calls `run`.

Delivery may be slow and comes first; then the document is read again and marked. A kill in between repeats the alert
under the same id. Marks that could not be written are kept until they can be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from analyzer.engine import hints
from analyzer.engine.state_cache import StateCache
from analyzer.engine.target_locks import TargetLocks
from analyzer.model.alert import Alert
from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.state import OutboxEntry, TargetState
from analyzer.ports import Clock, Lease, ReleaseStore

Entries = tuple[OutboxEntry, ...]
Flush = Callable[[Entries, datetime], Entries]
"""Tries to deliver what is due; returns the entries that still have a receiver to reach. Never raises."""

Marks = dict[str, OutboxEntry | None]
"""The result for each alert, by id; None: every receiver has it."""

OURSELVES = ""
"""The key of the daemon's own alert among those of targets."""

_TRIES = 3
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the outbox needs."""

    store: ReleaseStore
    lease: Lease
    clock: Clock
    state_cache: StateCache
    locks: TargetLocks


class Outbox:
    """Delivers the alerts of all targets; a slow receiver delays others no longer than `patience`."""

    def __init__(self, desk: Desk, flush: Flush, executor: Executor, patience: timedelta) -> None:
        self._desk = desk
        self._flush = flush
        self._executor = executor
        self._patience = patience.total_seconds()
        self._unwritten: dict[str, Marks] = {}
        self._delivering: set[str] = set()
        self._lock = threading.Lock()
        self._notice: Entries = ()

    def send_by(self, flush: Flush) -> None:
        """Use this delivery from now on."""
        self._flush = flush

    def notice(self, alert: Alert | None) -> None:
        """Deliver this too, an alert about the daemon itself (None: it is over).

        It is in no state document, and lost with the process.
        """
        with self._lock:
            self._notice = () if alert is None else (OutboxEntry(alert),)

    def run(self) -> None:
        """Try everything that is due once. Only one call at a time."""
        if self._desk.lease.held() is None:
            return
        due = [name for name in self._desk.state_cache.with_alerts() if name not in self._delivering]
        self._delivering.update(due)
        deliveries = [self._executor.submit(self._one, name) for name in due]
        if self._notice and OURSELVES not in self._delivering:
            self._delivering.add(OURSELVES)
            deliveries.append(self._executor.submit(self._one, OURSELVES))
        wait(deliveries, timeout=self._patience)

    def _one(self, target: str) -> None:
        try:
            if target == OURSELVES:
                self._give_notice()
            else:
                self._deliver(target)
        except RecordError as error:
            _log.warning("outbox_save_failed", target=target, reason=str(error), hint=hints.RETRIED)
        except Exception:  # noqa: BLE001 - the result of this call is not read anywhere else
            _log.exception("outbox_crashed", target=target, hint=hints.BUG)
        finally:
            self._delivering.discard(target)

    def _give_notice(self) -> None:
        before = self._notice
        left = self._flush(before, self._desk.clock.now())
        with self._lock:
            if self._notice is before:  # else it was replaced meanwhile
                self._notice = left

    def _deliver(self, target: str) -> None:
        stored = self._desk.store.load(target)
        if stored is None:
            self._desk.state_cache.forget(target)
            return
        entries = _marked(stored.state, self._unwritten.get(target, {})).outbox
        remaining = {entry.alert.id: entry for entry in self._flush(entries, self._desk.clock.now())}
        results: Marks = {entry.alert.id: remaining.get(entry.alert.id) for entry in entries}
        self._unwritten[target] = {**self._unwritten.get(target, {}), **results}
        if self._desk.locks.take_for_outbox(target, self._patience):
            try:
                self._write(target)
            finally:
                self._desk.locks.release(target)

    def _write(self, target: str) -> None:
        """Mark the document; retried when another process has written it meanwhile."""
        for tries_left in reversed(range(_TRIES)):
            stored = self._desk.store.load(target)
            if stored is None or self._desk.lease.held() is None:
                return
            marked = _marked(stored.state, self._unwritten.get(target, {}))
            try:
                if marked != stored.state:
                    self._desk.store.save(marked, stored.version)
            except StaleStateError:
                if not tries_left:
                    raise
                continue
            self._unwritten.pop(target, None)
            self._desk.state_cache.note(marked)
            return


def _marked(state: TargetState, marks: Marks) -> TargetState:
    """The document with these results; alerts that came meanwhile stay as they are."""
    kept = tuple(after for entry in state.outbox if (after := marks.get(entry.alert.id, entry)) is not None)
    return state if kept == state.outbox else replace(state, outbox=kept)
