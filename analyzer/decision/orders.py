"""Operators' commands: each is carried out or refused once, with an answer that `status` repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from analyzer.decision.deadline import time_limit, time_spent
from analyzer.decision.drift import accept_all, accept_replicas
from analyzer.decision.progress import pause
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Scene
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

_IN_RELEASE = (Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTING, Phase.BAKING)


class _RefusedError(Exception):
    """The command can't be carried out now; the text says why and what to do."""


def obey(scene: Scene, commands: Sequence[Command], otherwise: Callable[[Scene], Decision]) -> Decision:
    """Carry out the oldest command that was not answered yet and can be; else do what `otherwise` says.

    Refusals are answered on the way: they never cost a tick. Only as many of the latest commands count as a
    document remembers, so that a forgotten one is not carried out again.
    """
    answered = {command.id for command in scene.state.executed}
    refusals: list[str] = []
    for command in commands[-EXECUTED_KEPT:]:
        if command.id in answered:
            continue
        try:
            choice = _carry_out(scene, command)
        except _RefusedError as refusal:
            scene = replace(scene, state=_answer(scene.state, command, str(refusal), accepted=False))
            refusals.append(f"{command.verb} by {command.by} refused: {refusal}")
            continue
        answer = f"{command.verb} by {command.by}: {choice.reason}"
        state = _answer(choice.state, command, answer, accepted=True)
        return replace(choice, state=state, notes=(*refusals, *choice.notes))
    choice = otherwise(scene)
    return replace(choice, notes=(*refusals, *choice.notes))


def _answer(state: TargetState, command: Command, answer: str, *, accepted: bool) -> TargetState:
    entry = ExecutedCommand(command.id, command.verb, accepted, answer)
    return replace(state, executed=(*state.executed, entry)[-EXECUTED_KEPT:])


def _carry_out(scene: Scene, command: Command) -> Decision:
    if scene.snapshot.stable is None or scene.snapshot.canary is None:
        raise _RefusedError("a Deployment does not exist: create it, and ask again")
    match command.verb:
        case Verb.START | Verb.RETRY:
            return _begin(scene, command)
        case Verb.ABORT if scene.state.phase is Phase.PENDING:
            return _drop_pending(scene, command)
    _check_release(scene, command)
    match command.verb:
        case Verb.PAUSE:
            return _pause(scene, command)
        case Verb.RESUME:
            return _resume(scene, command)
        case Verb.PROMOTE:
            return _promote(scene, command)
        case _:
            return _abort(scene, command)


def _begin(scene: Scene, command: Command) -> Decision:
    state, version = scene.state, scene.canary.template.hash
    _check_version(scene, command)
    if not state.phase.resting:
        raise _RefusedError(f"a release is in phase {state.phase} already")
    if command.verb is Verb.RETRY and state.phase is not Phase.ABORTED:
        raise _RefusedError(f"retry is for an aborted release; the phase is {state.phase}: use `start`")
    if version == scene.stable.template.hash:
        raise _RefusedError(f"stable already runs version {version}: there is nothing to release")
    forgotten = replace(scene, state=replace(state, handled=None))
    return forgotten.go(Phase.PENDING, f"{command.verb} of version {version} by {command.by}")


def _drop_pending(scene: Scene, command: Command) -> Decision:
    _check_version(scene, command)
    handled = Version(scene.canary.uid, scene.canary.template.hash)
    dropped = replace(scene, state=replace(scene.state, handled=handled))
    return dropped.go(Phase.IDLE, f"version {handled.hash} was given up by {command.by} before it began")


def _check_version(scene: Scene, command: Command) -> None:
    version = scene.canary.template.hash
    if command.subject != version:
        raise _RefusedError(
            f"it is for version {command.subject}, but the canary has {version} now: look, and ask again"
        )


def _check_release(scene: Scene, command: Command) -> None:
    release = scene.state.release
    if release is not None and scene.state.phase is Phase.ROLLING_BACK:
        raise _RefusedError(f"release {release.id} is being rolled back already, and that is never stopped")
    if release is None or scene.state.phase not in _IN_RELEASE:
        raise _RefusedError(f"no release is in progress that it could be for (phase {scene.state.phase})")
    if command.subject != release.id:
        raise _RefusedError(
            f"it is for release {command.subject}, but {release.id} is in progress: look, and ask again"
        )


def _pause(scene: Scene, command: Command) -> Decision:
    if scene.state.phase is Phase.PAUSED:
        raise _RefusedError("the release is paused already")
    if scene.state.phase is Phase.BAKING or scene.release.written:
        raise _RefusedError("both sides run the new version already: only `abort` is left")
    return pause(scene, PauseKind.OPERATOR, f"by {command.by}")


def _resume(scene: Scene, command: Command) -> Decision:
    held, release = scene.release.pause, scene.release
    if scene.state.phase is not Phase.PAUSED or held is None:
        raise _RefusedError(f"the release is not paused (phase {scene.state.phase})")
    more = command.extend or timedelta(0)
    over = held.kind is PauseKind.INCONCLUSIVE or time_spent(scene) >= time_limit(scene)
    if over and held.during is Phase.PROGRESSING and more <= timedelta(0):
        raise _RefusedError("the deadline is over: say by how much with --extend, for example --extend 1h")
    extended = max(release.extended, time_spent(scene) - release.plan.deadline) + more if more else release.extended
    opened = release.gate_open or held.kind is PauseKind.GATE
    clock = replace(release.clock, at=scene.now)
    resumed = scene.update(pause=None, extended=extended, gate_open=opened, clock=clock)
    if held.kind is PauseKind.DRIFT:
        resumed = accept_all(resumed)
    return resumed.go(held.during, f"resumed by {command.by}")


def _promote(scene: Scene, command: Command) -> Decision:
    if scene.state.phase not in (Phase.PROGRESSING, Phase.PAUSED):
        raise _RefusedError(f"the release is in phase {scene.state.phase} already")
    if scene.release.mode is Mode.OBSERVE:
        raise _RefusedError("mode is observe: nothing is ever written; set `mode: act` for the next release")
    promoted = accept_all(scene).update(pause=None, forced=True)
    return promoted.go(Phase.PROMOTING, f"promoted by {command.by} without proof", Action.PROMOTE)


def _abort(scene: Scene, command: Command) -> Decision:
    return give_up(accept_replicas(scene), Cause(CauseKind.OPERATOR, f"aborted by {command.by}"))
