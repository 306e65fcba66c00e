"""One writer at a time for each target's state document, within this process: a tick of a sweep, a tick between sweeps,
or the outbox that marks what it delivered.

Without locks their writes would conflict by version, and a tick would be lost for every alert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import StrEnum


class Holder(StrEnum):
    """What holds the lock of a target. A tick of a sweep waits for Prometheus; the others are brief."""

    TICK = "tick"
    BETWEEN = "tick between sweeps"
    OUTBOX = "outbox"


class TargetLocks:
    """A lock per target. Thread-safe; a lock may be released by another thread than the one that took it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, Holder] = {}

    def take_for_ticks(self, targets: Iterable[str], seconds: float) -> frozenset[str]:
        """Lock targets for their ticks, and wait up to `seconds` for brief holders; returns those locked.

        Missing are targets whose last tick still runs, or whose outbox is not marked in time.
        """
        with self._changed:
            wanted = set(targets)
            taken = {target for target in wanted if self._take(target, Holder.TICK)}
            brief = {target for target in wanted - taken if self._held.get(target) is not Holder.TICK}
            self._changed.wait_for(
                lambda: all(self._held.get(target, Holder.TICK) is Holder.TICK for target in brief), timeout=seconds
            )
            return frozenset(taken | {target for target in brief if self._take(target, Holder.TICK)})

    def take_between(self, target: str) -> bool:
        """Lock a target for a tick between sweeps; False when it is locked."""
        with self._changed:
            return self._take(target, Holder.BETWEEN)

    def take_for_outbox(self, target: str, seconds: float) -> bool:
        """Lock a target to mark its alerts; False when its tick does not end in time."""
        with self._changed:
            self._changed.wait_for(lambda: target not in self._held, timeout=seconds)
            return self._take(target, Holder.OUTBOX)

    def release(self, target: str) -> None:
        """Release a lock."""
        with self._changed:
            self._held.pop(target, None)
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nothing is locked; False when something still is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, timeout=seconds)

    def _take(self, target: str, holder: Holder) -> bool:
        if target in self._held:
            return False
        self._held[target] = holder
        return True
