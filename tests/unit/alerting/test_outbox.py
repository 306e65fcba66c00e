"""Alerts leave the outbox when all receivers have them, in order, and however often a receiver fails."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from analyzer.alerting.outbox import KEPT_FOR, flush
from analyzer.alerting.routing import Route, Router
from analyzer.model.alert import AlertEvent
from analyzer.model.state import OutboxEntry
from tests.fakes.sinks import MemorySink
from tests.unit.alerting.sample_alerts import NOW, an_alert, entries


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_delivers_everything_to_everybody_in_order() -> None:
    chat, log = MemorySink("chat"), MemorySink("log")

    assert flush(entries("a", "b"), Router((), (chat, log)), NOW) == ()
    assert (chat.ids, log.ids) == (["a", "b"], ["a", "b"])


def test_keeps_an_alert_for_the_receiver_that_failed_only() -> None:
    chat, log = MemorySink("chat"), MemorySink("log")
    chat.break_down(retryable=True)
    router = Router((), (chat, log))

    left = flush(entries("a"), router, NOW, lambda: 1.0)
    chat.repair()

    assert left == (OutboxEntry(an_alert("a"), delivered=("log",), attempts=1, not_before=later(1)),)
    assert flush(left, router, later(1)) == ()
    assert (chat.ids, log.ids) == (["a"], ["a"])


def test_does_not_try_before_it_is_time() -> None:
    chat = MemorySink("chat")
    waiting = (OutboxEntry(an_alert("a"), attempts=3, not_before=later(4)),)

    assert flush(waiting, Router((), (chat,)), later(3.9)) == waiting
    assert chat.tries == []


def waits(chance: float, failures: int) -> list[float]:
    """Seconds until the next try after each failure in a row."""
    chat, now, left, found = MemorySink("chat"), NOW, entries("a"), []
    chat.break_down(retryable=True)
    for _ in range(failures):
        left = flush(left, Router((), (chat,)), now, lambda: chance)
        assert left[0].not_before is not None
        found.append((left[0].not_before - now).total_seconds())
        now = left[0].not_before
    return found


def test_waits_twice_as_long_after_each_failure_up_to_five_minutes() -> None:
    assert waits(1.0, 11) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_jitter_takes_up_to_half_of_a_wait_so_that_targets_do_not_try_together() -> None:
    assert waits(0.0, 3) == [0.5, 1, 2]
    chats = [MemorySink("chat") for _ in range(50)]
    for chat in chats:
        chat.break_down(retryable=True)
    times = {flush(entries("a"), Router((), (chat,)), NOW)[0].not_before for chat in chats}
    assert len(times) > 40
    assert all(time is not None and later(0.5) <= time <= later(1) for time in times)


def test_a_receiver_gets_nothing_newer_before_what_it_missed() -> None:
    chat, log = MemorySink("chat"), MemorySink("log")
    chat.break_down(retryable=True)
    router = Router((), (chat, log))

    left = flush(entries("a", "b"), router, NOW)

    assert chat.tries == ["a"], "one try per receiver, so a slow one costs one time-out"
    assert log.ids == ["a", "b"]
    chat.repair()
    left = flush((*left, *entries("c")), router, later(0.5))
    assert chat.ids == []
    assert flush(left, router, later(1)) == ()
    assert chat.ids == ["a", "b", "c"]
    assert log.ids == ["a", "b", "c"]


def test_drops_an_alert_that_is_refused_for_good_and_says_so() -> None:
    chat, log = MemorySink("chat"), MemorySink("log")
    chat.break_down(retryable=False)

    with capture_logs() as logs:
        left = flush(entries("a"), Router((), (chat, log)), NOW)

    assert left == ()
    assert log.ids == ["a"]
    line, delivered = logs
    assert (line["event"], line["log_level"], line["alert"]) == ("alert_dropped", "error", "a")
    assert (line["receivers"], line["reason"]) == (["chat"], "receiver chat is down")
    assert (delivered["event"], delivered["log_level"], delivered["receiver"]) == ("alert_delivered", "info", "log")


def test_a_refused_alert_does_not_hold_up_the_next_one() -> None:
    chat = MemorySink("chat")
    chat.break_down(retryable=False)

    flush(entries("a", "b"), Router((), (chat,)), NOW)

    assert chat.tries == ["a", "b"]


def test_a_bug_in_one_receiver_keeps_nothing_from_the_others() -> None:
    chat, log = MemorySink("chat", fail_with=KeyError("bug")), MemorySink("log")

    left = flush(entries("a"), Router((), (chat, log)), NOW)

    assert log.ids == ["a"]
    assert [(entry.delivered, entry.attempts) for entry in left] == [(("log",), 1)]


def test_forgets_an_alert_that_nobody_wants() -> None:
    chat = MemorySink("chat")
    router = Router([Route(("chat",), events=frozenset({AlertEvent.STUCK}))], (chat,))

    assert flush(entries("a"), router, NOW) == ()
    assert chat.tries == []


def test_a_receiver_that_was_taken_out_of_the_configuration_is_not_waited_for() -> None:
    waiting = (OutboxEntry(an_alert("a"), delivered=("log",), attempts=9, not_before=later(300)),)

    assert flush(waiting, Router((), (MemorySink("log"),)), NOW) == ()


def test_gives_up_after_days_so_that_the_document_does_not_grow_for_ever() -> None:
    chat = MemorySink("chat")

    with capture_logs() as logs:
        left = flush(entries("a"), Router((), (chat,)), NOW + KEPT_FOR + timedelta(seconds=1))

    assert left == ()
    assert chat.tries == []
    assert [(line["event"], line["receivers"]) for line in logs] == [("alert_dropped", ["chat"])]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 4))
def test_however_often_a_receiver_fails_it_gets_each_alert_once_and_in_order(up: list[bool], count: int) -> None:
    chat, log = MemorySink("chat"), MemorySink("log")
    router = Router((), (chat, log))
    idents = [f"alert-{number}" for number in range(count)]
    left, now = entries(*idents), NOW
    for working in [*up, True]:
        chat.repair() if working else chat.break_down(retryable=True)
        left = flush(left, router, now)
        now += timedelta(minutes=5)

    assert left == ()
    assert chat.ids == log.ids == idents


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_what_was_delivered_before_a_restart_is_not_delivered_again(cut: int) -> None:
    chat = MemorySink("chat")
    router = Router((), (chat,))
    left = flush(entries("a", "b")[:cut], router, NOW)

    flush((*left, *entries("a", "b")[cut:]), router, NOW)

    assert chat.ids == ["a", "b"]
