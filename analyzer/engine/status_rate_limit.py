"""Limits how fast statuses are written of which only the numbers have changed. The publisher asks.

The numbers of five hundred releases change at each tick. Written each time they would be most of what this daemon sends
to the API server, and delay the writes that matter.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from itertools import islice

FORGOTTEN = timedelta(minutes=10)
"""A target that has not asked for this long no longer blocks others."""


class StatusRateLimit:
    """A token bucket, first come first served: `per_second` in the long run, `burst` at once. Thread-safe.

    A target that gets no turn asks again later, and comes before all that asked after it.
    """

    def __init__(self, per_second: float = 5.0, burst: int = 75) -> None:
        self._per_second = per_second
        self._burst = burst
        self._lock = threading.Lock()
        self._turns = float(burst)
        self._at: datetime | None = None
        self._waiting: dict[str, datetime] = {}

    def turn(self, target: str, now: datetime) -> bool:
        """May this target's status be written now?"""
        with self._lock:
            self._refill(now)
            self._waiting[target] = now
            first = list(islice(self._waiting, int(self._turns)))
            for name in first:
                if now - self._waiting[name] > FORGOTTEN:
                    del self._waiting[name]
            if target not in first:
                return False
            del self._waiting[target]
            self._turns -= 1
            return True

    def withdraw(self, target: str) -> None:
        """The target has nothing to write any more."""
        with self._lock:
            self._waiting.pop(target, None)

    def _refill(self, now: datetime) -> None:
        passed = max(0.0, (now - self._at).total_seconds()) if self._at is not None else 0.0
        self._turns = min(float(self._burst), self._turns + passed * self._per_second)
        self._at = now
