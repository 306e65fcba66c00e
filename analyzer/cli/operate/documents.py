"""The documents that the operators' commands read, in a cluster or in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from analyzer.actuation.sides import version_of
from analyzer.kube.client import connect
from analyzer.kube.errors import KubeError
from analyzer.kube.objects import DEPLOYMENTS, Api
from analyzer.model.errors import RecordError
from analyzer.model.state import Command
from analyzer.record.commands import submit
from analyzer.record.configmaps import ClusterDocuments
from analyzer.record.files import FileStore

D = TypeVar("D")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """Which documents are meant. With `state_dir` a folder's, else those of a cluster; `namespace` is the targets'."""

    state_dir: Path | None
    kubeconfig: Path | None
    context: str | None
    namespace: str | None
    analyzer_namespace: str


class Documents(Protocol):
    """The documents that a daemon writes. Every method raises RecordError."""

    @property
    def place(self) -> str:
        """Where they are, in words."""
        ...

    def statuses(self) -> list[dict[str, Any]]:
        """Every target's status document, by name."""
        ...

    def status(self, target: str) -> dict[str, Any] | None:
        """One target's status document, or None."""
        ...

    def history(self, target: str) -> tuple[dict[str, Any], ...]:
        """One target's ended releases, oldest first."""
        ...

    def canary_version(self, status: Mapping[str, Any]) -> str | None:
        """The version that the canary's Deployment has now, None where only the daemon knows."""
        ...

    def submit(self, target: str, namespace: str, command: Command) -> None:
        """Submit a command for a target in a namespace."""
        ...


class FileDocuments:
    """The documents in a folder, as the demo's daemon writes them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._store = FileStore(directory)
        self.place = f"state directory {directory}"

    def statuses(self) -> list[dict[str, Any]]:
        """Every target's status document, by name."""
        return self._store.statuses()

    def status(self, target: str) -> dict[str, Any] | None:
        """One target's status document, or None."""
        return self._store.status(target)

    def history(self, target: str) -> tuple[dict[str, Any], ...]:
        """One target's ended releases, oldest first."""
        return self._store.history(target)

    def canary_version(self, _status: Mapping[str, Any]) -> str | None:
        """The version that the canary's Deployment has now: a folder does not know."""
        return None

    def submit(self, target: str, _namespace: str, command: Command) -> None:
        """Submit a command."""
        submit(self._directory, target, command)


class InCluster(ClusterDocuments):
    """The documents in a cluster, and the Deployments that they are about."""

    def __init__(self, api: Api, namespace: str) -> None:
        super().__init__(api, namespace)
        self._deployments = api

    def canary_version(self, status: Mapping[str, Any]) -> str | None:
        """The version that the canary's Deployment has now; None where that cannot be read."""
        name = shown(status, lambda found: found["replicas"]["canary"]["deployment"])
        try:
            found = self._deployments.get(DEPLOYMENTS, status.get("namespace"), name)
        except KubeError:  # an operator need not be allowed to: then the daemon's last tick counts
            return None
        return version_of(found).template.hash


Opener = Callable[[Where], Documents]


def documents_at(where: Where) -> Documents:
    """Reach the documents. Raises KubeError."""
    if where.state_dir is not None:
        return FileDocuments(where.state_dir)
    return InCluster(connect(where.kubeconfig, where.context), where.analyzer_namespace)


def status_of(documents: Documents, where: Where, target: str) -> dict[str, Any]:
    """One target's status document. Raises RecordError when there is none in the namespace of `where`."""
    status = documents.status(target)
    if status is None:
        known = ", ".join(str(one.get("target")) for one in documents.statuses()) or "none"
        raise RecordError(
            f"canary target {target!r} not found in {documents.place}; found: {known}. "
            "Check the name, --analyzer-namespace and --context, and that the daemon is running"
        )
    if where.namespace not in (None, status.get("namespace")):
        raise RecordError(
            f"{target}: expected a canary target in namespace {where.namespace}, found one in {status.get('namespace')}"
        )
    return status


def statuses_of(documents: Documents, where: Where, target: str | None) -> list[dict[str, Any]]:
    """One target's status document or all, in the namespace of `where` or in every one. Raises RecordError."""
    if target is not None:
        return [status_of(documents, where, target)]
    return [one for one in documents.statuses() if where.namespace in (None, one.get("namespace"))]


def shown(document: D, show: Callable[[D], T]) -> T:
    """What `show` makes of a document, which another version may have written. Raises RecordError."""
    try:
        return show(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(
            f"the document was written by another version ({type(error).__name__}: {error}); "
            "use the same version for the daemon and this program, or wait for the daemon's next tick"
        ) from error
