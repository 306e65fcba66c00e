"""From what pods measured to what a side adds to the evidence. Called by `ratio`.

Counts that can't be true (not a number, negative, more events than requests) make that pod absent in that
block, with the reason; they never reach the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from analyzer.model.block import Counts, SideBlock

MOST = 2.0**53
"""Above this, counters no longer count one by one."""


def sound(side: SideBlock) -> SideBlock:
    """The side with every pod whose counts can't be true moved to its absent ones."""
    wrong = {pod: reason for pod, counts in side.pods.items() if (reason := _mistake(counts)) is not None}
    if not wrong:
        return side
    pods = {pod: counts for pod, counts in side.pods.items() if pod not in wrong}
    return SideBlock(pods=pods, absent={**side.absent, **wrong})


def summed(pods: Iterable[Counts]) -> Counts:
    """The sum, exactly the same in whatever order the pods come."""
    each = tuple(pods)
    return Counts(math.fsum(one.events for one in each), math.fsum(one.total for one in each))


def taken_later(stable: SideBlock, later: SideBlock | None) -> Counts | None:
    """The sum over stable's pods with their end taken later; None while one of them is not known yet."""
    if later is None:
        return None
    checked = sound(later).pods
    if any(pod not in checked for pod in stable.pods):
        return None
    total = summed(checked[pod] for pod in stable.pods)
    return total if total.total > 0 else None


def _mistake(counts: Counts) -> str | None:
    events, total = counts.events, counts.total
    if 0 <= events <= total <= MOST:
        return None
    return f"counts can't be true: {events:g} events of {total:g} (expected 0 <= events <= total <= 2^53)"
