"""What the command line reads of a cluster's documents, and how it asks for something. It needs no lease."""

from __future__ import annotations

from typing import Any

from analyzer.kube.objects import Api
from analyzer.model.state import Command
from analyzer.record import codec, history
from analyzer.record.configmaps import commands
from analyzer.record.configmaps.maps import DocumentMaps
from analyzer.record.configmaps.names import DocumentKind


class ClusterDocuments:
    """The documents that a daemon keeps in `namespace`. Every method raises RecordError."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._maps = DocumentMaps(api, namespace)
        self.place = f"namespace {namespace}"

    def statuses(self) -> list[dict[str, Any]]:
        """Every status document, by target."""
        held = {one.target: one for one in self._maps.all(DocumentKind.STATUS)}
        return [codec.read_mapping(one.text, one.source) for _, one in sorted(held.items())]

    def status(self, target: str) -> dict[str, Any] | None:
        """The status document, or None."""
        held = self._maps.get(DocumentKind.STATUS, target)
        return None if held is None else codec.read_mapping(held.text, held.source)

    def history(self, target: str) -> tuple[dict[str, Any], ...]:
        """Ended releases, oldest first."""
        held = self._maps.get(DocumentKind.HISTORY, target)
        return history.read_history(held.text, held.source) if held else ()

    def submit(self, target: str, namespace: str, command: Command) -> None:
        """Put a command on file in the target's namespace."""
        commands.submit(self._api, namespace, target, command)
