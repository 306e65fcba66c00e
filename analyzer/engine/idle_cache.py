"""Targets at rest at which nothing has changed since the last look: nothing has to be decided anew. The tick asks.

At rest a decision follows from the document, both Deployments, the commands and what is admitted, and not from the time
(a property test holds the rules to that). Of thousands of targets most are at rest, and few of those change.
"""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.model.state import Command, TargetState
from analyzer.model.workload import Snapshot
from analyzer.ports import Report


@dataclass(frozen=True, slots=True)
class IdleSnapshot:
    """All that a tick went by which left everything as it was, and what it told.

    The document is known by identity: while one epoch lasts nobody else writes it, and every write of ours is a new
    one.
    """

    epoch: int
    state: TargetState
    snapshot: Snapshot
    commands: tuple[Command, ...]
    report: Report

    def goes_on(self, epoch: int | None, state: TargetState | None, snapshot: Snapshot, commands: object) -> bool:
        """Would a tick come to the same now?"""
        alike = (snapshot, commands) == (self.snapshot, self.commands)
        return alike and epoch == self.epoch and state is self.state


class IdleCache:
    """The targets that were found at rest, by name. Thread-safe."""

    def __init__(self) -> None:
        self._found: dict[str, IdleSnapshot] = {}

    def of(self, target: str) -> IdleSnapshot | None:
        """What the last tick of this target went by, if it changed nothing."""
        return self._found.get(target)

    def note(self, target: str, rest: IdleSnapshot) -> None:
        """A tick of this target changed nothing."""
        self._found[target] = rest

    def forget(self, target: str) -> None:
        """It is not at rest, or not configured any more."""
        self._found.pop(target, None)
