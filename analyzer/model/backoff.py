"""How long to wait after failures in a row. One rule for watches, alerts, release checks and restarted pods.

No library of retries (`tenacity`): none of these waits is a loop around a call. They are kept in a document, compared
with the clock at the next tick, or waited for by an event that also ends the daemon.
"""

from __future__ import annotations

_DOUBLINGS = 64
"""More than any wait has room for, and few enough for a float."""


def backoff(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after so many `failures` in a row: `first`, then twice as long each time, up to `longest`."""
    return min(first * 2.0 ** min(max(failures - 1, 0), _DOUBLINGS), longest)


def jittered(seconds: float, chance: float) -> float:
    """Between half of a wait and all of it; `chance` is random, from 0 to 1.

    Whatever failed at the same moment for many must not be tried again by all of them at the same moment.
    """
    return seconds * (0.5 + chance / 2)
