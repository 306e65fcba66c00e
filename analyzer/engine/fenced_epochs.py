"""The epoch under which this process has fenced each release in progress. The tick asks before it decides."""

from __future__ import annotations

import threading

from analyzer.model.plan import Mode
from analyzer.model.state import TargetState


class FencedEpochs:
    """The epoch under which this process claimed each target's Deployments. Thread-safe.

    It is only a cache: a second claim does no harm, so one that is lost in a restart is repeated.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised: dict[str, object] = {}

    def missing(self, state: TargetState, epoch: int) -> bool:
        """Must this target be claimed before a decision? Never with `mode: observe`."""
        release = state.release
        if release is None or not state.phase.active or release.mode is Mode.OBSERVE:
            return False
        with self._lock:
            return self._raised.get(state.target) != _claim(state, epoch)

    def raised(self, state: TargetState, epoch: int) -> None:
        """Record that a target was claimed."""
        with self._lock:
            self._raised[state.target] = _claim(state, epoch)

    def forget(self, target: str) -> None:
        """Drop a target that is no longer configured."""
        with self._lock:
            self._raised.pop(target, None)


def _claim(state: TargetState, epoch: int) -> object:
    """What was claimed: a target whose configuration names other Deployments has to be claimed again."""
    return epoch, state.home, frozenset((state.roles.stable, state.roles.canary))
