"""A `ReleaseStore` in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from analyzer.model.errors import StaleStateError
from analyzer.model.state import Command, Stored, TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.record import codec, history


class MemoryStore:
    """Keeps documents as the bytes that a real store would write, so what can't be written fails here too.

    `fail_with` makes every call raise that error until it is None again; `status` and `history` show what was
    written, and `submit` plays the operator. `writes` counts state documents written.
    """

    def __init__(self) -> None:
        self.fail_with: Exception | None = None
        self.writes = 0
        self._states: dict[str, bytes] = {}
        self._versions: dict[str, str] = {}
        self._status: dict[str, bytes] = {}
        self._history: dict[str, bytes] = {}
        self._commands: dict[str, list[Command]] = {}

    def targets(self) -> Sequence[str]:
        self._fail()
        return sorted(self._states)

    def load(self, target: str) -> Stored | None:
        self._fail()
        text = self._states.get(target)
        if text is None:
            return None
        return Stored(codec.decode(text, f"memory:state/{target}"), self._versions[target])

    def save(self, state: TargetState, version: str | None) -> str:
        self._fail()
        present = self._versions.get(state.target)
        if present != version:
            raise StaleStateError(f"memory:state/{state.target}: expected version {version}, found {present}")
        self.writes += 1
        self._states[state.target] = codec.encode(state)
        self._versions[state.target] = str(self.writes)
        return self._versions[state.target]

    def publish(self, target: str, status: StatusDocument) -> None:
        self._fail()
        self._status[target] = codec.encode_status(status)

    def append_history(self, target: str, entry: HistoryEntry) -> None:
        self._fail()
        kept = history.grown(self.history(target), target, entry)
        if kept is not None:
            self._history[target] = history.history_text(target, kept)

    def commands(self, target: str) -> Sequence[Command]:
        self._fail()
        return sorted(self._commands.get(target, []), key=lambda command: (command.at, command.id))

    def status(self, target: str) -> dict[str, Any] | None:
        text = self._status.get(target)
        return None if text is None else json.loads(text)

    def history(self, target: str) -> tuple[dict[str, Any], ...]:
        return history.read_history(self._history.get(target), f"memory:history/{target}")

    def submit(self, target: str, command: Command) -> None:
        self._commands.setdefault(target, []).append(
            codec.decode_command(codec.encode_command(command), f"memory:commands/{target}")
        )

    def put(self, target: str, document: bytes) -> None:
        """Put a state document there that nobody may have written properly."""
        self._states[target] = document
        self._versions[target] = "by hand"

    def document(self, target: str) -> bytes:
        """The state document as it is."""
        return self._states[target]

    def _fail(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
