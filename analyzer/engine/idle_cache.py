"""Idle targets at which nothing has changed since the last tick: they need no new decision. The tick asks.

Of an idle target a decision follows from the state, both Deployments, the commands and the admission, and not from the
time (a property test checks this). Of thousands of targets most are idle, and few of those change.
"""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.model.report import Report
from analyzer.model.state import Command, TargetState
from analyzer.model.workload import Snapshot


@dataclass(frozen=True, slots=True)
class IdleSnapshot:
    """The input of a tick that changed nothing, and its report.

    The state is compared by identity: during one epoch no other daemon writes it, and each write of ours is a new one.
    """

    epoch: int
    state: TargetState
    snapshot: Snapshot
    commands: tuple[Command, ...]
    report: Report

    def unchanged(self, epoch: int | None, state: TargetState | None, snapshot: Snapshot, commands: object) -> bool:
        """Would a tick decide the same now?"""
        same = (snapshot, commands) == (self.snapshot, self.commands)
        return same and epoch == self.epoch and state is self.state


class IdleCache:
    """Idle targets by name. Thread-safe."""

    def __init__(self) -> None:
        self._found: dict[str, IdleSnapshot] = {}

    def of(self, target: str) -> IdleSnapshot | None:
        """The input of this target's last tick, if that changed nothing."""
        return self._found.get(target)

    def note(self, target: str, idle: IdleSnapshot) -> None:
        """A tick of this target changed nothing."""
        self._found[target] = idle

    def forget(self, target: str) -> None:
        """The target is not idle, or no longer configured."""
        self._found.pop(target, None)
