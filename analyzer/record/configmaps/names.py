"""What the ConfigMaps are called and how they are marked. Pure; everything else here uses it.

Names follow the target where Kubernetes allows that; where it does not, a hash keeps them apart, and the annotation
`canary-analyzer.io/target` has the target's exact name. Every label and annotation has a legacy key too (see
`model.metadata_keys`): a daemon of an earlier version finds its documents by that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum

from analyzer.model.metadata_keys import entries, keys_of, values_of
from analyzer.model.status_document import StatusDocument

OWNER = "canary-analyzer"
MANAGED_BY = "app.kubernetes.io/managed-by"

DOCUMENT = "document"
TARGET = "target"
SUMMARY = "summary"
SCHEMA = "schema"

_COLUMNS = ("phase", "outcome", "step", "weight", "verdict", "mode")
_HASHED = "t-"
"""How the part of a name begins that stands for a target whose own name can't be used."""

_PLAIN = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_LENGTH = 63
_SUMMARY_LENGTH = 300


class DocumentKind(StrEnum):
    """What a ConfigMap holds; the value of its label `canary-analyzer.io/document`."""

    STATE = "state"
    STATUS = "status"
    HISTORY = "history"
    COMMANDS = "commands"

    @property
    def key(self) -> str:
        """The entry under `data` that holds the document (commands have one entry each)."""
        return f"{self.value}.json"


def document_name(document: DocumentKind, target: str) -> str:
    """The ConfigMap that holds a document of a target, in the analyzer's namespace."""
    return f"{OWNER}-{document}-{_part(target)}"


def target_of(document: DocumentKind, name: str, annotations: Mapping[str, str]) -> str:
    """Whose document a ConfigMap is; an annotation that doesn't fit the name is not believed."""
    said = (one for one in values_of(annotations, TARGET) if document_name(document, one) == name)
    return next(said, name.removeprefix(f"{OWNER}-{document}-"))


def commands_name(target: str) -> str:
    """The ConfigMap that holds the operators' commands, in the target's namespace.

    That may be the analyzer's own, so a target called `state-x` must not get the name of x's state document.
    """
    documents = tuple(f"{document}-" for document in DocumentKind)
    return f"{OWNER}-{_hashed(target) if target.startswith(documents) else _part(target)}"


def selectors(document: DocumentKind) -> tuple[str, ...]:
    """The label selectors of all ConfigMaps that hold such documents: those with legacy labels alone, then the others.

    In this order, because a document gains labels and loses none: one that is written between the two requests is in
    both answers, never in neither.
    """
    keys = keys_of(DOCUMENT)
    found = []
    for number, key in enumerate(keys):
        without = [f"!{other}" for other in keys[:number]]
        found.append(",".join([f"{MANAGED_BY}={OWNER}", f"{key}={document}", *without]))
    return tuple(reversed(found))


def holds(document: DocumentKind, labels: Mapping[str, str] | None) -> bool:
    """Do these labels say that a ConfigMap holds such a document? Either key will do."""
    return document.value in values_of(labels or {}, DOCUMENT)


def labels_of(document: DocumentKind, target: str) -> dict[str, str]:
    """The labels by which a document is found."""
    return {MANAGED_BY: OWNER, **entries(DOCUMENT, document.value), **entries(TARGET, label_value(target))}


def annotations_of(target: str) -> dict[str, str]:
    """The annotation that has the target's exact name."""
    return entries(TARGET, target)


def columns_of(status: StatusDocument) -> dict[str, str | None]:
    """A status' summary as labels, so that `kubectl get configmaps -L` shows it; None for what is not known."""
    values = {name: getattr(status, name) for name in (*_COLUMNS, "namespace")}
    shown = {name: None if value is None else label_value(str(value)) for name, value in values.items()}
    return {key: value for name, value in shown.items() for key in keys_of(name)}


def summary_of(phase: object, reason: object) -> str:
    """One line for people, for the annotation `canary-analyzer.io/summary`."""
    return f"{phase}: {reason}"[:_SUMMARY_LENGTH]


def label_value(text: str) -> str:
    """`text` as a label's value: foreign characters become `_`, and 63 characters are kept."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:_LABEL_LENGTH].strip("._-")


def _part(target: str) -> str:
    plain = _PLAIN.fullmatch(target) and not target.startswith(_HASHED)
    return target if plain else _hashed(target)


def _hashed(target: str) -> str:
    kept = re.sub(r"[^a-z0-9]+", "-", target.lower())[:40].strip("-")
    digest = hashlib.sha256(target.encode()).hexdigest()[:16]
    return f"{_HASHED}{kept}-{digest}" if kept else f"{_HASHED}{digest}"
