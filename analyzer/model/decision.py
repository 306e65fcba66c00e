"""What one tick decided, and the state to save before and after its write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from analyzer.model.phase import Phase
from analyzer.model.state import TargetState
from analyzer.model.workload import Move, Scale, WriteTemplate


class Action(StrEnum):
    """What a tick does with the release."""

    HOLD = "HOLD"
    ADVANCE = "ADVANCE"
    PROMOTE = "PROMOTE"
    ROLLBACK = "ROLLBACK"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of phase, for Events, alerts and history."""

    before: Phase
    after: Phase
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """An action with its reason, at most one absolute write, and the state to save.

    Save `intent` before `move` is applied and `next_state` after it. `notes` are what else happened in this tick.
    """

    action: Action
    reason: str
    state: TargetState
    move: Move | None = None
    transitions: tuple[Transition, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def intent(self) -> TargetState:
        """The state to save before the write: it names the write that is about to be made."""
        return replace(self.state, intent=self.move)

    @property
    def next_state(self) -> TargetState:
        """The state to save after the write was made."""
        return settle(self.intent)


def settle(state: TargetState) -> TargetState:
    """The state once its intended write is known to have been made."""
    done = replace(state, intent=None)
    match state.intent:
        case Scale() as move if state.expected is not None:
            return replace(done, expected=state.expected.with_side(move.side, move.after))
        case WriteTemplate() as move if state.release is not None and move.template.hash == state.release.canary.hash:
            return done.with_release(replace(state.release, written=True))
        case _:
            return done
