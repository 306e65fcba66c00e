"""What the lease's holder knows of its own documents, so that a target at rest costs no request.

While we hold the lease under one epoch, what we read or wrote last is the truth; whatever else happens to a document
is found when it is written, because every write names the version that it replaces. With a new epoch somebody else
may have written, so everything is read again, in one request for each set of labels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from analyzer.model.errors import RecordError
from analyzer.ports import Clock, Lease

PATIENCE = 5.0
"""Seconds after a failed overview in which it is not asked for again: thousands of targets ask at the same moment."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Overview(Generic[T]):
    """All documents of a kind: those that could be read, and the targets of those that could not."""

    known: Mapping[str, T]
    unclear: frozenset[str] = field(default_factory=frozenset)


class Memory(Generic[T]):
    """Documents of one kind by target. Thread-safe. `overview` reads them all, `read` one; both raise RecordError."""

    def __init__(
        self,
        overview: Callable[[], Overview[T]],
        read: Callable[[str], T | None],
        lease: Lease,
        clock: Clock,
    ) -> None:
        self._overview = overview
        self._read = read
        self._lease = lease
        self._clock = clock
        self._lock = threading.Lock()
        self._primed = False
        self._epoch: int | None = None
        self._known: dict[str, T] = {}
        self._unclear: set[str] = set()
        self._refusal: tuple[float, str] | None = None

    def get(self, target: str) -> T | None:
        """The document as it was last read or written; asks for it only when that is not certain."""
        with self._lock:
            self._catch_up()
            if target not in self._unclear:
                return self._known.get(target)
            epoch = self._epoch
        found = self._read(target)
        with self._lock:
            # whoever wrote it meanwhile knows better
            if target in self._unclear and epoch == self._epoch:
                self._note(target, found)
        return found

    def put(self, target: str, written: T) -> None:
        """Take note of our own write."""
        with self._lock:
            self._note(target, written)

    def doubt(self, target: str) -> None:
        """A write failed: it may have happened, or somebody else's did. It is read again when asked for."""
        with self._lock:
            self._known.pop(target, None)
            self._unclear.add(target)

    def names(self) -> Sequence[str]:
        """The targets that have such a document, also one that cannot be read."""
        with self._lock:
            self._catch_up()
            return sorted(self._known.keys() | self._unclear)

    def _note(self, target: str, found: T | None) -> None:
        self._unclear.discard(target)
        if found is None:
            self._known.pop(target, None)
        else:
            self._known[target] = found

    def _catch_up(self) -> None:
        epoch = self._lease.held()
        if self._primed and epoch == self._epoch:
            return
        now = self._clock.monotonic()
        if self._refusal is not None and now < self._refusal[0]:
            raise RecordError(self._refusal[1])
        try:
            overview = self._overview()
        except RecordError as error:
            self._refusal = (now + PATIENCE, str(error))
            raise
        self._refusal = None
        self._known, self._unclear = dict(overview.known), set(overview.unclear)
        self._primed, self._epoch = True, epoch
