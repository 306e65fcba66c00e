"""Where a key stands: file, line and path. Every mistake is reported with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analyzer.model.errors import Problem

KeyPath = tuple[str | int, ...]
"""Keys of mappings and indices of lists, from the root."""


def show_path(path: KeyPath) -> str:
    """The path as people write it: canaries[0].plan.steps[1].hold."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class FilePosition:
    """One spot in the configuration; `line` counts from 1."""

    file: str
    line: int | None = None
    path: KeyPath = ()

    def problem(self, message: str) -> Problem:
        """A mistake at this place."""
        return Problem(self.file, self.line, show_path(self.path), message)

    def seen_from(self, other: FilePosition) -> str:
        """How a message at another place names this one."""
        return f"on line {self.line}" if self.file == other.file else f"in {self.file}:{self.line}"


Locate = Callable[[KeyPath], FilePosition]
"""Finds where a path of some value stands in the files."""
