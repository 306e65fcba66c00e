"""In which order blocks may be folded; shared by every kind of metric."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Starts:
    """First block that counts against the canary, and first one that counts for it (None: not yet known)."""

    abort: int
    proof: int | None = None


class FoldOrder(StrEnum):
    """What to do with a block."""

    EARLY = "early"
    NEXT = "next"
    AGAIN = "again"


def place(index: int, last: int | None, starts: Starts) -> FoldOrder:
    """Where block `index` stands after block `last` (None: nothing was folded yet).

    EARLY: before the step began, to be ignored. NEXT: new. AGAIN: another version of the latest one, to
    replace it. Raises ValueError for a block that is older than the latest or that leaves out blocks of the
    step.
    """
    if last is not None and index < last:
        raise ValueError(f"block {index} comes after block {last} was folded: blocks must be in order")
    expected = starts.abort if last is None else max(starts.abort, last + 1)
    if index > expected:
        raise ValueError(f"block {index} leaves out blocks {expected} to {index - 1}: fold them first")
    if index < starts.abort:
        return FoldOrder.EARLY
    return FoldOrder.AGAIN if index == last else FoldOrder.NEXT
