"""Numbers and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.moments import ago, clock_time, round_duration
from analyzer.model.numbers import count, number, percent, points, seconds, size, times

NOW = datetime(2026, 3, 1, 4, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (6.83, "6.8"),
        (0.0312, "0.031"),
        (0.00001, "0.00001"),
        (9.97, "10"),
        (99.7, "100"),
        (1234, "1,234"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_have_two_digits_and_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (43 / 410, "10.5 %"),
        (125 / 3662, "3.4 %"),
        (0.1, "10 %"),
        (0.0015, "0.15 %"),
        (0.00034, "0.034 %"),
        (0.9994, "99.9 %"),
        (0.9996, "99.96 %"),
        (0.999999, "99.9999 %"),
        (1.5, "150 %"),
    ],
)
def test_shares_have_a_sensible_number_of_digits(share: float, text: str) -> None:
    assert percent(share) == text


@given(st.floats(1e-9, 1 - 1e-9))
def test_a_share_that_is_neither_nothing_nor_all_never_reads_so(share: float) -> None:
    assert percent(share) not in ("0 %", "100 %")


def test_differences_of_shares_are_percentage_points() -> None:
    assert points(0.0005) == "0.05 pp"


def test_counts_stand_in_groups_of_three() -> None:
    assert (count(410), count(3662), count(1e6)) == ("410", "3,662", "1,000,000")


def test_ratios_say_how_many_times() -> None:
    assert (times(3.14), times(0.45), times(1200)) == ("3.1x", "0.45x", "1,200x")


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (1023, "1023 B"), (26_843_546, "25.6 MiB"), (2.68e8, "256 MiB"), (1 << 60, "1024 PiB")],
)
def test_memory_is_told_in_binary_units(amount: float, text: str) -> None:
    assert size(amount) == text


@pytest.mark.parametrize(("value", "text"), [(2.5, "2.5 s"), (0.25, "250 ms"), (0.0008, "0.8 ms"), (90, "90 s")])
def test_measured_times_have_a_unit(value: float, text: str) -> None:
    assert seconds(value) == text


def test_moments_are_relative_and_absolute() -> None:
    assert ago(NOW - timedelta(seconds=12), NOW) == "12s ago, 04:10:03Z"
    assert ago(NOW + timedelta(seconds=5), NOW) == "0s ago, 04:10:20Z"


def test_a_moment_on_another_day_has_its_date() -> None:
    assert clock_time(NOW - timedelta(days=2), NOW) == "2026-02-27 04:10:15Z"


@pytest.mark.parametrize(
    ("length", "rounded"),
    [
        (timedelta(seconds=59.6), timedelta(seconds=60)),
        (timedelta(hours=1, minutes=2, seconds=31), timedelta(hours=1, minutes=3)),
        (timedelta(days=3, hours=4, minutes=5), timedelta(days=3, hours=4)),
    ],
)
def test_durations_are_rounded_to_two_units(length: timedelta, rounded: timedelta) -> None:
    assert round_duration(length) == rounded
