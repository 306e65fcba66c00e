"""The history document: ended releases, newest last, bounded. Pure; the stores read and write it."""

from __future__ import annotations

from typing import Any

from analyzer.model.errors import RecordError
from analyzer.model.plain_json import plain_json
from analyzer.model.status_document import HistoryEntry
from analyzer.record import codec

ENTRIES_KEPT = 100
"""How many ended releases a target remembers."""

BYTES_KEPT = 900 * 1024
"""Upper bound of the whole document, below the 1 MiB that a Kubernetes object may have."""

HISTORY_SCHEMA = 1


def read_history(text: bytes | None, source: str) -> tuple[dict[str, Any], ...]:
    """The entries of a history document, oldest first; none without a document. Raises RecordError."""
    if text is None:
        return ()
    document = codec.read_mapping(text, source)
    entries = document.get("entries")
    if (
        document.get("schema") != HISTORY_SCHEMA
        or not isinstance(entries, list)
        or not all(isinstance(entry, dict) for entry in entries)
    ):
        raise RecordError(
            f"{source}: expected schema {HISTORY_SCHEMA} with a list of entries; it is left unchanged: "
            "run the version that wrote it, or delete it to start from scratch (keep a copy)"
        )
    return tuple(entries)


def grown(entries: tuple[dict[str, Any], ...], target: str, entry: HistoryEntry) -> tuple[dict[str, Any], ...] | None:
    """The entries with one more and the oldest ones left out as the bounds ask, or None if its id is there.

    Those of another version are kept as they are.
    """
    if any(known.get("id") == entry.id for known in entries):
        return None
    kept = (*entries, plain_json(entry))[-ENTRIES_KEPT:]
    while len(kept) > 1 and len(history_text(target, kept)) > BYTES_KEPT:
        kept = kept[1:]
    return kept


def history_text(target: str, entries: tuple[dict[str, Any], ...]) -> bytes:
    """The history document that holds these entries."""
    return codec.encode_mapping({"schema": HISTORY_SCHEMA, "target": target, "entries": list(entries)})
