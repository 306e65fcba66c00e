"""Alerts leave the document only once they are delivered, and nobody's write is lost over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from analyzer.engine.outbox import Desk, Entries, Outbox
from analyzer.engine.targets import Targets
from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.model.errors import RecordError
from analyzer.model.phase import Phase
from analyzer.model.state import OutboxEntry, TargetState
from tests.fakes.clock import START, FakeClock
from tests.fakes.executor import InlineExecutor
from tests.fakes.lease import FakeLease
from tests.fakes.store import MemoryStore
from tests.scenarios.stage import DEMO_TARGET


def _entry(number: int) -> OutboxEntry:
    alert = Alert(f"id{number}", "key", AlertEvent.ABORTED, Severity.CRITICAL, "shop", "default", None, "text", START)
    return OutboxEntry(alert)


def _nothing() -> None:
    """Nothing happens while alerts are sent."""


class PostOffice:
    """An outbox over one document; `sent` has the ids that were tried, `during` happens while it sends."""

    def __init__(self, *numbers: int) -> None:
        self.store, self.targets, self.lease = MemoryStore(), Targets(), FakeLease()
        state = TargetState("shop", DEMO_TARGET.roles, Phase.ABORTED, START, "aborted")
        self.put(replace(state, outbox=tuple(_entry(number) for number in numbers)))
        self.sent: list[str] = []
        self.during: Callable[[], None] = _nothing
        desk = Desk(self.store, self.lease, FakeClock(), self.targets)
        self.outbox = Outbox(desk, self._flush, InlineExecutor(), timedelta(seconds=0.05))

    def put(self, state: TargetState) -> None:
        stored = self.store.load("shop")
        self.store.save(state, stored.version if stored else None)
        self.targets.of("shop").state = state

    @property
    def state(self) -> TargetState:
        stored = self.store.load("shop")
        assert stored is not None
        return stored.state

    def _flush(self, entries: Entries, now: datetime) -> Entries:
        self.sent += [entry.alert.id for entry in entries]
        self.during()
        return ()


def test_delivered_alerts_leave_the_document() -> None:
    office = PostOffice(1, 2)
    office.outbox.run()
    office.outbox.run()
    assert office.sent == ["id1", "id2"]
    assert not office.state.outbox


def test_what_a_tick_wrote_meanwhile_is_kept() -> None:
    office = PostOffice(1)

    def tick_writes() -> None:
        office.put(replace(office.state, outbox=(*office.state.outbox, _entry(2)), reason="a tick was here"))

    office.during = tick_writes
    office.outbox.run()
    assert [entry.alert.id for entry in office.state.outbox] == ["id2"]
    assert office.state.reason == "a tick was here"


def test_alert_is_not_sent_again_while_its_mark_could_not_be_written() -> None:
    office = PostOffice(1)
    office.targets.take_for_ticks(("shop",), 0)
    office.outbox.run()
    assert [entry.alert.id for entry in office.state.outbox] == ["id1"]
    office.targets.release("shop")
    office.outbox.run()
    assert office.sent == ["id1"]
    assert not office.state.outbox


def test_unwritable_store_only_postpones_the_mark() -> None:
    office = PostOffice(1)

    def break_store() -> None:
        office.store.fail_with = RecordError("read-only file system")

    office.during = break_store
    office.outbox.run()
    office.store.fail_with = None
    office.during = _nothing
    office.outbox.run()
    assert office.sent == ["id1"]
    assert not office.state.outbox


def test_standby_delivers_nothing() -> None:
    office = PostOffice(1)
    office.lease.lose()
    office.outbox.run()
    assert office.sent == []


def test_bug_on_the_way_is_logged_and_the_alert_stays() -> None:
    office = PostOffice(1)

    def stumble() -> None:
        raise KeyError("oops")

    office.during = stumble
    with structlog.testing.capture_logs() as lines:
        office.outbox.run()
    assert [(line["event"], line["target"]) for line in lines] == [("outbox_crashed", "shop")]
    office.during = _nothing
    office.outbox.run()
    assert not office.state.outbox
