"""The cluster without a request: indexers that reflectors keep up to date, read by the adapters.

Every read is checked against a bound on age (see `kube.reflector` for how age is measured): nothing is decided on a
cache that was not confirmed for longer. Made and started by `run`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence

from analyzer.kube.errors import ForbiddenError, StaleError
from analyzer.kube.objects import (
    AUTOSCALERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    Api,
    Json,
    Kind,
)
from analyzer.kube.permission import may
from analyzer.kube.reflector import Reflector, WatchScope, WatchTiming
from analyzer.kube.transform import transformed
from analyzer.model.duration import show_duration
from analyzer.model.metadata_keys import keys_of

FOLLOWED = (DEPLOYMENTS, REPLICA_SETS, PODS, AUTOSCALERS, CONFIG_MAPS)
OUR_DOCUMENTS = ("state", "status", "history")
"""ConfigMaps that the daemon itself writes: followed, they would flow back to us with every write."""
BOUND_SECONDS = 60.0
"""A healthy server proves itself every 25 s; a connection that hangs is closed and reopened after 30 s."""
SYNC_POLL_SECONDS = 0.05


class Cache:
    """A `Cached` (see `kube.objects`) of some namespaces.

    One watch, with a thread, for each kind and namespace; with `cluster_wide` one for each kind, of which only the
    namespaces are kept: for more than a few dozen namespaces, where the identity may (`may_watch_cluster`).
    `bound`: seconds after which a read raises StaleError.
    """

    def __init__(
        self,
        api: Api,
        namespaces: Iterable[str],
        *,
        kinds: Sequence[Kind] = FOLLOWED,
        cluster_wide: bool = False,
        bound: float = BOUND_SECONDS,
        timing: WatchTiming | None = None,
    ) -> None:
        self._api = api
        self._kinds = tuple(kinds)
        self._cluster_wide = cluster_wide
        self._bound = bound
        self._timing = timing or WatchTiming()
        self._lock = threading.Lock()
        self._started = False
        self._namespaces: frozenset[str] = frozenset()
        self._reflectors: dict[tuple[Kind, str | None], Reflector] = {}
        self.follow(namespaces)

    def start(self) -> None:
        """Begin to follow, each scope in a thread of its own."""
        with self._lock:
            if self._started:
                return
            self._started = True
            for reflector in self._reflectors.values():
                _begin(reflector)

    def stop(self) -> None:
        """Stop following. Threads end with their watch: `KubeClient.close` ends those at once."""
        with self._lock:
            for reflector in self._reflectors.values():
                reflector.stopping.set()

    def follow(self, namespaces: Iterable[str]) -> None:
        """Follow exactly these namespaces from now on; new ones can be read once they are listed."""
        with self._lock:
            self._namespaces = frozenset(namespaces)
            scopes: set[str | None] = {None} if self._cluster_wide else set(self._namespaces)
            for key in [key for key in self._reflectors if key[1] not in scopes]:
                self._reflectors.pop(key).stopping.set()
            for kind in self._kinds:
                for space in scopes:
                    self._follow(kind, space)

    def _follow(self, kind: Kind, space: str | None) -> None:
        wanted = self._namespaces if space is None else None
        known = self._reflectors.get((kind, space))
        if known is not None:
            if wanted is not None:
                known.want(wanted)
            return
        scope = WatchScope(kind, space, commands_selector() if kind == CONFIG_MAPS else "")
        reflector = Reflector(self._api, scope, self._timing, wanted)
        self._reflectors[kind, space] = reflector
        if self._started:
            _begin(reflector)

    def wait_synced(self, timeout: float) -> bool:
        """Whether everything that is followed was listed, now or within `timeout` seconds."""
        end = time.monotonic() + timeout
        while not self._synced():
            if time.monotonic() >= end:
                return False
            time.sleep(SYNC_POLL_SECONDS)
        return True

    def problems(self) -> Sequence[str]:
        """Why scopes cannot be watched at present, each once; empty while all is well."""
        with self._lock:
            reflectors = list(self._reflectors.values())
        return sorted({str(reflector.problem) for reflector in reflectors if reflector.problem is not None})

    def age(self) -> float | None:
        """Seconds since the scope that is furthest behind was last proved to be up to date; None: one never was."""
        with self._lock:
            ages = [reflector.age() for reflector in self._reflectors.values()]
        known = [age for age in ages if age is not None]
        return max(known, default=0.0) if len(known) == len(ages) else None

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """One object; None: it does not exist. Raises StaleError."""
        return self._fresh(kind, namespace).indexer.get(namespace, name)

    def items(self, kind: Kind, namespace: str) -> Sequence[Json]:
        """All objects of a kind in a namespace, by name. Raises StaleError."""
        return self._fresh(kind, namespace).indexer.items(namespace)

    def owned(self, kind: Kind, namespace: str, owner_uid: str) -> Sequence[Json]:
        """Those of a kind that name this uid in their ownerReferences, by name. Raises StaleError."""
        return self._fresh(kind, namespace).indexer.owned(namespace, owner_uid)

    def put(self, kind: Kind, found: Json) -> None:
        """Take in the answer to a write of our own, unless something at least as new is known."""
        reflector = self._reflector(kind, found["metadata"].get("namespace", ""))
        if reflector is not None:
            reflector.indexer.put(transformed(kind, found))

    def _synced(self) -> bool:
        with self._lock:
            reflectors = list(self._reflectors.items())
            namespaces = self._namespaces
        return all(
            reflector.holds(namespace)
            for (_, space), reflector in reflectors
            for namespace in (namespaces if space is None else (space,))
        )

    def _reflector(self, kind: Kind, namespace: str) -> Reflector | None:
        with self._lock:
            if namespace not in self._namespaces:
                return None
            return self._reflectors.get((kind, None if self._cluster_wide else namespace))

    def _fresh(self, kind: Kind, namespace: str) -> Reflector:
        reflector = self._reflector(kind, namespace)
        if reflector is None:
            raise StaleError(f"no {kind.kind} cache for namespace {namespace}: it is not watched")
        age = reflector.age()
        because = f": {reflector.problem}" if reflector.problem is not None else ""
        if age is None or not reflector.holds(namespace):
            raise StaleError(f"{kind.kind} cache for namespace {namespace} is not synced yet{because}")
        if age > self._bound:
            raise StaleError(
                f"{kind.kind} cache for namespace {namespace} is stale: {show_duration(age)} old, "
                f"limit {show_duration(self._bound)}{because}"
            )
        return reflector


def commands_selector() -> str:
    """Of ConfigMaps only operators' commands are followed.

    Their label has two keys, and a selector cannot say "or". So this selects what is ours and is one of our documents
    under neither key; the reader of commands checks the label itself.
    """
    documents = ", ".join(OUR_DOCUMENTS)
    others = [f"{key} notin ({documents})" for key in keys_of("document")]
    return ",".join(["app.kubernetes.io/managed-by=canary-analyzer", *others])


def may_watch_cluster(api: Api, kinds: Sequence[Kind] = FOLLOWED) -> bool:
    """Whether this identity may list and watch these kinds in all namespaces; False where it may not ask that.

    Raises KubeError.
    """
    try:
        return all(may(api, verb, kind) for kind in kinds for verb in ("list", "watch"))
    except ForbiddenError:
        return False


def _begin(reflector: Reflector) -> None:
    threading.Thread(target=reflector.run, name=f"watch {reflector.scope}", daemon=True).start()
