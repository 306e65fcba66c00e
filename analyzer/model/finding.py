"""What was found out about a target's surroundings before a release: what stops it, and what people should know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingLevel(StrEnum):
    """ERROR: a release of this target can't begin. WARNING: it can, and people should know."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: which check found it, what is so, and what to do about it."""

    check: str
    level: FindingLevel
    message: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}; {self.way_out}"
