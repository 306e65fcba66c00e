"""What the command line reads of a cluster's documents, and how it asks for something. It needs no lease."""

from __future__ import annotations

from analyzer.kube.objects import Api
from analyzer.model.state import Command
from analyzer.record.configmaps import commands
from analyzer.record.configmaps.maps import DocumentMaps
from analyzer.record.configmaps.names import DocumentKind
from analyzer.record.published import Published


class ClusterDocuments:
    """The documents that a daemon keeps in `namespace`. Every method raises RecordError."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._maps = DocumentMaps(api, namespace)
        self.place = f"namespace {namespace}"

    def statuses(self) -> list[Published]:
        """Every status document, by target."""
        held = {one.target: one for one in self._maps.all(DocumentKind.STATUS)}
        return [Published(target, one.text, one.source) for target, one in sorted(held.items())]

    def status(self, target: str) -> Published | None:
        """The status document, or None."""
        return self._published(DocumentKind.STATUS, target)

    def history(self, target: str) -> Published | None:
        """The document of ended releases, or None."""
        return self._published(DocumentKind.HISTORY, target)

    def submit(self, target: str, namespace: str, command: Command) -> None:
        """Put a command on file in the target's namespace."""
        commands.submit(self._api, namespace, target, command)

    def _published(self, document: DocumentKind, target: str) -> Published | None:
        held = self._maps.get(document, target)
        return None if held is None else Published(target, held.text, held.source)
