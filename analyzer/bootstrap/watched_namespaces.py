"""Which namespaces are watched: those of the configured targets, and those in which a removed one still finishes.

A target that was removed in mid-release goes on under its frozen plan, also after a restart, when no configuration
names its namespace any more; so does one whose namespace was changed. So whoever looks at a target says so here first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Snapshot
from analyzer.ports import Workloads


class WatchedNamespaces:
    """Tells `follow` the namespaces whenever they change, and knows in which one each target lives. Thread-safe."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._lock = threading.Lock()
        self._configured = {target.name: target.namespace for target in targets}
        self._leaving: dict[str, str] = {}
        self._visited: dict[str, str] = {}
        self._follow: Callable[[frozenset[str]], None] = lambda _: None

    @property
    def namespaces(self) -> frozenset[str]:
        """All that are to be watched now."""
        return frozenset((*self._configured.values(), *self._leaving.values()))

    def namespace_of(self, target: str) -> str | None:
        """Where a target lives, as its status says: where its release goes on, else where it is configured; None for
        one that nobody knows."""
        with self._lock:
            return self._leaving.get(target) or self._configured.get(target)

    def tell(self, follow: Callable[[frozenset[str]], None]) -> None:
        """Whom to tell of changes from now on."""
        self._follow = follow

    def configure(self, targets: Iterable[Target]) -> None:
        """These are the targets now.

        A removed or moved one may be in mid-release: where it was is known until the configuration changes again
        without anybody having looked there meanwhile.
        """
        with self._lock:
            configured = {target.name: target.namespace for target in targets}
            self._leaving = {
                name: namespace for name, namespace in self._visited.items() if configured.get(name) != namespace
            }
            self._configured = configured
            self._visited.clear()
            self._follow(self.namespaces)

    def visit(self, target: Target) -> None:
        """Somebody is about to look at this target."""
        with self._lock:
            self._visited[target.name] = target.namespace
            at_home = self._configured.get(target.name) == target.namespace
            elsewhere = None if at_home else target.namespace
            if self._leaving.get(target.name) == elsewhere:
                return
            if elsewhere is None:
                del self._leaving[target.name]
            else:
                self._leaving[target.name] = elsewhere
            self._follow(self.namespaces)


class Visiting:
    """`Workloads` that tell which namespaces they go."""

    def __init__(self, workloads: Workloads, watched_namespaces: WatchedNamespaces) -> None:
        self._workloads = workloads
        self._watched_namespaces = watched_namespaces

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        """See both sides."""
        self._watched_namespaces.visit(target)
        return self._workloads.snapshot(target, roles)

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        """Make one write."""
        self._workloads.apply(target, move, epoch)

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        """Shut earlier epochs out."""
        self._watched_namespaces.visit(target)
        self._workloads.claim(target, roles, epoch)
