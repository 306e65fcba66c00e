"""What the ticks have last seen of every target's document. Admission, outbox and the daemon look here.

It is a memory, not a source: every tick reads the document itself before it decides.
"""

from __future__ import annotations

import threading

from analyzer.model.phase import Phase
from analyzer.model.state import TargetState


class Board:
    """The newest known document per target. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TargetState] = {}

    def note(self, state: TargetState) -> None:
        """Remember a document that was just read or written."""
        with self._lock:
            self._states[state.target] = state

    def seen(self, target: str) -> TargetState | None:
        """The newest known document of a target."""
        with self._lock:
            return self._states.get(target)

    def forget(self, target: str) -> None:
        """Drop a target that is not configured any more."""
        with self._lock:
            self._states.pop(target, None)

    def active(self) -> frozenset[str]:
        """Targets whose release holds a slot."""
        with self._lock:
            return frozenset(name for name, state in self._states.items() if state.phase.active)

    def pending(self, target: str) -> bool:
        """Does a target wait for its release to begin, as far as is known?"""
        state = self.seen(target)
        return state is not None and state.phase is Phase.PENDING

    def with_alerts(self) -> tuple[str, ...]:
        """Targets whose document holds alerts that are not delivered."""
        with self._lock:
            return tuple(sorted(name for name, state in self._states.items() if state.outbox))
