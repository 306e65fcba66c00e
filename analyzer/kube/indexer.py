"""The trimmed objects of one kind, found by name, by namespace and by owner. Filled by a reflector, read by the cache.

Versions are compared as numbers: the API server hands them out rising, for all objects from one counter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from operator import itemgetter

from analyzer.kube.objects import Change, Json

Key = tuple[str, str]


class Indexer:
    """Objects as of `version`, except those that were `put` since. Thread-safe; objects are never changed in place."""

    def __init__(self) -> None:
        self.version = 0
        self._lock = threading.Lock()
        self._objects: dict[Key, Json] = {}
        self._spaces: dict[str, dict[Key, Json]] = {}
        self._owned: dict[str, dict[Key, Json]] = {}
        self._ahead: set[Key] = set()

    def get(self, namespace: str, name: str) -> Json | None:
        """One object, or None."""
        with self._lock:
            return self._objects.get((namespace, name))

    def items(self, namespace: str) -> Sequence[Json]:
        """All of a namespace, by name."""
        with self._lock:
            return _sorted(self._spaces.get(namespace) or {})

    def owned(self, namespace: str, owner_uid: str) -> Sequence[Json]:
        """Those in a namespace that an owner has, by name."""
        with self._lock:
            found = self._owned.get(owner_uid) or {}
            return _sorted({key: item for key, item in found.items() if key[0] == namespace})

    def __len__(self) -> int:
        return len(self._objects)

    def replace(self, items: Iterable[Json], version: int) -> None:
        """Replace everything by a list that is complete as of `version`; what was put since it was made stays."""
        with self._lock:
            later = [self._objects[key] for key in self._ahead if key in self._objects]
            self._objects, self._spaces, self._owned, self._ahead = {}, {}, {}, set()
            self.version = version
            for found in items:
                self._store(found)
            for found in later:
                if _version(found) > version:
                    self._store(found)

    def take(self, change: Change) -> None:
        """Follow one change of a watch; one that is older than what is known only moves the version."""
        with self._lock:
            version = _version(change.object)
            self.version = max(self.version, version)
            if change.kind == "BOOKMARK":
                return
            known = self._objects.get(_key(change.object))
            if known is not None and _version(known) > version:
                return
            self._ahead.discard(_key(change.object))
            if change.kind == "DELETED":
                self._drop(_key(change.object))
            else:
                self._store(change.object)

    def put(self, found: Json) -> None:
        """Take in the answer to a write, unless it is known or the watch already passed it (deleted since)."""
        with self._lock:
            known = self._objects.get(_key(found))
            newest = self.version if known is None else _version(known)
            if _version(found) > newest:
                self._store(found)
                self._ahead.add(_key(found))

    def keep(self, namespaces: frozenset[str]) -> None:
        """Forget all other namespaces."""
        with self._lock:
            for namespace in set(self._spaces) - namespaces:
                for key in tuple(self._spaces[namespace]):
                    self._drop(key)

    def _store(self, found: Json) -> None:
        key = _key(found)
        self._drop(key)
        self._objects[key] = found
        self._spaces.setdefault(key[0], {})[key] = found
        for uid in _owners(found):
            self._owned.setdefault(uid, {})[key] = found

    def _drop(self, key: Key) -> None:
        known = self._objects.pop(key, None)
        if known is None:
            return
        _remove(self._spaces, key[0], key)
        for uid in _owners(known):
            _remove(self._owned, uid, key)


def _remove(index: dict[str, dict[Key, Json]], entry: str, key: Key) -> None:
    index[entry].pop(key, None)
    if not index[entry]:
        del index[entry]


def _key(found: Json) -> Key:
    return found["metadata"].get("namespace", ""), found["metadata"].get("name", "")


def _version(found: Json) -> int:
    return int(found["metadata"]["resourceVersion"])


def _owners(found: Json) -> set[str]:
    return {owner["uid"] for owner in found["metadata"].get("ownerReferences") or ()}


def _sorted(found: dict[Key, Json]) -> Sequence[Json]:
    return [item for _, item in sorted(found.items(), key=itemgetter(0))]
