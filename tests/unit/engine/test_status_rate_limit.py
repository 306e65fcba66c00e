"""Hundreds of statuses share what may be written; nobody is left out for ever."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from analyzer.engine.status_rate_limit import FORGOTTEN, StatusRateLimit
from tests.fakes.clock import START

NAMES = [f"target-{number:03d}" for number in range(300)]


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_few_targets_have_their_turn_at_each_look() -> None:
    limit = StatusRateLimit(per_second=5, burst=75)
    for look in range(20):
        assert all(limit.turn(name, START + after(15 * look)) for name in NAMES[:20])


def test_many_targets_share_the_rate_evenly() -> None:
    limit = StatusRateLimit(per_second=5, burst=75)
    turns = Counter(
        name for look in range(40) for name in reversed(NAMES) if limit.turn(name, START + after(15 * look))
    )
    assert sum(turns.values()) == 40 * 75
    assert set(turns.values()) == {10}  # 300 targets, 75 turns a look


def test_who_no_longer_asks_keeps_nobody_waiting() -> None:
    limit = StatusRateLimit(per_second=0.1, burst=1)
    assert limit.turn("first", START)
    assert not limit.turn("gone", START)
    assert not limit.turn("withdrawn", START)
    limit.withdraw("withdrawn")
    assert not limit.turn("patient", START + after(10))
    assert limit.turn("patient", START + FORGOTTEN + after(20)) or limit.turn("patient", START + FORGOTTEN + after(20))


def test_a_clock_that_is_set_back_gives_no_turns() -> None:
    limit = StatusRateLimit(per_second=5, burst=1)
    assert limit.turn("one", START)
    assert not limit.turn("two", START - after(3600))
