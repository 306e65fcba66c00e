"""Reads and writes the ConfigMaps of one namespace that hold documents, and says in words what went wrong.

The store and the command line use it. Nothing here knows what stands in a document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from analyzer.kube.errors import ForbiddenError, KubeError, NotFoundError, PreconditionError
from analyzer.kube.objects import CONFIG_MAPS, Api, Json, PatchType
from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.metadata_keys import complete
from analyzer.model.numbers import size
from analyzer.record.configmaps import names
from analyzer.record.configmaps.names import DocumentKind

BYTES_ALLOWED = 1_000_000
"""A document may have this many bytes: a ConfigMap holds 1 MiB, labels and annotations included."""

BYTES_WARNED = BYTES_ALLOWED * 3 // 4

_READ = "get, list"
_WRITE = "get, list, create, patch"
_SMALLER = (
    "the pod templates are the largest part: move long environments, annotations and command lines into a ConfigMap "
    "of the application"
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A document as its ConfigMap holds it: `version` is the resourceVersion.

    `current`: its labels and annotations are those that this version writes. They are not after a write of another
    version, which leaves some of them behind.
    """

    target: str
    text: bytes
    version: str
    annotations: Mapping[str, str]
    source: str
    current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A document to be written, and what people see of it (a label that is None is taken away)."""

    document: DocumentKind
    target: str
    text: bytes
    labels: Mapping[str, str | None] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class DocumentMaps:
    """The documents in one namespace, the analyzer's own."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._warned: set[tuple[DocumentKind, str]] = set()

    def all(self, document: DocumentKind) -> Iterator[Held]:
        """Every document of a kind, some hundred at a time: thousands of them whole would take much memory.

        One that is written meanwhile may come twice; the later one counts. Raises RecordError, also on the way.
        """
        with translated(f"list the {document} documents", self._namespace, _READ):
            for selector in names.selectors(document):
                for page in self._api.pages(CONFIG_MAPS, self._namespace, labels=selector):
                    yield from (self._held(document, found) for found in page.items)

    def get(self, document: DocumentKind, target: str) -> Held | None:
        """One document, or None. Raises RecordError."""
        try:
            with translated(f"read the {document} document of {target}", self._namespace, _READ):
                found = self._api.get(CONFIG_MAPS, self._namespace, names.document_name(document, target))
        except _MissingError:
            return None
        return self._held(document, found)

    def write(self, page: Page, version: str | None) -> str:
        """Write a document if it still has `version` (None: must not exist); gives the new one.

        Raises StaleStateError, RecordError. After any RecordError the write may have happened.
        """
        self._check_size(page)
        name = names.document_name(page.document, page.target)
        try:
            with translated(f"write the {page.document} document of {page.target}", self._namespace, _WRITE):
                if version is None:
                    written = self._api.create(CONFIG_MAPS, self._namespace, _body(page, name=name))
                else:
                    body = _body(page, resourceVersion=version)
                    written = self._api.patch(CONFIG_MAPS, self._namespace, name, body, PatchType.MERGE)
        except _MissingError as error:
            if version is None:
                raise RecordError(
                    f"{error}; expected namespace {self._namespace!r} to exist (--analyzer-namespace)"
                ) from error
            raise self._stale(name, version, error) from error
        except _ConflictError as error:
            raise self._stale(name, version, error) from error
        return str(written["metadata"]["resourceVersion"])

    def _stale(self, name: str, version: str | None, error: RecordError) -> StaleStateError:
        return StaleStateError(
            f"ConfigMap {self._namespace}/{name}: expected version {version or 'none'}, but another process wrote or "
            f"deleted it; it is read again at the next tick ({error})"
        )

    def _check_size(self, page: Page) -> None:
        length = len(page.text)
        what = f"the {page.document} document of {page.target} has {size(length)}, limit {size(BYTES_ALLOWED)}"
        if length > BYTES_ALLOWED:
            raise RecordError(f"{what}: not written; {_SMALLER}")
        bounded = page.document is DocumentKind.HISTORY
        if length > BYTES_WARNED and not bounded and (page.document, page.target) not in self._warned:
            self._warned.add((page.document, page.target))
            _log.warning(
                "document_near_limit",
                target=page.target,
                document=page.document.value,
                bytes=length,
                limit=BYTES_ALLOWED,
                hint=f"beyond the limit nothing is written and the release stops; {_SMALLER}",
            )

    def _held(self, document: DocumentKind, found: Json) -> Held:
        metadata = found["metadata"]
        annotations = metadata.get("annotations") or {}
        name = str(metadata["name"])
        return Held(
            target=names.target_of(document, name, annotations),
            text=str((found.get("data") or {}).get(document.key, "")).encode(),
            version=str(metadata["resourceVersion"]),
            annotations=annotations,
            source=f"ConfigMap {self._namespace}/{name}",
            current=complete(metadata.get("labels") or {}) and complete(annotations),
        )


class _MissingError(RecordError):
    """There is no such ConfigMap, or no such namespace."""


class _ConflictError(RecordError):
    """The ConfigMap is not what was expected, or it exists already."""


@contextmanager
def translated(what: str, namespace: str, verbs: str) -> Iterator[None]:
    """Say what a failed request means for a document; `verbs` are those that this identity needs on ConfigMaps."""
    try:
        yield
    except ForbiddenError as error:
        raise RecordError(
            f"cannot {what}: {error}. Needed in namespace {namespace}: a Role with "
            f'{{apiGroups: [""], resources: [configmaps], verbs: [{verbs}]}}, bound to this identity'
        ) from error
    except NotFoundError as error:
        raise _MissingError(f"cannot {what}: {error}") from error
    except PreconditionError as error:
        raise _ConflictError(f"cannot {what}: {error}") from error
    except KubeError as error:
        raise RecordError(f"cannot {what}: {error}") from error


def _body(page: Page, **metadata: str) -> Json:
    labels = {**names.labels_of(page.document, page.target), **page.labels}
    if "name" in metadata:  # a new object has nothing that could be taken away
        labels = {key: value for key, value in labels.items() if value is not None}
    return {
        "metadata": {
            **metadata,
            "labels": labels,
            "annotations": {**names.annotations_of(page.target), **page.annotations},
        },
        "data": {page.document.key: page.text.decode()},
    }
