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
from analyzer.engine.target import Marks, TargetRuntime
from analyzer.engine.targets import Targets
from analyzer.model.alert import Alert
from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.state import OutboxEntry, TargetState
from analyzer.ports import Clock, Lease, ReleaseStore

Entries = tuple[OutboxEntry, ...]
Flush = Callable[[Entries, datetime], Entries]
"""Tries to deliver what is due; returns the entries that still have a receiver to reach. Never raises."""

_TRIES = 3
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the outbox needs."""

    store: ReleaseStore
    lease: Lease
    clock: Clock
    targets: Targets


class Outbox:
    """Delivers the alerts of all targets; a slow receiver delays others no longer than `patience`."""

    def __init__(self, desk: Desk, flush: Flush, executor: Executor, patience: timedelta) -> None:
        self._desk = desk
        self._flush = flush
        self._executor = executor
        self._patience = patience.total_seconds()
        self._lock = threading.Lock()
        self._notice: Entries = ()
        self._notifying = False

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
        due = [one for one in self._desk.targets.all() if one.has_alerts and not one.delivering]
        deliveries = []
        for runtime in due:
            runtime.delivering = True
            deliveries.append(self._executor.submit(self._one, runtime))
        if self._notice and not self._notifying:
            self._notifying = True
            deliveries.append(self._executor.submit(self._give_notice))
        wait(deliveries, timeout=self._patience)

    def _one(self, runtime: TargetRuntime) -> None:
        try:
            self._deliver(runtime)
        except RecordError as error:
            _log.warning("outbox_save_failed", target=runtime.name, reason=str(error), hint=hints.RETRIED)
        except Exception:  # noqa: BLE001 - the result of this call is not read anywhere else
            _log.exception("outbox_crashed", target=runtime.name, hint=hints.BUG)
        finally:
            runtime.delivering = False

    def _give_notice(self) -> None:
        try:
            before = self._notice
            left = self._flush(before, self._desk.clock.now())
            with self._lock:
                if self._notice is before:  # else it was replaced meanwhile
                    self._notice = left
        except Exception:  # noqa: BLE001 - the result of this call is not read anywhere else
            _log.exception("outbox_crashed", target="", hint=hints.BUG)
        finally:
            self._notifying = False

    def _deliver(self, runtime: TargetRuntime) -> None:
        stored = self._desk.store.load(runtime.name)
        if stored is None:
            runtime.state = None
            return
        entries = _marked(stored.state, runtime.marks).outbox
        remaining = {entry.alert.id: entry for entry in self._flush(entries, self._desk.clock.now())}
        runtime.marks = {**runtime.marks, **{one.alert.id: remaining.get(one.alert.id) for one in entries}}
        if self._desk.targets.take_for_outbox(runtime.name, self._patience):
            try:
                self._write(runtime)
            finally:
                self._desk.targets.release(runtime.name)

    def _write(self, runtime: TargetRuntime) -> None:
        """Mark the document; retried when another process has written it meanwhile."""
        for tries_left in reversed(range(_TRIES)):
            stored = self._desk.store.load(runtime.name)
            if stored is None or self._desk.lease.held() is None:
                return
            marked = _marked(stored.state, runtime.marks)
            try:
                if marked != stored.state:
                    self._desk.store.save(marked, stored.version)
            except StaleStateError:
                if not tries_left:
                    raise
                continue
            runtime.marks = {}
            runtime.state = marked
            return


def _marked(state: TargetState, marks: Marks) -> TargetState:
    """The document with these results; alerts that came meanwhile stay as they are."""
    kept = tuple(after for entry in state.outbox if (after := marks.get(entry.alert.id, entry)) is not None)
    return state if kept == state.outbox else replace(state, outbox=kept)
