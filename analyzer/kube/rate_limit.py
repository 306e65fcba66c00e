"""How many requests a second this process may make: a token bucket, shared by the threads of one client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` requests in the long run, `burst` at once after a pause."""

    per_second: float = 50.0
    burst: int = 100


class TokenBucket:
    """Lets `take` wait until a request is within the rate, first come first served."""

    def __init__(
        self,
        rate: Rate,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._sleep = sleep
        self._full_at = monotonic()
        self._lock = threading.Lock()

    def take(self, most: float) -> bool:
        """Wait for a turn, at most `most` seconds; False, at once, when that is too short (no turn is taken then)."""
        with self._lock:
            now = self._monotonic()
            full_at = max(self._full_at, now) + 1 / self._rate.per_second
            wait = full_at - now - self._rate.burst / self._rate.per_second
            if wait > most:
                return False
            self._full_at = full_at
        if wait > 0:
            self._sleep(wait)
        return True
