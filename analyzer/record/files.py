"""The documents as files in one folder: what the sandbox's daemon writes, and what the command line reads.

state/TARGET.json   status/TARGET.json   history/TARGET.json   commands/TARGET/ID.json   locks/TARGET
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import structlog

from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.state import Command, Stored, TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.record import atomic, codec, commands, history
from analyzer.record.published import Published

_log = structlog.get_logger(__name__)


class FileStore:
    """A `ReleaseStore` over a folder, which is made when something is first written.

    A version is the hash of the document's bytes, so a change by hand is noticed like any other. Saving compares
    and replaces under a lock: of two processes that read the same version, one wins.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._unreadable: set[str] = set()

    def load(self, target: str) -> Stored | None:
        """The state document, or None. Raises RecordError."""
        path = self._path("state", target)
        text = atomic.read(path)
        return None if text is None else Stored(codec.decode(text, str(path)), _version(text))

    def save(self, state: TargetState, version: str | None) -> str:
        """Write the state document if it still has `version`; gives the new one.

        Raises StaleStateError, RecordError.
        """
        path = self._path("state", state.target)
        text = codec.encode(state)
        with self._locked(state.target):
            found = atomic.read(path)
            present = None if found is None else _version(found)
            if present != version:
                raise StaleStateError(
                    f"{path}: expected version {version or 'none'}, found {present or 'none'}: another process "
                    "wrote it; it is read again at the next tick"
                )
            atomic.replace(path, text)
        return _version(text)

    def publish(self, target: str, status: StatusDocument) -> None:
        """Write the status document. Raises RecordError."""
        path = self._path("status", target)
        with self._locked(target):
            atomic.replace(path, codec.encode_status(status))

    def status(self, target: str) -> Published | None:
        """The status document, or None. Raises RecordError."""
        return self._published("status", target)

    def statuses(self) -> list[Published]:
        """Every status document, by target. Raises RecordError."""
        found = (self.status(path.stem) for path in atomic.documents(self._directory / "status"))
        return [status for status in found if status is not None]

    def append_history(self, target: str, entry: HistoryEntry) -> None:
        """Add an ended release, unless its id is there already. Raises RecordError."""
        path = self._path("history", target)
        with self._locked(target):
            kept = history.grown(history.read_history(atomic.read(path), str(path)), target, entry)
            if kept is not None:
                atomic.replace(path, history.history_text(target, kept))

    def history(self, target: str) -> Published | None:
        """The document of ended releases, or None. Raises RecordError."""
        return self._published("history", target)

    def commands(self, target: str) -> Sequence[Command]:
        """The commands on file, oldest first; raises RecordError when they cannot be read.

        A file that is no command is left out and logged once: it must not keep a release from being aborted.
        """
        found = []
        for path in commands.files(self._directory, target):
            text = atomic.read(path)
            if text is None:
                continue
            try:
                found.append(codec.decode_command(text, str(path)))
            except RecordError as error:
                self._log_once(path, error)
        return sorted(found, key=lambda command: (command.at, command.id))

    def targets(self) -> tuple[str, ...]:
        """Every target that has a state document, by name. Raises RecordError."""
        return tuple(sorted(path.stem for path in atomic.documents(self._directory / "state")))

    def _published(self, kind: str, target: str) -> Published | None:
        path = self._path(kind, target)
        text = atomic.read(path)
        return None if text is None else Published(target, text, str(path))

    def _path(self, kind: str, target: str) -> Path:
        return self._directory / kind / f"{atomic.safe_name(target)}.json"

    def _locked(self, target: str) -> AbstractContextManager[None]:
        return atomic.locked(self._directory / "locks" / atomic.safe_name(target))

    def _log_once(self, path: Path, error: RecordError) -> None:
        if str(path) not in self._unreadable:
            self._unreadable.add(str(path))
            _log.warning("command_ignored", source=str(path), reason=str(error), hint=codec.COMMAND_HINT)


def _version(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]
