"""Status and history as tables: within 80 columns the reason is on lines beneath its row, `wide` has it at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from analyzer.model.moments import short_duration
from analyzer.model.numbers import percent
from analyzer.model.status_document import DeploymentDocument, HistoryEntry, StatusDocument
from analyzer.record.explanation import first_sentence, short_reason, wrap

Row = TypeVar("Row")
Columns = Sequence[tuple[str, Callable[[Row], str]]]

_INDENT = "  "


def status_table(statuses: Sequence[StatusDocument], now: datetime, *, wide: bool) -> str:
    """The state of each target, one row each; ages are as of `now`."""
    if not wide:
        return _narrow(statuses, _STATUS, short_reason)
    return _wide(statuses, (*_STATUS_WIDE, ("UPDATED", lambda status: _age(status.updated_at, now))), short_reason)


def history_table(entries: Sequence[HistoryEntry], *, wide: bool) -> str:
    """Ended releases, one row each."""
    return _wide(entries, _HISTORY_WIDE, _ended_by) if wide else _narrow(entries, _HISTORY, _ended_by)


def position(status: StatusDocument) -> str:
    """The step a release is in, such as 2/5."""
    return f"{status.step}/{status.steps}" if status.step else "-"


def pods(side: DeploymentDocument) -> str:
    """Available of requested replicas of a side, such as 3/4."""
    return "-" if side.requested is None else f"{side.available}/{side.requested}"


def printable(text: object) -> str:
    """Text of foreign origin (a container's last words), without what could steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in str(text))


def _narrow(rows: Sequence[Row], columns: Columns[Row], reason: Callable[[Row], str]) -> str:
    lines = _rows(rows, columns)
    width = shutil.get_terminal_size().columns
    for number, row in reversed(list(enumerate(rows, start=1))):
        lines[number + 1 : number + 1] = wrap(printable(reason(row)), width, hanging=0)
    return "\n".join(lines)


def _wide(rows: Sequence[Row], columns: Columns[Row], reason: Callable[[Row], str]) -> str:
    return "\n".join(_rows(rows, (*columns, ("REASON", lambda row: printable(reason(row))))))


def _ended_by(entry: HistoryEntry) -> str:
    return first_sentence(entry.reason)


def _rows(rows: Sequence[Row], columns: Columns[Row]) -> list[str]:
    table = [[name for name, _ in columns], *([show(row) for _, show in columns] for row in rows)]
    widths = [max(len(cells[index]) for cells in table) for index in range(len(columns))]
    return [
        _INDENT.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in table
    ]


def _text(value: str | None) -> str:
    return "-" if value is None else printable(value)


def _share(status: StatusDocument) -> str:
    share = status.observed_share
    over = status.outcome or status.phase.rolling_back  # versions before wrote an old share then
    return "-" if share is None or over else _cell(percent(share))


def _weight(status: StatusDocument) -> str:
    return "-" if status.weight is None else _cell(percent(status.weight / 100))


def _cell(text: str) -> str:
    """Without spaces, so that programs can split a row into its columns."""
    return text.replace(" ", "")


def _age(moment: datetime | None, now: datetime) -> str:
    return "-" if moment is None else f"{_length((now - moment).total_seconds())} ago"


def _minute(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%MZ}"


def _length(seconds: float | None) -> str:
    return "-" if seconds is None else short_duration(timedelta(seconds=max(seconds, 0.0)))


_STATUS: Columns[StatusDocument] = (
    ("TARGET", lambda status: _text(status.target)),
    ("PHASE", lambda status: _text(status.phase)),
    ("STEP", position),
    ("SHARE", _share),
    ("STABLE", lambda status: pods(status.replicas.stable)),
    ("CANARY", lambda status: pods(status.replicas.canary)),
    ("VERDICT", lambda status: _text(status.verdict)),
)
_STATUS_WIDE: Columns[StatusDocument] = (
    ("NAMESPACE", lambda status: _text(status.namespace)),
    *_STATUS[:3],
    ("WEIGHT", _weight),
    *_STATUS[3:],
    ("RELEASE", lambda status: _text(status.release)),
    ("OUTCOME", lambda status: _text(status.outcome)),
)
_HISTORY: Columns[HistoryEntry] = (
    ("ENDED", lambda entry: _minute(entry.ended_at)),
    ("RELEASE", lambda entry: _text(entry.id)),
    ("RESULT", lambda entry: _text(entry.result)),
    ("TOOK", lambda entry: _length(entry.seconds)),
    ("CULPRIT", lambda entry: _text(entry.culprit)),
)
_HISTORY_WIDE: Columns[HistoryEntry] = (
    ("ENDED", lambda entry: _minute(entry.ended_at)),
    ("TARGET", lambda entry: _text(entry.target)),
    *_HISTORY[1:4],
    ("TO-ABORT", lambda entry: _length(entry.seconds_to_abort)),
    ("TO-SAFE", lambda entry: _length(entry.seconds_to_safe)),
    _HISTORY[4],
)
