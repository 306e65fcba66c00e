"""Which canary pods were measured, and which are silent. Called with each block's sides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

SILENT_BLOCKS = 3
"""A pod is silent after at least this many blocks ..."""

SILENT_SECONDS = 60.0
"""... and at least this long."""


class Attendance(Protocol):
    """A side of a block: which pods were measured, and which were absent and why."""

    @property
    def pods(self) -> Mapping[str, object]:
        """Pods that were measured."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """Pods that should have been."""
        ...


@dataclass(frozen=True, slots=True)
class Presence:
    """`expected`: canary pods of the latest block that expected any. `measured`: those that were in a block
    that counted. `absent_for`: for how many blocks in a row a pod has been absent while stable was
    measured."""

    expected: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()
    absent_for: Mapping[str, int] = field(default_factory=dict)

    @property
    def covered(self) -> bool:
        """Has every canary pod that is still expected been in at least one full block with data?

        A pod that came and went without data does not count: it cannot be measured any more.
        """
        return bool(self.expected) and self.expected <= self.measured

    def silent(self, block: float) -> tuple[str, ...]:
        """Canary pods without data for the longer of 3 blocks and 60 s (`block`: its length in seconds)."""
        enough = max(SILENT_BLOCKS, math.ceil(SILENT_SECONDS / block))
        return tuple(sorted(pod for pod, blocks in self.absent_for.items() if blocks >= enough))


def seen(before: Presence, canary: Attendance, stable: Attendance, *, counted: bool) -> Presence:
    """Take note of one more block; `counted` says whether it was evidence."""
    expected = frozenset(canary.pods) | frozenset(canary.absent) or before.expected
    fresh = frozenset(canary.pods) - before.measured if counted else frozenset()
    absent_for = {pod: before.absent_for.get(pod, 0) + 1 for pod in canary.absent} if stable.pods else {}
    return Presence(
        expected=expected if expected != before.expected else before.expected,
        measured=before.measured | fresh if fresh else before.measured,
        absent_for=absent_for,
    )


def missing_share(present: int, absent: int) -> float:
    """The share of expected pod measurements that are absent, 0 to 1; 0 where none was expected."""
    expected = present + absent
    return absent / expected if expected else 0.0
