"""The latest known state of every target. Admission, outbox and the daemon read it.

It is a cache, not a source: every tick reads the state document itself before it decides.
"""

from __future__ import annotations

import threading

from analyzer.model.phase import Phase
from analyzer.model.state import TargetState


class StateCache:
    """The newest known document per target. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TargetState] = {}

    def note(self, state: TargetState) -> None:
        """Keep a document that was just read or written."""
        with self._lock:
            self._states[state.target] = state

    def seen(self, target: str) -> TargetState | None:
        """The newest known document of a target."""
        with self._lock:
            return self._states.get(target)

    def forget(self, target: str) -> None:
        """Drop a target that is no longer configured."""
        with self._lock:
            self._states.pop(target, None)

    def clear(self) -> None:
        """Drop everything: another daemon may have written meanwhile."""
        with self._lock:
            self._states.clear()

    def active(self) -> frozenset[str]:
        """Targets whose release holds a slot."""
        with self._lock:
            return frozenset(name for name, state in self._states.items() if state.phase.active)

    def moving(self) -> frozenset[str]:
        """Targets that only wait for pods: on the way to a step's replicas, in a rollback, or while stable comes up
        with the new version."""
        with self._lock:
            return frozenset(name for name, state in self._states.items() if _moves(state))

    def pending(self, target: str) -> bool:
        """Is a target in PENDING, as far as is known?"""
        state = self.seen(target)
        return state is not None and state.phase is Phase.PENDING

    def with_alerts(self) -> tuple[str, ...]:
        """Targets whose document holds alerts that are not delivered."""
        with self._lock:
            return tuple(sorted(name for name, state in self._states.items() if state.outbox))


def _moves(state: TargetState) -> bool:
    release = state.release
    if release is None:
        return False
    match state.phase:
        case Phase.ROLLING_BACK:
            return True
        case Phase.PROGRESSING:
            return release.record.settled_at is None
        case Phase.PROMOTING:
            return release.written
        case _:
            return False
