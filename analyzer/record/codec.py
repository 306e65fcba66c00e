"""Turns our values into JSON that people can read, and back. Every store uses it, so that all documents are alike.

A state document holds all that must survive a kill, so reading is unforgiving: a newer schema, a wrong shape or an
entry that this version does not know is a RecordError, and the caller leaves the document as it is. Status and history
are only shown: keys that this version does not know are ignored, and those that came later have defaults.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from analyzer.model.errors import RecordError
from analyzer.model.plain_json import plain_json
from analyzer.model.state import SCHEMA, Command, TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument

_STATE = TypeAdapter(TargetState)
_COMMAND = TypeAdapter(Command)
_STATUS = TypeAdapter(StatusDocument)
_ENTRY = TypeAdapter(HistoryEntry)
_PROBLEMS_SHOWN = 3

COMMAND_HINT = "submit commands with `canary-analyzer`, and delete this entry"
"""What to do about a command that cannot be read."""


T = TypeVar("T")


def encode(state: TargetState) -> bytes:
    """The state document as indented JSON: times in ISO 8601, lengths of time as ISO 8601 durations."""
    return _text(_STATE.dump_python(state))


def decode(text: bytes, source: str) -> TargetState:
    """Read a state document; `source` says where it is. Raises RecordError."""
    document = read_mapping(text, source)
    schema = document.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise RecordError(
            f"{source}: written by a newer version (schema {schema}, this version reads up to {SCHEMA}); "
            "run that version again, or finish the release by hand and delete the document"
        )
    state = _validated(lambda: _STATE.validate_json(text), source, _WAY_OUT)
    _refuse_unknown(document, json.loads(encode(state)), source)
    return state


def encode_command(command: Command) -> bytes:
    """One command as indented JSON."""
    return _text(_COMMAND.dump_python(command))


def decode_command(text: bytes, source: str) -> Command:
    """Read one command; `source` says where it is. Raises RecordError."""
    return _validated(lambda: _COMMAND.validate_json(text), source, _WAY_OUT)


def encode_status(status: StatusDocument) -> bytes:
    """A status document as indented JSON."""
    return _text(plain_json(status))


def decode_status(document: dict[str, Any], source: str) -> StatusDocument:
    """A status document of this version or another; `source` says where it is. Raises RecordError."""
    return _validated(lambda: _STATUS.validate_python(document), source, _OTHER_VERSION)


def decode_entry(document: dict[str, Any], source: str) -> HistoryEntry:
    """An entry of a history, of this version or another; `source` says where it is. Raises RecordError."""
    return _validated(lambda: _ENTRY.validate_python(document), source, _OTHER_VERSION)


def encode_mapping(document: dict[str, Any]) -> bytes:
    """A history document as indented JSON."""
    return _text(document)


def read_mapping(text: bytes, source: str) -> dict[str, Any]:
    """Read any JSON object; `source` says where it is. Raises RecordError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{source}: expected JSON, found {_excerpt(text)} ({error}); {_WAY_OUT}") from error
    if not isinstance(document, dict):
        raise RecordError(f"{source}: expected a JSON object, found a {type(document).__name__}; {_WAY_OUT}")
    return document


_WAY_OUT = "it is left unchanged: repair it, or delete it to start from scratch (keep a copy)"
_OTHER_VERSION = (
    "it was written by another version or edited: use the same version for the daemon and this program, or delete it: "
    "the daemon writes it again with the next change"
)


def _text(value: Any) -> bytes:
    return to_json(value, indent=1, inf_nan_mode="strings") + b"\n"


def _validated(read: Callable[[], T], source: str, way_out: str) -> T:
    try:
        return read()
    except ValidationError as error:
        problems = [f"{_path(one['loc'])}: {one['msg']}" for one in error.errors(include_url=False)]
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        shown = "; ".join(problems[:_PROBLEMS_SHOWN])
        raise RecordError(f"{source}: unexpected content ({count}): {shown}; {way_out}") from error


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "document"


def _excerpt(text: bytes) -> str:
    return repr(text[:40].decode("utf-8", "replace")) if text.strip() else "an empty document"


def _refuse_unknown(found: Any, understood: Any, source: str, path: str = "") -> None:
    """Refuse entries that reading would drop: saving the document again would lose them for good."""
    if isinstance(found, dict) and isinstance(understood, dict):
        for key, value in found.items():
            here = f"{path}.{key}" if path else key
            if key not in understood:
                raise RecordError(f"{source}: {here}: unknown key, perhaps from a newer version; {_WAY_OUT}")
            _refuse_unknown(value, understood[key], source, here)
    elif isinstance(found, list) and isinstance(understood, list):
        for index, (one, other) in enumerate(zip(found, understood, strict=True)):
            _refuse_unknown(one, other, source, f"{path}.{index}")
