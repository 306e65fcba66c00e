"""Who may write a target's document now, within this process: its tick, or the outbox that marks what it delivered.

Without it the two would refuse each other's writes by version, and a tick would be lost for every alert.
"""

from __future__ import annotations

import threading
from enum import StrEnum


class Holder(StrEnum):
    """Who has claimed a target. A tick may take long; the outbox only reads, marks and saves."""

    TICK = "tick"
    OUTBOX = "outbox"


class Claims:
    """One holder per target. Thread-safe; a claim may be released by another thread than took it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, Holder] = {}

    def take_for_tick(self, target: str) -> bool:
        """Claim a target for its tick, after the outbox if that has it; False when its last tick still runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._held.get(target) is not Holder.OUTBOX)
            return self._take(target, Holder.TICK)

    def take_for_outbox(self, target: str, seconds: float) -> bool:
        """Claim a target to mark its alerts; False when its tick does not end in time."""
        with self._changed:
            self._changed.wait_for(lambda: target not in self._held, timeout=seconds)
            return self._take(target, Holder.OUTBOX)

    def release(self, target: str) -> None:
        """Give a claim back."""
        with self._changed:
            self._held.pop(target, None)
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nothing is claimed; False when something still is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, timeout=seconds)

    def _take(self, target: str, holder: Holder) -> bool:
        if target in self._held:
            return False
        self._held[target] = holder
        return True
