"""Under which epoch this process has fenced each release in progress. The tick asks before it decides anything."""

from __future__ import annotations

import threading

from analyzer.model.plan import Mode
from analyzer.model.state import TargetState


class FencedEpochs:
    """The epoch that each target's Deployments were claimed under by this process. Thread-safe.

    It is a memory only: a claim that was made twice does no harm, so one that is lost in a restart is made again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised: dict[str, object] = {}

    def missing(self, state: TargetState, epoch: int) -> bool:
        """Must this target be claimed before it is decided on? Never where workloads are only observed."""
        release = state.release
        if release is None or not state.phase.active or release.mode is Mode.OBSERVE:
            return False
        with self._lock:
            return self._raised.get(state.target) != _claim(state, epoch)

    def raised(self, state: TargetState, epoch: int) -> None:
        """Note that a target was claimed."""
        with self._lock:
            self._raised[state.target] = _claim(state, epoch)

    def forget(self, target: str) -> None:
        """Drop a target that is not configured any more."""
        with self._lock:
            self._raised.pop(target, None)


def _claim(state: TargetState, epoch: int) -> object:
    """What was claimed: a target that is configured with other Deployments has to be claimed again."""
    return epoch, state.home, frozenset((state.roles.stable, state.roles.canary))
