"""Keeps an indexer equal to the API server: lists, watches, resumes, relists. The cache runs one thread for each.

How old is a cache? A quiet watch sends nothing, so silence may mean "nothing happened" or "the server hangs". What is
measured is therefore the time since the server last *proved* that it was there and had told everything:

- a list proves the moment at which it was asked for;
- a line of a running watch, a bookmark too, proves its own moment;
- the end of a watch proves it too, when the server ended it by itself after the seconds that it was asked for. They
  are few (25), so that a healthy server proves itself that often. One that hangs lets the read time out 5 s later,
  which proves nothing, like every other failure: the age goes on growing from the last proof.

After a failure, or an end that came too early (a proxy), the lines of a resumed watch may be a backlog, so they prove
nothing; that watch is asked to end after one second, and its end is the proof.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from analyzer.kube.errors import ExpiredError, KubeError, UnavailableError
from analyzer.kube.indexer import Indexer
from analyzer.kube.objects import Api, Change, Json, Kind
from analyzer.kube.transform import transformed
from analyzer.model.backoff import backoff, jittered

WATCH_SECONDS = 25
PROOF_SECONDS = 1
"""The watch in doubt: its end says that the backlog is over."""
EARLY_SECONDS = 0.5
"""So much before its time may a watch end and still have lasted as long as it was asked to."""
SHORTEST_SECONDS = 1.0
"""A server that ends every watch at once is not asked again sooner than this."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
RESUMES = 5
"""After so many failures in a row the version that is resumed from is under suspicion: list again."""

_HINT = "it is retried; targets in this scope hold if it lasts. Check the API server and RBAC for list and watch"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchScope:
    """What is followed: a kind, in a namespace or (None) everywhere, with these labels."""

    kind: Kind
    namespace: str | None = None
    labels: str = ""

    def __str__(self) -> str:
        return f"{self.kind.plural} of {self.namespace or 'all namespaces'}"


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """Where time and chance come from; a test brings its own."""

    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


class Reflector:
    """Follows one scope. `once` is one list (where needed) and one watch, and tells how long to pause after it.

    `wanted`: only objects of these namespaces are kept (None: of all).
    """

    def __init__(self, api: Api, scope: WatchScope, timing: WatchTiming, wanted: frozenset[str] | None = None) -> None:
        self.scope = scope
        self.indexer = Indexer()
        self.problem: KubeError | None = None
        """Why the last try failed; None while all is well."""
        self.stopping = threading.Event()
        self._api = api
        self._timing = timing
        self._wanted = wanted
        self._held: frozenset[str] | None = frozenset()
        self._proved: float | None = None
        self._listed = False
        self._doubtful = False
        self._failures = 0
        self._lock = threading.Lock()

    def age(self) -> float | None:
        """Seconds since the last proof that the indexer is what the server has; None: never yet."""
        proved = self._proved
        return None if proved is None else max(self._timing.monotonic() - proved, 0.0)

    def holds(self, namespace: str) -> bool:
        """Whether a list that kept this namespace has come in."""
        held = self._held
        return self.age() is not None and (held is None or namespace in held)

    def want(self, namespaces: frozenset[str]) -> None:
        """Keep other namespaces from now on. New ones are there after a list, once the present watch has ended."""
        with self._lock:
            self._wanted = namespaces
            self._held = self._held & namespaces if self._held is not None else None
        self.indexer.keep(namespaces)

    def run(self) -> None:
        """Follow until `stopping` is set."""
        pause = 0.0
        while not self.stopping.wait(pause):
            pause = self.once()

    def once(self) -> float:
        """List if need be, watch until the watch ends. Gives the seconds to wait before the next time."""
        begun = self._timing.monotonic()
        try:
            if not self._listed or not self._holds_wanted():
                self._list()
            self._watch(PROOF_SECONDS if self._doubtful else WATCH_SECONDS)
        except KubeError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - an object that no one thought of must not end the thread unseen
            self._listed = False
            return self._failed(UnavailableError(f"{self.scope}: {type(error).__name__}: {error}"))
        if self.stopping.is_set():
            return 0.0
        if self._failures:
            _log.info("watch_recovered", scope=str(self.scope), failures=self._failures)
        self._failures, self.problem = 0, None
        return max(SHORTEST_SECONDS - (self._timing.monotonic() - begun), 0.0)

    def _holds_wanted(self) -> bool:
        wanted, held = self._wanted, self._held
        return held is None if wanted is None else held is not None and wanted <= held

    def _list(self) -> None:
        wanted, asked = self._wanted, self._timing.monotonic()
        found: list[Json] = []
        version = ""
        for page in self._api.pages(self.scope.kind, self.scope.namespace, labels=self.scope.labels):
            found += [transformed(self.scope.kind, item) for item in page.items if _keeps(wanted, item)]
            version = page.version
        self.indexer.replace(found, int(version))
        with self._lock:
            self._held = wanted & self._wanted if wanted is not None and self._wanted is not None else wanted
        self._proved, self._listed, self._doubtful = asked, True, False
        self.problem = None

    def _watch(self, seconds: int) -> None:
        begun = self._timing.monotonic()
        scope, version = self.scope, str(self.indexer.version)
        for change in self._api.watch(scope.kind, scope.namespace, version, labels=scope.labels, seconds=seconds):
            if self.stopping.is_set():
                return
            self._take(change)
            if not self._doubtful:
                self._proved = self._timing.monotonic()
        ended = self._timing.monotonic()
        self._doubtful = ended - begun < seconds - EARLY_SECONDS
        if not self._doubtful:
            self._proved = ended

    def _take(self, change: Change) -> None:
        if change.kind == "BOOKMARK" or not _keeps(self._wanted, change.object):
            self.indexer.take(Change("BOOKMARK", change.object))
        else:
            self.indexer.take(Change(change.kind, transformed(self.scope.kind, change.object)))

    def _failed(self, error: KubeError) -> float:
        self._failures += 1
        self._doubtful = True
        self.problem = error
        if self._failures == 1 and not self.stopping.is_set():
            _log.warning("watch_failed", scope=str(self.scope), reason=str(error), hint=_HINT)
        if isinstance(error, ExpiredError) or self._failures % RESUMES == 0:
            self._listed = False
            if self._failures == 1:
                return 0.0
        pause = backoff(self._failures, FIRST_PAUSE, LONGEST_PAUSE)
        asked = (error.retry_after or 0.0) if isinstance(error, UnavailableError) else 0.0
        return jittered(max(pause, min(asked, LONGEST_PAUSE)), self._timing.chance())


def _keeps(wanted: frozenset[str] | None, found: Json) -> bool:
    return wanted is None or found["metadata"].get("namespace", "") in wanted
