"""A `ConfigMapStore` on the API server in memory, with what a test needs to look at it from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analyzer.kube.errors import NotFoundError
from analyzer.kube.objects import CONFIG_MAPS, Json, Kind
from analyzer.record.configmaps import ClusterDocuments, ConfigMapStore
from analyzer.record.configmaps.commands import Lookup
from analyzer.record.configmaps.names import DocumentKind, commands_name, document_name, labels_of
from analyzer.record.configmaps.store import StoreContext
from tests.fakes.clock import FakeClock
from tests.fakes.kube_api import FakeApi
from tests.fakes.lease import FakeLease


class NoDelayLookup:
    """A cache that has always seen the latest; looking costs no call."""

    def __init__(self, api: FakeApi) -> None:
        self._api = api

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        try:
            return self._api.see(kind, namespace, name)
        except NotFoundError:
            return None


class ClusterStage:
    """Everything on one API server; `restarted` gives the store of a daemon that knows nothing yet."""

    namespace = "canary-analyzer"
    target_namespace = "shop"

    def __init__(self, api: FakeApi | None = None) -> None:
        self.clock = FakeClock()
        self.api = api or FakeApi(self.clock)
        self.lease = FakeLease()
        self.store = self.restarted()
        self.documents = ClusterDocuments(self.api, self.namespace)

    def restarted(self, lookup: Lookup | None = None, *, configured: bool = True) -> ConfigMapStore:
        commands = lookup or NoDelayLookup(self.api)
        namespace = self.target_namespace if configured else None
        around = StoreContext(self.lease, self.clock, commands, lambda _: namespace)
        return ConfigMapStore(self.api, self.namespace, around)

    def put(
        self, document: DocumentKind, target: str, text: bytes, annotations: Mapping[str, str] | None = None
    ) -> None:
        """Put a document there that nobody may have written properly."""
        metadata = {
            "name": document_name(document, target),
            "namespace": self.namespace,
            "labels": labels_of(document, target),
            "annotations": dict(annotations or {}),
        }
        self.api.put(CONFIG_MAPS, {"metadata": metadata, "data": {document.key: text.decode()}})

    def put_commands(self, target: str, entries: Mapping[str, str]) -> None:
        """Commands that somebody wrote by hand."""
        metadata = {
            "name": commands_name(target),
            "namespace": self.target_namespace,
            "labels": labels_of(DocumentKind.COMMANDS, target),
        }
        self.api.put(CONFIG_MAPS, {"metadata": metadata, "data": dict(entries)})

    def see(self, document: DocumentKind, target: str) -> dict[str, Any]:
        """A document's ConfigMap as it is."""
        return dict(self.api.see(CONFIG_MAPS, self.namespace, document_name(document, target)))

    def text(self, document: DocumentKind, target: str) -> bytes:
        """A document as it stands in its ConfigMap."""
        return str(self.see(document, target)["data"][document.key]).encode()

    def json(self, document: DocumentKind, target: str) -> Any:
        """What a document says."""
        return json.loads(self.text(document, target))

    def forget_calls(self) -> None:
        """Count requests anew."""
        self.api.calls.clear()
