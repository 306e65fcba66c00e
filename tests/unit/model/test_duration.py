"""Durations are read and written as Prometheus does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.duration import parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("500ms", 0.5), ("15s", 15), ("1h30m", 5400), ("1d", 86400), ("1w", 604800), ("1y", 31536000)],
)
def test_reads_what_prometheus_writes(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "m",
        "5 m",
        "1.5h",
        "-5m",
        "30m1h",
        "5m5m",
        "5M",
        "9" * 30 + "y",
        "9" * 5000 + "s",
        "1" + "0" * 30 + "1ms",
        "\u0665m",
        "5m\n",
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@given(st.integers(0, 10**8))
def test_reads_back_what_is_shown(seconds: int) -> None:
    assert parse_duration(show_duration(seconds)) == timedelta(seconds=seconds)
