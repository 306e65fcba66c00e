"""An API server in memory: what the adapters for Kubernetes are tested on.

It keeps the promises that the adapters rely on: one rising resourceVersion, uids, generations that follow the spec,
patches that refuse, conflicts, watches that expire, `managedFields`. It runs no controllers: a test writes what they
would (`put`, `edit`, `set_status`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analyzer.kube.errors import ForbiddenError, KubeError, UnavailableError
from analyzer.kube.objects import ACCESS_REVIEWS, Change, Json, Kind, Listed, PatchType
from analyzer.ports import Clock
from tests.fakes.clock import FakeClock
from tests.fakes.kube_storage import Storage, request_name

OURSELVES = "canary-analyzer"
CONTROLLER = "kube-controller-manager"


@dataclass(frozen=True, slots=True)
class Call:
    """One request through the `Api` methods. `verb`: get, list, create, patch, delete, watch; `kind`: "Deployment"."""

    verb: str
    kind: str
    namespace: str | None
    name: str | None
    body: Any = None


@dataclass(slots=True)
class _Failure:
    left: int
    error: KubeError
    verb: str | None
    kind: Kind | None
    done_first: bool


class FakeApi:
    """An `Api` in memory. Thread-safe; objects that it gives are copies.

    `calls` are all requests in order (the methods for tests below are none), `writes` those that change something.
    A watch waits up to `watch_seconds` for further events and then ends with a bookmark; 0: it ends at once.
    `on_watch_end` is told how long the watch was asked to last: a fake clock lets that time pass there.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        watch_seconds: float = 5.0,
        on_watch_end: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.clock: Clock = clock or FakeClock()
        self.calls: list[Call] = []
        self.denied: set[tuple[str, str]] = set()
        """(verb, plural) that this identity may not do; access reviews answer accordingly."""
        self.ahead = timedelta(0)
        """By how much the server's own clock is ahead of `clock`."""
        self.watching = 0
        """How many watches are open now."""
        self._watch_seconds = watch_seconds
        self._on_watch_end = on_watch_end
        self._failures: list[_Failure] = []
        self._closings = 0
        self._breaks: list[tuple[Sequence[Change], KubeError | None]] = []
        self._changed = threading.Condition(threading.RLock())
        self._storage = Storage(self.clock, self._changed.notify_all)

    # --- the Api -----------------------------------------------------------------------------------------------

    def get(self, kind: Kind, namespace: str | None, name: str, *, timeout: float | None = None) -> Json:
        with self._changed:
            self._called("get", kind, namespace, name)
            return deepcopy(self._storage.found("get", kind, namespace, name))

    def list(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Listed:
        with self._changed:
            self._called("list", kind, namespace, None)
            return Listed(tuple(self.all(kind, namespace, labels=labels)), str(self._storage.version))

    def create(self, kind: Kind, namespace: str | None, body: Json, *, timeout: float | None = None) -> Json:
        with self._changed:
            lost = self._called("create", kind, namespace, (body.get("metadata") or {}).get("name"), body)
            if kind == ACCESS_REVIEWS:
                return self._reviewed(body)
            created = self._storage.create(kind, namespace, body, OURSELVES)
            return self._answer(created, lost)

    def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: Json | Sequence[Json],
        how: PatchType,
        *,
        timeout: float | None = None,
    ) -> Json:
        with self._changed:
            lost = self._called("patch", kind, namespace, name, body)
            return self._answer(self._storage.patch(kind, namespace, name, body, OURSELVES), lost)

    def delete(self, kind: Kind, namespace: str | None, name: str) -> None:
        with self._changed:
            lost = self._called("delete", kind, namespace, name)
            self.remove(kind, namespace, name)
            self._answer({}, lost)

    def server_clock(self) -> datetime:
        with self._changed:
            return self.clock.now() + self.ahead

    def pages(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Iterator[Listed]:
        yield self.list(kind, namespace, labels=labels)

    def watch(
        self, kind: Kind, namespace: str | None, version: str, *, labels: str = "", seconds: int = 25
    ) -> Iterator[Change]:
        with self._changed:
            self._called("watch", kind, namespace, None)
            self.watching += 1
            closings = self._closings
            sent, error = self._breaks.pop(0) if self._breaks else ((), None)
        end = time.monotonic() + min(seconds, self._watch_seconds)
        seen = int(version)
        try:
            yield from sent
            while True:
                with self._changed:
                    changes, seen = self._storage.since(kind, namespace, seen, labels)
                    if not changes and error is not None:
                        raise error
                    if not changes and closings == self._closings:
                        left = end - time.monotonic()
                        if left > 0:
                            self._changed.wait(left)
                            continue
                        self._on_watch_end(seconds)
                        changes = [Change("BOOKMARK", {"kind": kind.kind, "metadata": {"resourceVersion": str(seen)}})]
                        closings = -1
                yield from changes
                if closings != self._closings:
                    return
        finally:
            with self._changed:
                self.watching -= 1

    # --- what a test does, as somebody else ---------------------------------------------------------------------

    @property
    def writes(self) -> Sequence[Call]:
        """The calls that change something."""
        return [call for call in self.calls if call.verb in {"create", "patch", "delete"}]

    def put(self, kind: Kind, body: Json, *, manager: str = "kubectl") -> Json:
        """Create an object, or replace it whole, as another writer; namespace and name are those in its metadata."""
        with self._changed:
            return deepcopy(self._storage.replace(kind, body, manager))

    def edit(self, kind: Kind, namespace: str | None, name: str, changes: Json, *, manager: str = "kubectl") -> Json:
        """Change an object by a merge patch, as another writer."""
        with self._changed:
            return deepcopy(self._storage.patch(kind, namespace, name, changes, manager))

    def set_status(self, kind: Kind, namespace: str | None, name: str, status: Json) -> Json:
        """Replace an object's status, as its controller does; the generation stays."""
        with self._changed:
            old = self._storage.found("update", kind, namespace, name)
            return deepcopy(self._storage.store(kind, old, {**old, "status": status}, CONTROLLER, "status"))

    def remove(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Delete an object with all that it owns, as another writer. Raises NotFoundError."""
        with self._changed:
            self._storage.remove(kind, namespace, name)

    def see(self, kind: Kind, namespace: str | None, name: str) -> Json:
        """An object as it is now, without a call. Raises NotFoundError."""
        with self._changed:
            return deepcopy(self._storage.found("get", kind, namespace, name))

    def all(self, kind: Kind, namespace: str | None = None, *, labels: str = "") -> Sequence[Json]:
        """All objects of a kind, without a call."""
        with self._changed:
            return [deepcopy(found) for found in self._storage.all(kind, namespace, labels)]

    def fail(
        self,
        times: int = 1,
        error: KubeError | None = None,
        *,
        verb: str | None = None,
        kind: Kind | None = None,
        done_first: bool = False,
    ) -> None:
        """Let the next calls fail (of this verb and kind, if given).

        `done_first`: the write happens, its answer is lost.
        """
        failure = error or UnavailableError("the API server could not be reached: connection refused")
        with self._changed:
            self._failures.append(_Failure(times, failure, verb, kind, done_first))

    def heal(self) -> None:
        """Forget all failures that are still due."""
        with self._changed:
            self._failures.clear()

    def expire_watches(self) -> None:
        """Forget the past: every watch, running or resumed from a version before now, ends with 410."""
        with self._changed:
            self._storage.expire()

    def break_watch(self, error: KubeError | None, *sent: Change) -> None:
        """The next watch sends changes of the test's own making, then what there is, and fails with `error`."""
        with self._changed:
            self._breaks.append((sent, error))

    def close_watches(self) -> None:
        """End all running watches, as a server does that is stopped."""
        with self._changed:
            self._closings += 1
            self._changed.notify_all()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _called(
        self, verb: str, kind: Kind, namespace: str | None, name: str | None, body: Any = None
    ) -> KubeError | None:
        self.calls.append(Call(verb, kind.kind, namespace, name, deepcopy(body)))
        for failure in self._failures:
            if failure.left and failure.verb in (None, verb) and failure.kind in (None, kind):
                failure.left -= 1
                if failure.done_first:
                    return failure.error
                raise failure.error
        if (verb, kind.plural) in self.denied:
            raise ForbiddenError(f"{request_name(verb, kind, namespace, name)}: 403: may not {verb} {kind.plural}")
        return None

    def _answer(self, found: Json, lost: KubeError | None) -> Json:
        if lost is not None:
            raise lost
        return deepcopy(found)

    def _reviewed(self, body: Json) -> Json:
        asked = body["spec"]["resourceAttributes"]
        allowed = (asked["verb"], asked["resource"]) not in self.denied
        return {**deepcopy(dict(body)), "status": {"allowed": allowed}}
