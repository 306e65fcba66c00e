"""The token bucket in fake time."""

from __future__ import annotations

from analyzer.kube.rate_limit import Rate, TokenBucket
from tests.fakes.clock import FakeClock


def test_a_burst_is_free_and_then_each_turn_waits_its_time() -> None:
    clock = FakeClock()
    bucket = TokenBucket(Rate(per_second=10, burst=3), monotonic=clock.monotonic, sleep=clock.advance)
    moments = []
    for _ in range(6):
        assert bucket.take(10)
        moments.append(round(clock.monotonic(), 3))
    assert moments == [0, 0, 0, 0.1, 0.2, 0.3]


def test_a_pause_fills_it_again_but_not_beyond_the_burst() -> None:
    clock = FakeClock()
    bucket = TokenBucket(Rate(per_second=10, burst=2), monotonic=clock.monotonic, sleep=clock.advance)
    for _ in range(2):
        bucket.take(10)
    clock.advance(100)
    for _ in range(2):
        bucket.take(10)
    assert clock.monotonic() == 100
    bucket.take(10)
    assert round(clock.monotonic(), 3) == 100.1


def test_says_no_at_once_when_the_turn_would_come_too_late() -> None:
    clock = FakeClock()
    bucket = TokenBucket(Rate(per_second=1, burst=1), monotonic=clock.monotonic, sleep=clock.advance)
    assert bucket.take(0.5)
    assert not bucket.take(0.5)
    assert clock.monotonic() == 0
    clock.advance(0.6)
    assert bucket.take(0.5)
