"""Durations as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_PATTERN = r"^(?=[0-9])([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
"""The grammar of Prometheus: whole numbers with units, the largest first."""

_UNIT_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}


def parse_duration(text: str) -> timedelta:
    """Read a duration as Prometheus writes it ("1h30m", "15s", "500ms"). Raises ValueError."""
    if not re.fullmatch(DURATION_PATTERN, text, re.ASCII):
        raise ValueError(f"expected a duration such as 15s, 5m or 1h30m, found {text!r}")
    parts = re.findall(r"([0-9]+)(ms|[ywdhms])", text)
    try:
        return timedelta(milliseconds=sum(int(count) * _UNIT_MS[unit] for count, unit in parts))
    except (OverflowError, ValueError) as error:
        raise ValueError(f"expected a duration of at most a few million years, found {text[:20]}...") from error


def show_duration(length: timedelta | float) -> str:
    """A duration the way Prometheus writes it, to the second: 90 s is "1m30s"."""
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds == 0:
        return "0s"
    text = "-" if seconds < 0 else ""
    rest = abs(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text
