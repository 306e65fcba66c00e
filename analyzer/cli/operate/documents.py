"""The documents that the operators' commands read, in a cluster or in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analyzer.actuation.sides import version_of
from analyzer.kube.client import connect
from analyzer.kube.errors import KubeError
from analyzer.kube.objects import DEPLOYMENTS, Api
from analyzer.model.errors import RecordError
from analyzer.model.state import Command
from analyzer.model.status_document import StatusDocument
from analyzer.record.commands import submit
from analyzer.record.configmaps import ClusterDocuments
from analyzer.record.files import FileStore
from analyzer.record.published import Published


@dataclass(frozen=True, slots=True)
class Where:
    """Which documents are meant. With `state_dir` a folder's, else those of a cluster; `namespace` is the targets'."""

    state_dir: Path | None
    kubeconfig: Path | None
    context: str | None
    namespace: str | None
    analyzer_namespace: str


class FileDocuments(FileStore):
    """The documents in a folder, as the demo's daemon writes them."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._folder = directory
        self.place = f"state directory {directory}"

    def canary_version(self, _status: StatusDocument) -> str | None:
        """The version that the canary's Deployment has now: a folder does not know."""
        return None

    def submit(self, target: str, _namespace: str, command: Command) -> None:
        """Submit a command."""
        submit(self._folder, target, command)


class InCluster(ClusterDocuments):
    """The documents in a cluster, and the Deployments that they are about."""

    def __init__(self, api: Api, namespace: str) -> None:
        super().__init__(api, namespace)
        self._deployments = api

    def canary_version(self, status: StatusDocument) -> str | None:
        """The version that the canary's Deployment has now; None where that cannot be read."""
        try:
            found = self._deployments.get(DEPLOYMENTS, status.namespace, status.replicas.canary.deployment)
        except KubeError:  # an operator need not be allowed to: then the daemon's last tick counts
            return None
        return version_of(found).template.hash


Documents = FileDocuments | InCluster
"""The documents that a daemon writes, and what the command line writes for it. Every method raises RecordError."""

Opener = Callable[[Where], Documents]


def documents_at(where: Where) -> Documents:
    """Reach the documents. Raises KubeError."""
    if where.state_dir is not None:
        return FileDocuments(where.state_dir)
    return InCluster(connect(where.kubeconfig, where.context), where.analyzer_namespace)


def found_in(documents: Documents, where: Where, target: str | None) -> list[Published]:
    """The status document of one target or of all, in the namespace of `where` or in every one.

    Raises RecordError when the target that is named is not there.
    """
    if target is None:
        found = documents.statuses()
        return [one for one in found if where.namespace is None or _namespace(one) in (None, where.namespace)]
    status = documents.status(target)
    if status is None:
        known = ", ".join(one.target for one in documents.statuses()) or "none"
        raise RecordError(
            f"canary target {target!r} not found in {documents.place}; found: {known}. "
            "Check the name, --analyzer-namespace and --context, and that the daemon is running"
        )
    home = status.json().get("namespace")
    if where.namespace not in (None, home):
        raise RecordError(f"{target}: expected a canary target in namespace {where.namespace}, found one in {home}")
    return [status]


def status_of(documents: Documents, where: Where, target: str) -> StatusDocument:
    """What one target's status document says. Raises RecordError."""
    return found_in(documents, where, target)[0].status()


def _namespace(status: Published) -> str | None:
    """Where the target is; None where that cannot be read, which is said when the rest is read."""
    try:
        return status.json().get("namespace")
    except RecordError:
        return None
