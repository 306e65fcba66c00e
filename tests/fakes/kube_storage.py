"""The objects of a `FakeApi` and what happened to them: versions, uids, generations, refusals, events.

Not thread-safe: the fake holds its lock.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from analyzer.kube.errors import ExpiredError, NotFoundError, PreconditionError, RejectedError
from analyzer.kube.objects import DEPLOYMENTS, Change, Json, Kind
from analyzer.ports import Clock
from tests.fakes.kube_patches import PatchRefusedError, json_patched, matches, merged, owned_anew

MAX_BYTES = 1_048_576
Changes = list[Change]
DEPLOYMENT_DEFAULTS: Json = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
}


@dataclass(frozen=True, slots=True)
class _Event:
    version: int
    kind: Kind
    namespace: str
    before: Json | None
    after: Json | None


class Storage:
    """Objects by kind, namespace and name, and the events since the last `expire`. `on_change` is called after each."""

    def __init__(self, clock: Clock, on_change: Callable[[], None]) -> None:
        self.version = 100
        self._clock = clock
        self._on_change = on_change
        self._objects: dict[tuple[Kind, str, str], Json] = {}
        self._events: list[_Event] = []
        self._oldest = 0
        self._made = 0

    def _key(self, kind: Kind, namespace: str | None, name: str) -> tuple[Kind, str, str]:
        return kind, (namespace or "") if kind.namespaced else "", name

    def found(self, verb: str, kind: Kind, namespace: str | None, name: str) -> Json:
        """One object. Raises NotFoundError."""
        try:
            return self._objects[self._key(kind, namespace, name)]
        except KeyError:
            request = request_name(verb, kind, namespace, name)
            raise NotFoundError(f'{request}: 404: {kind.plural} "{name}" not found') from None

    def create(self, kind: Kind, namespace: str | None, body: Json, manager: str) -> Json:
        """Make an object. Raises PreconditionError, RejectedError."""
        metadata = dict(body.get("metadata") or {})
        self._made += 1
        name = metadata.get("name") or f"{metadata['generateName']}{self._made:05d}"
        key = self._key(kind, namespace or metadata.get("namespace"), name)
        if key in self._objects:
            request = request_name("create", kind, namespace, name)
            raise PreconditionError(f'{request}: 409: {kind.plural} "{name}" already exists')
        metadata |= {"name": name, "uid": f"00000000-0000-4000-8000-{self._made:012d}"}
        metadata |= {"creationTimestamp": metadata.get("creationTimestamp") or self._time()}
        if kind.namespaced:
            metadata["namespace"] = key[1]
        created = {"apiVersion": kind.api_version, "kind": kind.kind, **body, "metadata": metadata}
        if kind == DEPLOYMENTS:
            created["spec"] = {**DEPLOYMENT_DEFAULTS, **created["spec"]}
        return self.store(kind, None, created, manager)

    def patch(self, kind: Kind, namespace: str | None, name: str, body: Any, manager: str) -> Json:
        """Change an object: a mapping is a merge patch, else a JSON patch. Raises KubeError."""
        old = self.found("patch", kind, namespace, name)
        request = request_name("patch", kind, namespace, name)
        try:
            new = merged(old, body) if isinstance(body, Mapping) else json_patched(old, body)
        except PatchRefusedError as error:
            raise PreconditionError(f"{request}: 422: {error}") from error
        for field in ("resourceVersion", "uid"):
            if new["metadata"].get(field) not in (None, old["metadata"][field]):
                raise PreconditionError(f"{request}: 409: {field} is {old['metadata'][field]} by now")
        return self.store(kind, old, new, manager)

    def replace(self, kind: Kind, body: Json, manager: str) -> Json:
        """Create an object, or write all of it; what no writer can change stays."""
        namespace, name = body["metadata"].get("namespace"), body["metadata"]["name"]
        old = self._objects.get(self._key(kind, namespace, name))
        if old is None:
            return self.create(kind, namespace, body, manager)
        return self.store(kind, old, {**body, "metadata": {**body["metadata"], **_identity_of(old)}}, manager)

    def remove(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Delete an object with all that it owns. Raises NotFoundError."""
        old = self.found("delete", kind, namespace, name)
        del self._objects[self._key(kind, namespace, name)]
        self._publish(kind, old["metadata"].get("namespace") or "", old, None)
        for (other, space, owned), found in tuple(self._objects.items()):
            owners = found["metadata"].get("ownerReferences") or ()
            if any(owner["uid"] == old["metadata"]["uid"] for owner in owners):
                self.remove(other, space, owned)

    def all(self, kind: Kind, namespace: str | None, labels: str) -> Iterator[Json]:
        """The objects of a kind with these labels, by namespace and name."""
        for (of, space, _), found in sorted(self._objects.items(), key=lambda item: item[0][1:]):
            if of == kind and namespace in (None, space) and _selected(found, labels):
                yield found

    def expire(self) -> None:
        """Forget what happened up to now."""
        self.version += 1
        self._oldest = self.version
        self._events.clear()
        self._on_change()

    def store(self, kind: Kind, old: Json | None, new: Json, manager: str, subresource: str = "") -> Json:
        """Write an object, with a new version unless nothing changes. Raises RejectedError."""
        before = _without_bookkeeping(old or {})
        after = _without_bookkeeping(new)
        if old is not None and before == after:
            return old
        namespace, name = new["metadata"].get("namespace"), new["metadata"]["name"]
        if len(json.dumps(after)) > MAX_BYTES:
            raise RejectedError(
                f"{request_name('write', kind, namespace, name)}: 422: must have at most {MAX_BYTES} bytes"
            )
        metadata = dict(new["metadata"]) | (_identity_of(old) if old else {})
        if "spec" in new:
            # A Deployment's annotations are for its controller too.
            noted = kind == DEPLOYMENTS and _annotations(before) != _annotations(after)
            changed = old is None or before.get("spec") != after["spec"] or noted
            metadata["generation"] = metadata.get("generation", 0) + changed if old else 1
        entry = {"manager": manager, "operation": "Update", "apiVersion": kind.api_version, "time": self._time()}
        if subresource:
            entry["subresource"] = subresource
        owners = (old or {}).get("metadata", {}).get("managedFields") or ()
        metadata["managedFields"] = owned_anew(owners, before, after, entry)
        metadata["resourceVersion"] = str(self.version + 1)
        stored = deepcopy({**new, "metadata": metadata})
        self._objects[self._key(kind, namespace, name)] = stored
        self._publish(kind, namespace or "", old, stored)
        return stored

    def _publish(self, kind: Kind, namespace: str, before: Json | None, after: Json | None) -> None:
        self.version += 1
        if after is None and before is not None:
            before = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self.version)}}
        self._events.append(_Event(self.version, kind, namespace, before, after))
        self._on_change()

    def since(self, kind: Kind, namespace: str | None, version: int, labels: str) -> tuple[Sequence[Change], int]:
        """What a watch sees after a version, and the version then. Raises ExpiredError."""
        if version < self._oldest:
            raise ExpiredError(f"watch {kind.plural}: 410: too old resource version: {version} ({self._oldest})")
        changes: Changes = []
        for event in self._events[bisect_right(self._events, version, key=attrgetter("version")) :]:
            if event.kind == kind and namespace in (None, event.namespace):
                changes += _change(event, labels)
        return changes, max(version, self.version)

    def _time(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _change(event: _Event, labels: str) -> Iterator[Change]:
    """What a watch with this selector sees: an object that no longer matches is deleted for it."""
    was = event.before is not None and _selected(event.before, labels)
    if event.after is not None and _selected(event.after, labels):
        yield Change("MODIFIED" if was else "ADDED", deepcopy(event.after))
    elif was and event.before is not None:
        yield Change("DELETED", deepcopy(event.after or event.before))


def _selected(found: Json, labels: str) -> bool:
    return matches(found["metadata"].get("labels") or {}, labels)


def request_name(verb: str, kind: Kind, namespace: str | None, name: str | None) -> str:
    """How errors call a request."""
    return f"{verb} {kind.kind} {'/'.join(part for part in (namespace, name) if part)}"


def _annotations(found: Json) -> Json:
    return found["metadata"].get("annotations") or {}


def _identity_of(found: Json) -> dict[str, Any]:
    """What no writer can change."""
    kept = ("uid", "creationTimestamp", "namespace", "generation")
    return {key: found["metadata"][key] for key in kept if key in found["metadata"]}


def _without_bookkeeping(found: Json) -> dict[str, Any]:
    dropped = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
    metadata = {key: value for key, value in (found.get("metadata") or {}).items() if key not in dropped}
    return {**found, "metadata": metadata}
