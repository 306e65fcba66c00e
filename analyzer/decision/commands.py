"""Operators' commands: each is carried out or refused once, with an answer that `status` shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from analyzer.decision.context import Context
from analyzer.decision.deadline import time_limit, time_spent
from analyzer.decision.drift import accept_all, accept_replicas
from analyzer.decision.progress import pause
from analyzer.decision.rollback import start_rollback
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode
from analyzer.model.state import (
    EXECUTED_KEPT,
    Cause,
    CauseKind,
    Command,
    ExecutedCommand,
    PauseKind,
    TargetState,
    Verb,
    Version,
)


class _RefusedError(Exception):
    """The command cannot be carried out now; the text says why and what to do."""


def execute(context: Context, commands: Sequence[Command], otherwise: Callable[[Context], Decision]) -> Decision:
    """Carry out the oldest command that is not answered yet and is not refused; else do what `otherwise` says.

    Refusals are answered in the same tick. Only the latest commands count, as many as a document remembers, so that a
    forgotten one is not carried out again.
    """
    answered = {command.id for command in context.state.executed}
    refusals: list[str] = []
    for command in commands[-EXECUTED_KEPT:]:
        if command.id in answered:
            continue
        try:
            choice = _carry_out(context, command)
        except _RefusedError as refusal:
            context = replace(context, state=_answer(context.state, command, str(refusal), accepted=False))
            refusals.append(f"{command.verb} by {command.by} refused: {refusal}")
            continue
        state = _answer(choice.state, command, choice.reason, accepted=True)
        return replace(choice, state=state, notes=(*refusals, *choice.notes))
    choice = otherwise(context)
    return replace(choice, notes=(*refusals, *choice.notes))


def _answer(state: TargetState, command: Command, answer: str, *, accepted: bool) -> TargetState:
    entry = ExecutedCommand(command.id, command.verb, accepted, answer)
    return replace(state, executed=(*state.executed, entry)[-EXECUTED_KEPT:])


def _carry_out(context: Context, command: Command) -> Decision:
    if missing := context.missing:
        raise _RefusedError(f"{missing} not found; create it and try again")
    match command.verb:
        case Verb.START | Verb.RETRY:
            return _begin(context, command)
        case Verb.ABORT if context.state.phase.pending:
            return _cancel_pending(context, command)
    _check_release(context, command)
    match command.verb:
        case Verb.PAUSE:
            return _pause(context, command)
        case Verb.RESUME:
            return _resume(context, command)
        case Verb.PROMOTE:
            return _promote(context, command)
        case _:
            return _abort(context, command)


def _begin(context: Context, command: Command) -> Decision:
    state, version = context.state, context.canary.template.hash
    _check_version(context, command)
    if not state.phase.idle:
        raise _RefusedError(f"a release is already in phase {state.phase}")
    if command.verb is Verb.RETRY and not state.phase.stopped:
        raise _RefusedError(f"expected an aborted release, found phase {state.phase}; use `start`")
    if version == context.stable.template.hash:
        raise _RefusedError(f"stable already runs version {version}; nothing to release")
    forgotten = replace(context, state=replace(state, handled=None))
    return forgotten.go(Phase.PENDING, f"{command.verb} of version {version} requested by {command.by}")


def _cancel_pending(context: Context, command: Command) -> Decision:
    _check_version(context, command)
    handled = Version(context.canary.uid, context.canary.template.hash)
    dropped = replace(context, state=replace(context.state, handled=handled))
    return dropped.go(Phase.IDLE, f"pending version {handled.hash} was cancelled by {command.by}")


def _check_version(context: Context, command: Command) -> None:
    version = context.canary.template.hash
    if command.subject != version:
        raise _RefusedError(
            f"expected version {command.subject} in the canary, found {version}; check `status` and try again"
        )


def _check_release(context: Context, command: Command) -> None:
    release = context.state.release
    if release is not None and context.state.phase.rolling_back:
        raise _RefusedError(f"release {release.id} is already rolling back; a rollback cannot be stopped")
    if release is None or not context.state.phase.active:
        raise _RefusedError(f"no release is in progress (phase {context.state.phase})")
    if command.subject != release.id:
        raise _RefusedError(
            f"expected release {command.subject} in progress, found {release.id}; check `status` and try again"
        )


def _pause(context: Context, command: Command) -> Decision:
    if context.state.phase.paused:
        raise _RefusedError("the release is already paused")
    if context.state.phase.baking or context.release.written:
        raise _RefusedError("both sides already run the new version; only `abort` is possible")
    return pause(context, PauseKind.OPERATOR, f"paused by {command.by}")


def _resume(context: Context, command: Command) -> Decision:
    held, release = context.release.pause, context.release
    if not context.state.phase.paused or held is None:
        raise _RefusedError(f"the release is not paused (phase {context.state.phase})")
    more = command.extend or timedelta(0)
    over = held.kind is PauseKind.INCONCLUSIVE or time_spent(context) >= time_limit(context)
    if over and held.during.clock_runs and more <= timedelta(0):
        raise _RefusedError("deadline exceeded; pass --extend DURATION, for example --extend 1h")
    extended = max(release.extended, time_spent(context) - release.plan.deadline) + more if more else release.extended
    opened = release.gate_open or held.kind is PauseKind.GATE
    clock = replace(release.clock, at=context.now)
    resumed = context.update(pause=None, extended=extended, gate_open=opened, clock=clock)
    if held.kind is PauseKind.DRIFT:
        resumed = accept_all(resumed)
    return resumed.go(held.during, f"resumed by {command.by}")


def _promote(context: Context, command: Command) -> Decision:
    if not context.state.phase.in_steps:
        raise _RefusedError(f"the release is already in phase {context.state.phase}")
    if context.release.mode is Mode.OBSERVE:
        raise _RefusedError("mode is observe, which never changes workloads; set `mode: act` for the next release")
    promoted = accept_all(context).update(pause=None, forced=True)
    return promoted.go(Phase.PROMOTING, f"promoted by {command.by} without proof", Action.PROMOTE)


def _abort(context: Context, command: Command) -> Decision:
    return start_rollback(accept_replicas(context), Cause(CauseKind.OPERATOR, f"aborted by {command.by}"))
