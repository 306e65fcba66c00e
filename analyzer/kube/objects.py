"""Kinds of objects, and the port through which they are read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

Json = Mapping[str, Any]
"""An object as the API server writes it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource of the API: its path (`apis/apps/v1`), its plural, its kind, and whether it lives in a namespace."""

    path: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What an object of this kind has as `apiVersion`."""
        return self.path.removeprefix("apis/").removeprefix("api/")

    @property
    def group(self) -> str:
        """The API group, empty for the core."""
        return self.api_version.rpartition("/")[0]

    def url(self, namespace: str | None, name: str | None = None) -> str:
        """The path of one object, or of all in a namespace (None: in every one)."""
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"/{self.path}{scope}/{self.plural}" + (f"/{name}" if name else "")


DEPLOYMENTS = Kind("apis/apps/v1", "deployments", "Deployment")
REPLICA_SETS = Kind("apis/apps/v1", "replicasets", "ReplicaSet")
PODS = Kind("api/v1", "pods", "Pod")
CONFIG_MAPS = Kind("api/v1", "configmaps", "ConfigMap")
SERVICES = Kind("api/v1", "services", "Service")
QUOTAS = Kind("api/v1", "resourcequotas", "ResourceQuota")
EVENTS = Kind("api/v1", "events", "Event")
LEASES = Kind("apis/coordination.k8s.io/v1", "leases", "Lease")
AUTOSCALERS = Kind("apis/autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
DISRUPTION_BUDGETS = Kind("apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget")
ACCESS_REVIEWS = Kind(
    "apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)


class PatchType(StrEnum):
    """How the body of a patch is to be read."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of objects and the resourceVersion to watch from."""

    items: tuple[Json, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a watch. `kind` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    kind: str
    object: Json


class Api(Protocol):
    """An API server. Every method raises KubeError; each request has a time-out (`timeout` seconds, or the default)."""

    def get(self, kind: Kind, namespace: str | None, name: str, *, timeout: float | None = None) -> Json:
        """One object. Raises NotFoundError."""
        ...

    def list(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Listed:
        """All objects of a kind in a namespace (None: in every one) that match a label selector."""
        ...

    def pages(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Iterator[Listed]:
        """The same, some hundred objects at a time, all with the one version; for lists too long to hold whole."""
        ...

    def create(self, kind: Kind, namespace: str | None, body: Json, *, timeout: float | None = None) -> Json:
        """Make an object. Raises PreconditionError when it exists."""
        ...

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
        """Change an object; gives it as it is then. Raises NotFoundError, PreconditionError."""
        ...

    def delete(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Remove an object. Raises NotFoundError."""
        ...

    def watch(
        self, kind: Kind, namespace: str | None, version: str, *, labels: str = "", seconds: int = 25
    ) -> Iterator[Change]:
        """Changes after a resourceVersion, bookmarks among them, until the server ends the request after `seconds`.

        An end without an error says that the server was alive then. Raises ExpiredError, UnavailableError.
        """
        ...

    def server_clock(self) -> datetime:
        """What time the server says it is, to the second."""
        ...


class Cached(Protocol):
    """What is known of the followed namespaces without asking. Every read raises StaleError (see `kube.cache`).

    Objects are trimmed to the fields in use (see `kube.transform`) and shared: nobody changes them.
    """

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """One object; None: it does not exist."""
        ...

    def items(self, kind: Kind, namespace: str) -> Sequence[Json]:
        """All objects of a kind in a namespace, by name."""
        ...

    def owned(self, kind: Kind, namespace: str, owner_uid: str) -> Sequence[Json]:
        """Those of a kind that name this uid in their ownerReferences, by name."""
        ...

    def put(self, kind: Kind, found: Json) -> None:
        """Take in the answer to a write of our own, unless something at least as new is known."""
        ...
