"""Targets that are no longer configured but still have a release in progress, or undelivered alerts. The daemon asks.

They are found in the old configuration when it changes, and among the state documents after a restart: a document has
all that is needed to finish a release.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

import structlog

from analyzer.engine import hints
from analyzer.engine.tick import TickContext
from analyzer.model.errors import RecordError
from analyzer.model.state import TargetState
from analyzer.model.target import Target

_log = structlog.get_logger(__name__)


class RemovedTargets:
    """Removed targets until they are finished. Thread-safe."""

    def __init__(self, world: TickContext) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._targets: dict[str, Target | None] = {}

    def dropped(self, targets: Iterable[Target], configured: frozenset[str]) -> None:
        """These were just removed from the configuration, which now has only `configured`."""
        with self._lock:
            self._targets = {name: one for name, one in self._targets.items() if name not in configured}
            self._targets.update({target.name: target for target in targets})

    def find(self, configured: frozenset[str]) -> None:
        """Search the state documents for targets that were removed while no daemon led. Raises RecordError."""
        with self._lock:
            known = configured | self._targets.keys()
        for name in self._world.store.targets():
            if name not in known:
                self._add(name)

    def in_release(self) -> list[Target]:
        """Those that must still be ticked."""
        active = self._world.state_cache.active()
        with self._lock:
            return [target for name, target in self._targets.items() if target is not None and name in active]

    def forget_finished(self) -> None:
        """Forget those whose release has ended and whose alerts are delivered."""
        world = self._world
        with self._lock:
            for name in list(self._targets):
                state = world.state_cache.seen(name)
                if state is None or not (state.phase.active or state.outbox):
                    del self._targets[name]
                    for memory in (
                        world.state_cache,
                        world.memory,
                        world.fenced_epochs,
                        world.idle_cache,
                        world.publisher,
                    ):
                        memory.forget(name)
                    _log.info("target_forgotten", target=name)

    def _add(self, name: str) -> None:
        try:
            stored = self._world.store.load(name)
        except RecordError as error:
            _log.warning("state_read_failed", target=name, reason=str(error), hint=hints.UNREADABLE)
            return
        if stored is None or not (stored.state.phase.active or stored.state.outbox):
            return
        target = _target_of(stored.state)
        self._world.state_cache.note(stored.state)
        with self._lock:
            self._targets[name] = target
        if target is None and stored.state.phase.active:
            _log.error(
                "release_abandoned",
                target=name,
                reason="its state document does not have its namespace",
                hint="configure the target again so that its release is finished",
            )
        else:
            _log.info("removed_target_resumed", target=name, phase=stored.state.phase.value)


def _target_of(state: TargetState) -> Target | None:
    """The target as it was when its release began; None where the document does not have it."""
    release = state.release
    if release is None or not release.namespace:
        return None
    return Target(
        name=state.target,
        namespace=release.namespace,
        roles=state.roles,
        plan=release.plan,
        analysis=release.analysis,
        mode=release.mode,
        on_drift=release.on_drift,
    )
