"""The two Deployments of a target on a cluster: the port `Workloads` for the engine. Made by `bootstrap`.

Sees through the cache, so that a target costs no request while nothing is written; writes by fenced patches.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from analyzer.actuation.fence import Operations, claimed, claiming, fenced, moving
from analyzer.actuation.sides import CONTROLLERS, Owned, RunningTemplate, version_of, workload_of
from analyzer.kube.errors import KubeError, NotFoundError, PreconditionError
from analyzer.kube.objects import AUTOSCALERS, DEPLOYMENTS, PODS, REPLICA_SETS, Api, Cached, Json, PatchType
from analyzer.model.errors import ActuationError, ConflictError
from analyzer.model.numbers import seconds
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Snapshot, Workload
from analyzer.ports import Clock

WRITE_SECONDS = 4.0
"""All requests of one write together; the Lease leaves so much of its time unused (see `lease`)."""
ATTEMPTS = 4
"""A first claim is disturbed by every change of the Deployment's status; so often it is tried."""


class KubeWorkloads:
    """Deployments of a cluster. Thread-safe; targets that are looked at must be in the namespaces that `cache` follows.

    `clock` tells when a pod has been ready for its Deployment's minReadySeconds.
    """

    def __init__(self, api: Api, cache: Cached, clock: Clock) -> None:
        self._api = api
        self._cache = cache
        self._clock = clock
        self._versions: dict[tuple[str, str], tuple[str, RunningTemplate]] = {}
        self._seen: dict[tuple[str, str], _SeenWorkload] = {}

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        """See both sides; None for a Deployment that does not exist or is being deleted. Raises ActuationError."""
        try:
            stable = self._side(target.namespace, roles.stable)
            return Snapshot(target, stable, self._side(target.namespace, roles.canary))
        except KubeError as error:
            raise ActuationError(f"cannot read the Deployments of {target.name}: {error}") from error

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        """Make one write, and claim the Deployment with it where it is not ours yet.

        Raises ConflictError for another old value, another uid or a newer epoch. After any other ActuationError the
        write may have been made, or may still be.
        """
        write = _Write(self._api, self._clock, target.namespace, move.deployment, str(move))
        self._done(write, lambda found: moving(found, move, epoch))

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        """Raise the annotation with the epoch on both Deployments; costs nothing where it is raised."""
        for name in (roles.stable, roles.canary):
            found = self._known(target.namespace, name)
            if found is None or claimed(found, epoch):
                continue
            doing = f"claim Deployment {name} for epoch {epoch}"
            write = _Write(self._api, self._clock, target.namespace, name, doing)
            self._done(write, lambda found, doing=doing: claiming(found, epoch, doing))  # type: ignore[misc]

    def _done(self, write: _Write, operations: Callable[[Json], Operations]) -> None:
        try:
            answer = write.make(self._known(write.namespace, write.name), operations)
            self._cache.put(DEPLOYMENTS, answer)
        except KubeError as error:
            raise ActuationError(f"{write.doing}: {error}") from error

    def _known(self, namespace: str, name: str) -> Json | None:
        try:
            return self._cache.get(DEPLOYMENTS, namespace, name)
        except KubeError as error:
            raise ActuationError(f"cannot read Deployment {namespace}/{name}: {error}") from error

    def _side(self, namespace: str, name: str) -> Workload | None:
        found = self._cache.get(DEPLOYMENTS, namespace, name)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return None
        replica_sets = self._cache.owned(REPLICA_SETS, namespace, found["metadata"]["uid"])
        owned = [Owned(one, self._cache.owned(PODS, namespace, one["metadata"]["uid"])) for one in replica_sets]
        scaled = (found["metadata"].get("writers") or {}).get("replicas") == CONTROLLERS
        scaler = self._scaler(namespace, name) if scaled else ""
        objects = (found, *replica_sets, *(pod for one in owned for pod in one.pods))
        seen = self._seen.get((namespace, name))
        if seen is None or not seen.still(objects, scaler):
            workload = workload_of(found, self._version(found), owned, scaler, self._clock.now())
            seen = self._seen[namespace, name] = _SeenWorkload(objects, scaler, workload)
        return seen.workload

    def _version(self, deployment: Json) -> RunningTemplate:
        """Read anew only for another template: at rest thousands of them stay as they are.

        The generation does not tell: a new default of the API server comes without one.
        """
        metadata = deployment["metadata"]
        key, uid = (metadata["namespace"], metadata["name"]), metadata["uid"]
        known = self._versions.get(key)
        if known is None or known[0] != uid or known[1].template.content != deployment["spec"]["template"]:
            known = (uid, version_of(deployment))
            self._versions[key] = known
        return known[1]

    def _scaler(self, namespace: str, name: str) -> str:
        for scaler in self._cache.items(AUTOSCALERS, namespace):
            scaled = scaler["spec"].get("scaleTargetRef") or {}
            if (scaled.get("kind"), scaled.get("name")) == (DEPLOYMENTS.kind, name):
                return f"HorizontalPodAutoscaler {scaler['metadata']['name']}"
        return "a HorizontalPodAutoscaler"


@dataclass(frozen=True, slots=True)
class _SeenWorkload:
    """What a Deployment looked like, and the objects that it was read from: most of them are the same for days."""

    objects: tuple[Json, ...]
    scaler: str
    workload: Workload

    def still(self, objects: tuple[Json, ...], scaler: str) -> bool:
        """Would these be read alike? A pod that is not ready for long enough yet will be by time alone."""
        same = len(objects) == len(self.objects) and all(map(operator.is_, objects, self.objects))
        waits = any(pod.ready and not pod.available for pod in self.workload.pods)
        return same and scaler == self.scaler and not waits


class _Write:
    """One patch of one Deployment: tried again, on what it is by then, as long as nothing that matters has changed."""

    def __init__(self, api: Api, clock: Clock, namespace: str, name: str, doing: str) -> None:
        self.namespace = namespace
        self.name = name
        self.doing = doing
        self._api = api
        self._clock = clock
        self._until = clock.monotonic() + WRITE_SECONDS

    def make(self, known: Json | None, operations: Callable[[Json], Operations]) -> Json:
        """`operations` gives the patch for the Deployment as it is, or raises ConflictError. Raises KubeError."""
        if known is None:
            raise ConflictError(f"{self.doing}: refused: Deployment {self.namespace}/{self.name} does not exist")
        found = known if fenced(known) else self._fetched()
        tried = 0
        while True:
            try:
                return self._patched(operations(found))
            except PreconditionError:
                tried += 1
                found = self._fetched()
                if tried == ATTEMPTS:
                    operations(found)
                    raise

    def _patched(self, patch: Operations) -> Json:
        how, left = PatchType.JSON, self._left()
        try:
            return self._api.patch(DEPLOYMENTS, self.namespace, self.name, patch, how, timeout=left)
        except NotFoundError as error:
            raise ConflictError(f"{self.doing}: refused: the Deployment was deleted") from error

    def _fetched(self) -> Json:
        try:
            return self._api.get(DEPLOYMENTS, self.namespace, self.name, timeout=self._left())
        except NotFoundError as error:
            raise ConflictError(f"{self.doing}: refused: the Deployment was deleted") from error

    def _left(self) -> float:
        left = self._until - self._clock.monotonic()
        if left <= 0:
            raise ActuationError(f"{self.doing}: not done within {seconds(WRITE_SECONDS)}, the API server is slow")
        return left
