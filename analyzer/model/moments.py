"""Moments as people read them: how long ago, and when exactly."""

from __future__ import annotations

from datetime import datetime, timedelta

from analyzer.model.duration import show_duration

_DAY = timedelta(days=1)


def clock_time(when: datetime, now: datetime) -> str:
    """A moment in UTC: 04:10:15Z, with the date where it is more than a day from `now`: 2026-03-01 04:10:15Z."""
    return f"{when:%H:%M:%SZ}" if abs(now - when) < _DAY else f"{when:%Y-%m-%d %H:%M:%SZ}"


def ago(when: datetime, now: datetime) -> str:
    """A moment seen from `now`: "12s ago, 04:10:15Z"; a clock that is ahead of ours never gives a time in future."""
    return f"{short_duration(max(now - when, timedelta(0)))} ago, {clock_time(when, now)}"


def short_duration(length: timedelta) -> str:
    """A duration in at most two units, as text: 1h2m, 3d4h."""
    return show_duration(round_duration(length))


def round_duration(length: timedelta) -> timedelta:
    """A duration in at most two units: 1h2m3s becomes 1h2m, 3d4h5m becomes 3d4h."""
    total = length.total_seconds()
    for above, unit in ((86_400, 3_600), (3_600, 60)):
        if abs(total) >= above:
            return timedelta(seconds=round(total / unit) * unit)
    return timedelta(seconds=round(total))
