"""Status and history as tables: within 80 columns the reason stands beneath its row, `wide` has it at the end."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analyzer.model.duration import show_duration

Json = Mapping[str, Any]
Column = tuple[str, Callable[[Json], str]]

_INDENT = "  "


def status_table(statuses: Sequence[Json], *, wide: bool) -> str:
    """Where each release stands, one row each."""
    return _wide(statuses, _STATUS_WIDE) if wide else _narrow(statuses, _STATUS)


def history_table(entries: Sequence[Json], *, wide: bool) -> str:
    """Ended releases, one row each."""
    return _wide(entries, _HISTORY_WIDE) if wide else _narrow(entries, _HISTORY)


def position(status: Json) -> str:
    """The step a release is in, such as 2/5."""
    return f"{status['step']}/{status['steps']}" if status.get("step") else "-"


def pods(status: Json, side: str) -> str:
    """Available of requested replicas of a side, such as 3/4."""
    found = status.get("replicas", {}).get(side, {})
    return "-" if found.get("requested") is None else f"{found['available']}/{found['requested']}"


def printable(text: object) -> str:
    """Text of foreign origin (a container's last words), without what could steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in str(text))


def _narrow(rows: Sequence[Json], columns: Sequence[Column]) -> str:
    lines = _rows(rows, columns)
    width = shutil.get_terminal_size().columns
    for number, row in reversed(list(enumerate(rows, start=1))):
        reason = printable(row.get("reason") or "")
        lines[number + 1 : number + 1] = textwrap.wrap(
            reason, max(width, 40), initial_indent=_INDENT, subsequent_indent=_INDENT
        )
    return "\n".join(lines)


def _wide(rows: Sequence[Json], columns: Sequence[Column]) -> str:
    return "\n".join(_rows(rows, (*columns, ("REASON", _plain("reason")))))


def _rows(rows: Sequence[Json], columns: Sequence[Column]) -> list[str]:
    table = [[name for name, _ in columns], *([show(row) for _, show in columns] for row in rows)]
    widths = [max(len(cells[index]) for cells in table) for index in range(len(columns))]
    return [
        _INDENT.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in table
    ]


def _plain(name: str, unit: str = "") -> Callable[[Json], str]:
    return lambda row: "-" if row.get(name) is None else printable(f"{row[name]}{unit}")


def _share(status: Json) -> str:
    share = status.get("observedShare")
    return "-" if share is None else f"{share:.1%}"


def _minute(name: str) -> Callable[[Json], str]:
    """A moment to the minute, in UTC."""
    return lambda row: "-" if row.get(name) is None else str(row[name])[:16].replace("T", " ") + "Z"


def _length(name: str) -> Callable[[Json], str]:
    return lambda row: "-" if row.get(name) is None else show_duration(row[name])


_STATUS: tuple[Column, ...] = (
    ("TARGET", _plain("target")),
    ("PHASE", _plain("phase")),
    ("STEP", position),
    ("SHARE", _share),
    ("STABLE", lambda row: pods(row, "stable")),
    ("CANARY", lambda row: pods(row, "canary")),
    ("VERDICT", _plain("verdict")),
)
_STATUS_WIDE: tuple[Column, ...] = (
    ("NAMESPACE", _plain("namespace")),
    *_STATUS[:3],
    ("WEIGHT", _plain("weight", "%")),
    *_STATUS[3:],
    ("RELEASE", _plain("release")),
    ("OUTCOME", _plain("outcome")),
    ("UPDATED", _plain("updatedAt")),
)
_HISTORY: tuple[Column, ...] = (
    ("ENDED", _minute("endedAt")),
    ("RELEASE", _plain("id")),
    ("RESULT", _plain("result")),
    ("TOOK", _length("seconds")),
    ("CULPRIT", _plain("culprit")),
)
_HISTORY_WIDE: tuple[Column, ...] = (
    ("ENDED", _plain("endedAt")),
    ("TARGET", _plain("target")),
    *_HISTORY[1:4],
    ("TO-ABORT", _length("secondsToAbort")),
    ("TO-SAFE", _length("secondsToSafe")),
    _HISTORY[4],
)
