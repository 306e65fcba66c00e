"""Status and history as tables: within 80 columns the reason is on lines beneath its row, `wide` has it at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from analyzer.model.duration import show_duration
from analyzer.model.moments import round_duration
from analyzer.model.numbers import percent
from analyzer.record.explanation import first_sentence, short_reason, wrap

Json = Mapping[str, Any]
Column = tuple[str, Callable[[Json], str]]

_INDENT = "  "


def status_table(statuses: Sequence[Json], now: datetime, *, wide: bool) -> str:
    """The state of each target, one row each; ages are as of `now`."""
    updated = ("UPDATED", lambda status: _age(status.get("updatedAt"), now))
    return _wide(statuses, (*_STATUS_WIDE, updated), short_reason) if wide else _narrow(statuses, _STATUS, short_reason)


def history_table(entries: Sequence[Json], *, wide: bool) -> str:
    """Ended releases, one row each."""
    return _wide(entries, _HISTORY_WIDE, _ended_by) if wide else _narrow(entries, _HISTORY, _ended_by)


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


def _narrow(rows: Sequence[Json], columns: Sequence[Column], reason: Callable[[Json], str]) -> str:
    lines = _rows(rows, columns)
    width = shutil.get_terminal_size().columns
    for number, row in reversed(list(enumerate(rows, start=1))):
        lines[number + 1 : number + 1] = wrap(printable(reason(row)), width, hanging=0)
    return "\n".join(lines)


def _wide(rows: Sequence[Json], columns: Sequence[Column], reason: Callable[[Json], str]) -> str:
    return "\n".join(_rows(rows, (*columns, ("REASON", lambda row: printable(reason(row))))))


def _ended_by(entry: Json) -> str:
    return first_sentence(str(entry.get("reason") or ""))


def _rows(rows: Sequence[Json], columns: Sequence[Column]) -> list[str]:
    table = [[name for name, _ in columns], *([show(row) for _, show in columns] for row in rows)]
    widths = [max(len(cells[index]) for cells in table) for index in range(len(columns))]
    return [
        _INDENT.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in table
    ]


def _plain(name: str) -> Callable[[Json], str]:
    return lambda row: "-" if row.get(name) is None else printable(row[name])


def _share(status: Json) -> str:
    share = status.get("observedShare")
    over = status.get("outcome") or status.get("phase") == "ROLLING_BACK"  # versions before wrote an old share then
    return "-" if share is None or over else _cell(percent(share))


def _weight(status: Json) -> str:
    weight = status.get("weight")
    return "-" if weight is None else _cell(percent(weight / 100))


def _cell(text: str) -> str:
    """Without spaces, so that programs can split a row into its columns."""
    return text.replace(" ", "")


def _age(moment: str | None, now: datetime) -> str:
    if moment is None:
        return "-"
    return f"{_rounded((now - datetime.fromisoformat(moment)).total_seconds())} ago"


def _minute(name: str) -> Callable[[Json], str]:
    """A moment to the minute, in UTC."""
    return lambda row: "-" if row.get(name) is None else str(row[name])[:16].replace("T", " ") + "Z"


def _length(name: str) -> Callable[[Json], str]:
    return lambda row: "-" if row.get(name) is None else _rounded(row[name])


def _rounded(seconds: float) -> str:
    return show_duration(round_duration(timedelta(seconds=max(seconds, 0.0))))


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
    ("WEIGHT", _weight),
    *_STATUS[3:],
    ("RELEASE", _plain("release")),
    ("OUTCOME", _plain("outcome")),
)
_HISTORY: tuple[Column, ...] = (
    ("ENDED", _minute("endedAt")),
    ("RELEASE", _plain("id")),
    ("RESULT", _plain("result")),
    ("TOOK", _length("seconds")),
    ("CULPRIT", _plain("culprit")),
)
_HISTORY_WIDE: tuple[Column, ...] = (
    ("ENDED", _minute("endedAt")),
    ("TARGET", _plain("target")),
    *_HISTORY[1:4],
    ("TO-ABORT", _length("secondsToAbort")),
    ("TO-SAFE", _length("secondsToSafe")),
    _HISTORY[4],
)
