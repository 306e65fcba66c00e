"""Status and history as a daemon has published them. The command line reads them.

Finding a document and understanding it are two things: one that cannot be read is an error of its target alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.record import codec, history


@dataclass(frozen=True, slots=True)
class Published:
    """A document of a target as it was found; `source` says where. Every method raises RecordError."""

    target: str
    text: bytes
    source: str

    def json(self) -> dict[str, Any]:
        """The whole document, also what this version does not know of it."""
        return codec.read_mapping(self.text, self.source)

    def status(self) -> StatusDocument:
        """What a status document says."""
        return codec.decode_status(self.json(), self.source)

    def entries(self) -> tuple[dict[str, Any], ...]:
        """The entries of a history, oldest first, also what this version does not know of them."""
        return history.read_history(self.text, self.source)

    def history(self) -> tuple[HistoryEntry, ...]:
        """What a history says, oldest first."""
        return tuple(codec.decode_entry(entry, self.source) for entry in self.entries())
