"""An independent look at how many pods there were: every change of a pair's Deployments and pods, by its own watches.

etcd gives every change in the cluster a number that only rises, whatever its kind, so what was true at the moment of
a write can be said exactly afterwards. A write is the daemon's where managedFields name it for `spec.replicas`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.lab.api import LabApi, LabReflector, path_of
from tests.e2e.scene.traffic import deployment_of, is_ready, leaves

Json = Mapping[str, Any]
MANAGER = "canary-analyzer"
UNSEEN_SECONDS = 2.5
"""A pod that stopped being ready by itself this short a time before a write could not be known by its writer."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Pods of both Deployments at one moment, by Deployment: asked for, present (leaving ones left out), ready."""

    requested: Mapping[str, int]
    present: Mapping[str, int]
    ready: Mapping[str, int]

    @property
    def available(self) -> int:
        """Ready pods, without those that a write has already taken away."""
        return sum(min(self.ready.get(name, 0), wanted) for name, wanted in self.requested.items())

    @property
    def pods(self) -> int:
        """Pods that are there, or are coming."""
        return sum(max(self.present.get(name, 0), wanted) for name, wanted in self.requested.items())


@dataclass(frozen=True, slots=True)
class Write:
    """A change of `spec.replicas`, its writer, and both sides right before and after it."""

    revision: int
    manager: str
    deployment: str
    replicas: int
    before: Sides
    after: Sides


@dataclass(frozen=True, slots=True)
class _Change:
    revision: int
    at: float
    uid: str
    item: Json | None


@dataclass(slots=True)
class _Pod:
    deployment: str
    ready: bool = False
    lost_at: float = float("-inf")


@dataclass(slots=True)
class _Replay:
    """The pair as it was, one change after the other."""

    requested: dict[str, int] = field(default_factory=dict)
    pods: dict[str, _Pod] = field(default_factory=dict)

    def take_pod(self, change: _Change) -> None:
        if change.item is None or leaves(change.item):
            self.pods.pop(change.uid, None)
            return
        pod = self.pods.setdefault(change.uid, _Pod(deployment_of(change.item)))
        ready = is_ready(change.item)
        if pod.ready and not ready:
            pod.lost_at = change.at
        pod.ready = ready

    def sides(self, at: float) -> Sides:
        present, ready = dict.fromkeys(self.requested, 0), dict.fromkeys(self.requested, 0)
        for pod in self.pods.values():
            present[pod.deployment] = present.get(pod.deployment, 0) + 1
            known = pod.ready or at - pod.lost_at < UNSEEN_SECONDS
            ready[pod.deployment] = ready.get(pod.deployment, 0) + known
        return Sides(dict(self.requested), present, ready)


class Capacity:
    """Watches one pair. `deployments` are its two names."""

    def __init__(self, api: LabApi, namespace: str, deployments: Iterable[str], selector: Mapping[str, str]) -> None:
        self._names = frozenset(deployments)
        self._pods = _Journal()
        self._deployments = _Journal()
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        self._reflectors = (
            _reflector(api, path_of("pods", namespace), self._pods, labelSelector=labels),
            _reflector(api, path_of("deployments", namespace), self._deployments),
        )

    def start(self) -> None:
        """Begin to watch."""
        for reflector in self._reflectors:
            reflector.start()
        for reflector in self._reflectors:
            reflector.synced.wait(10)

    def stop(self) -> None:
        """Stop watching; what was seen stays."""
        for reflector in self._reflectors:
            reflector.stop()

    def writes(self, manager: str | None = MANAGER) -> Sequence[Write]:
        """The changes of replicas in order: the daemon's, another writer's, or all with None."""
        return [write for write in self._writes() if manager in (None, write.manager)]

    def assert_within(self, total: int, max_surge: int, max_unavailable: int = 0) -> None:
        """No write of the daemon took a ready pod below `total - max_unavailable`, nor added one above
        `total + max_surge`; and there were writes."""
        writes = self.writes()
        assert writes, "the daemon never wrote replicas"
        least, most = total - max_unavailable, total + max_surge
        short = [one for one in writes if one.after.available < min(least, one.before.available)]
        above = [one for one in writes if one.after.pods > max(most, one.before.pods)]
        assert not short, f"fewer than {least} available after: " + "\n".join(map(str, short))
        assert not above, f"more than {most} pods after: " + "\n".join(map(str, above))

    def lowest_available(self) -> int:
        """The fewest ready pods that users could reach, at any moment since the pair was first complete."""
        lowest, replay, complete = 10**6, _Replay(), False
        for change in self._in_order():
            self._take(replay, change)
            ready = sum(pod.ready for pod in replay.pods.values())
            complete = complete or ready >= sum(replay.requested.values()) > 0
            if complete:
                lowest = min(lowest, ready)
        return lowest

    def _writes(self) -> Iterable[Write]:
        replay = _Replay()
        for change in self._in_order():
            before = replay.sides(change.at)
            name = self._take(replay, change)
            if name is None or name not in before.requested or change.item is None:
                continue
            if (now := replay.requested.get(name)) is not None and now != before.requested[name]:
                after = replay.sides(change.at)
                yield Write(change.revision, _writer_of_replicas(change.item), name, now, before, after)

    def _take(self, replay: _Replay, change: _Change) -> str | None:
        """Take a change over; the name of the Deployment that it is about, if it is about one."""
        if change.item is not None and change.item["kind"] == "Pod":
            replay.take_pod(change)
        elif change.item is None:
            replay.pods.pop(change.uid, None)
        elif (name := change.item["metadata"]["name"]) in self._names:
            replay.requested[name] = change.item["spec"]["replicas"]
            return str(name)
        return None

    def _in_order(self) -> list[_Change]:
        return sorted([*self._pods.changes, *self._deployments.changes], key=lambda change: change.revision)


class _Journal:
    """Every version of every object that a reflector held, with the moment it came."""

    def __init__(self) -> None:
        self.changes: list[_Change] = []
        self._known: Mapping[str, Json] = {}
        self._revision = 0

    def note(self, objects: Mapping[str, Json], kind: str) -> None:
        now = time.monotonic()
        for uid, item in objects.items():
            if self._known.get(uid) is not item:
                revision = int(item["metadata"]["resourceVersion"])
                self._revision = max(self._revision, revision)
                self.changes.append(_Change(revision, now, uid, {**item, "kind": kind}))
        # Its own number is not known, but nothing of this kind came in between.
        gone = self._known.keys() - objects.keys()
        self.changes.extend(_Change(self._revision, now, uid, None) for uid in gone)
        self._known = objects


def _reflector(api: LabApi, path: str, journal: _Journal, **query: str) -> LabReflector:
    kind = "Pod" if path.endswith("/pods") else "Deployment"

    def changed() -> None:
        journal.note(reflector.objects, kind)

    reflector = LabReflector(api, path, changed, **query)
    return reflector


def _writer_of_replicas(deployment: Json) -> str:
    fields = deployment["metadata"].get("managedFields", ())
    owners = [one for one in fields if "f:replicas" in one.get("fieldsV1", {}).get("f:spec", {})]
    return str(max(owners, key=lambda one: str(one.get("time", "")))["manager"]) if owners else ""
