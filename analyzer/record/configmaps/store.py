"""The daemon's documents as ConfigMaps in the analyzer's own namespace."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analyzer.kube.objects import Api
from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.metadata_keys import entries, values_of
from analyzer.model.plain_json import plain_json
from analyzer.model.state import Command, Stored, TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.ports import Clock, Lease
from analyzer.record import codec, history
from analyzer.record.configmaps import names
from analyzer.record.configmaps.commands import CommandReader, Lookup
from analyzer.record.configmaps.maps import DocumentMaps, Held, Page
from analyzer.record.configmaps.memory import Memory, Overview
from analyzer.record.configmaps.names import DocumentKind

STATUS_SCHEMA = 1
"""Version of the status document, in its annotation. One with a higher one is never overwritten."""

ARCHIVED = "archived"
"""Annotation of the status: the last release that is in the history, so that a restart need not read it."""

_MOMENT = "updatedAt"
"""The only field of a status that always changes."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class StoreContext:
    """What the store needs beside the API server: who may write, time, where commands are looked up, and in which
    namespace those of a target stand (None: it is not configured)."""

    lease: Lease
    clock: Clock
    lookup: Lookup
    namespace_of: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _WrittenStatus:
    """`current`: see `Held`."""

    version: str
    schema: int
    fingerprint: str
    archived: str | None
    current: bool = True


class ConfigMapStore:
    """A `ReleaseStore` over ConfigMaps. A version is a resourceVersion. Thread-safe.

    After the first look under an epoch nothing is read again, but for a document that could not be read or written:
    see `memory`.
    """

    def __init__(self, api: Api, namespace: str, around: StoreContext) -> None:
        self._maps = DocumentMaps(api, namespace)
        self._commands = CommandReader(around.lookup)
        self._namespace_of = around.namespace_of
        self._lease = around.lease
        self._states = Memory(self._all_states, self._state, around.lease, around.clock)
        self._statuses = Memory(self._all_statuses, self._published, around.lease, around.clock)
        self._archived: dict[str, str] = {}

    def targets(self) -> Sequence[str]:
        """Every target that has a state document, by name. Raises RecordError."""
        return self._states.names()

    def load(self, target: str) -> Stored | None:
        """The state document, or None. Raises RecordError."""
        return self._states.get(target)

    def save(self, state: TargetState, version: str | None) -> str:
        """Write the state document if it still has `version`; gives the new one.

        Raises StaleStateError, RecordError.
        """
        summary = entries(names.SUMMARY, names.summary_of(state.phase, state.reason))
        page = Page(DocumentKind.STATE, state.target, codec.encode(state), annotations=summary)
        try:
            written = self._maps.write(page, version)
        except RecordError:
            self._states.doubt(state.target)
            raise
        self._states.put(state.target, Stored(state, written))
        return written

    def publish(self, target: str, status: StatusDocument) -> None:
        """Write the status document, unless all that it says stands there; only while the Lease is held.

        Raises RecordError.
        """
        archived = self._archived.get(target)
        for tries_left in reversed(range(_TRIES)):
            if self._lease.held() is None:  # a holder that stood still for a while would tell old news over the new
                raise RecordError(f"status document of {target} not written: this daemon does not hold the Lease")
            known = self._statuses.get(target)
            fingerprint = _fingerprint(plain_json(status))
            wanted = _WrittenStatus("", STATUS_SCHEMA, fingerprint, archived or (known.archived if known else None))
            if known is not None and _same(known, wanted):
                return
            _refuse_newer(target, known)
            try:
                written = self._maps.write(_status_page(target, status, wanted), known.version if known else None)
            except RecordError as error:
                self._statuses.doubt(target)
                if isinstance(error, StaleStateError) and tries_left:
                    continue
                raise
            self._statuses.put(target, _WrittenStatus(written, wanted.schema, wanted.fingerprint, wanted.archived))
            return

    def append_history(self, target: str, entry: HistoryEntry) -> None:
        """Add an ended release, unless its id is there already. Raises RecordError."""
        known = self._statuses.get(target)
        if known is not None and known.archived == entry.id:
            return
        for tries_left in reversed(range(_TRIES)):
            held = self._maps.get(DocumentKind.HISTORY, target)
            entries = history.read_history(held.text, held.source) if held else ()
            kept = history.grown(entries, target, entry)
            try:
                if kept is not None:
                    page = Page(DocumentKind.HISTORY, target, history.history_text(target, kept))
                    self._maps.write(page, held.version if held else None)
            except StaleStateError:
                if not tries_left:
                    raise
                continue
            self._archived[target] = entry.id
            return

    def commands(self, target: str) -> Sequence[Command]:
        """The commands on file, oldest first; raises RecordError when they cannot be read."""
        namespace = self._namespace_of(target) or self._namespace_on_record(target)
        return list(self._commands.commands(target, namespace)) if namespace else []

    def _namespace_on_record(self, target: str) -> str | None:
        """Where a target stood whose release goes on although it was taken out of the configuration."""
        stored = self._states.get(target)
        return stored.state.release.namespace if stored is not None and stored.state.release is not None else None

    def _all_states(self) -> Overview[Stored]:
        known: dict[str, Stored] = {}
        unclear = set()
        for held in self._maps.all(DocumentKind.STATE):
            try:
                known[held.target] = _stored(held)
            except RecordError:  # said by `load`, each time
                unclear.add(held.target)
        return Overview(known, frozenset(unclear - known.keys()))

    def _state(self, target: str) -> Stored | None:
        held = self._maps.get(DocumentKind.STATE, target)
        return None if held is None else _stored(held)

    def _all_statuses(self) -> Overview[_WrittenStatus]:
        return Overview({held.target: _as_published(held) for held in self._maps.all(DocumentKind.STATUS)})

    def _published(self, target: str) -> _WrittenStatus | None:
        held = self._maps.get(DocumentKind.STATUS, target)
        return None if held is None else _as_published(held)


def _stored(held: Held) -> Stored:
    state = codec.decode(held.text, held.source)
    if state.target != held.target:
        raise RecordError(
            f"{held.source}: expected the state of {held.target}, found that of {state.target}; it is left unchanged: "
            "repair it, or delete it to start from scratch (keep a copy)"
        )
    return Stored(state, held.version)


def _as_published(held: Held) -> _WrittenStatus:
    schemas = [int(one) for one in values_of(held.annotations, names.SCHEMA) if one.isdigit()]
    archived, *_ = (*values_of(held.annotations, ARCHIVED), None)
    try:
        fingerprint = _fingerprint(codec.read_mapping(held.text, held.source))
    except RecordError:  # nothing in it is needed: it is written anew
        fingerprint = ""
    return _WrittenStatus(held.version, max(schemas, default=0), fingerprint, archived, held.current)


def _fingerprint(status: Mapping[str, Any]) -> str:
    fields = {key: value for key, value in status.items() if key != _MOMENT}
    return hashlib.sha256(codec.encode_mapping(fields)).hexdigest()


def _same(known: _WrittenStatus, wanted: _WrittenStatus) -> bool:
    return replace(known, version=wanted.version) == wanted


def _refuse_newer(target: str, known: _WrittenStatus | None) -> None:
    if known is not None and known.schema > STATUS_SCHEMA:
        raise RecordError(
            f"the status document of {target} was written by a newer version (schema {known.schema}, this version "
            f"writes {STATUS_SCHEMA}); it is left unchanged: run that version again, or delete it"
        )


def _status_page(target: str, status: StatusDocument, wanted: _WrittenStatus) -> Page:
    annotations = {
        **entries(names.SCHEMA, str(wanted.schema)),
        **entries(names.SUMMARY, names.summary_of(status.phase, status.reason)),
    }
    if wanted.archived is not None:
        annotations |= entries(ARCHIVED, wanted.archived)
    return Page(DocumentKind.STATUS, target, codec.encode_status(status), names.columns_of(status), annotations)
