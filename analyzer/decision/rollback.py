"""Giving a release up: why it starts, how the canary leaves service, how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from analyzer.decision.announce import alert_once, announce
from analyzer.decision.scene import Rule, Scene, first_answer
from analyzer.decision.shift import withdrawal
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.phase import Phase
from analyzer.model.plan import Promotion
from analyzer.model.state import Cause, CauseKind, Result, Version
from analyzer.model.target import Side
from analyzer.model.workload import Replicas, WriteTemplate

STUCK_AFTER = timedelta(minutes=10)
"""A rollback that takes longer than this raises a `stuck` alert, once."""


def give_up(scene: Scene, cause: Cause) -> Decision:
    """Enter ROLLING_BACK, with the alert in the same write.

    None for a superseded release, and none where nothing has to be moved: there the end is told at once.
    """
    reason = f"{cause.kind}: {cause.reason}"
    scene = scene.update(cause=cause, aborted_at=scene.now, pause=None)
    if _undoes_a_swap(scene):
        handled = Version(scene.stable.uid, scene.release.canary.hash)
        roles = scene.state.roles.swapped()
        scene = replace(scene, state=replace(scene.state, roles=roles, handled=handled, expected=_mirror(scene)))
    if cause.kind is CauseKind.SUPERSEDED or not scene.acting:
        return scene.go(Phase.ROLLING_BACK, reason, Action.ROLLBACK)
    alert = announce(
        scene,
        AlertEvent.ABORTED,
        f"{scene.state.target}: rolling back, {cause.reason}",
        mark="rolling-back",
        status="rolling back",
        cause=cause.kind.value,
        culprit=cause.culprit,
    )
    return scene.go(Phase.ROLLING_BACK, reason, Action.ROLLBACK, alert)


def roll_back(scene: Scene) -> Decision:
    """One tick of ROLLING_BACK."""
    return first_answer(_RULES, _noting_safety(scene))


def _undoes_a_swap(scene: Scene) -> bool:
    """After a swap the roles stand exchanged: the version to put back is in the present canary's Deployment."""
    release = scene.release
    return release.plan.promote is Promotion.SWAP and release.written


def _mirror(scene: Scene) -> Replicas | None:
    expected = scene.state.expected
    return None if expected is None else Replicas(stable=expected.canary, canary=expected.stable)


def _observing(scene: Scene) -> Decision | None:
    return None if scene.acting else _finish(scene)


def _noting_safety(scene: Scene) -> Scene:
    """The canary is out of service once it has no ready pod and none of its version is left on stable."""
    serving = any(pod.ready and not pod.deleted for pod in scene.canary.pods)
    rolled = scene.stable.template.hash != scene.release.canary.hash and scene.stable.updated == scene.stable.current
    spread = scene.release.written and not rolled
    if scene.release.safe_at is not None or scene.canary.replicas or serving or spread:
        return scene
    return scene.update(safe_at=scene.now)


def _restoring(scene: Scene) -> bool:
    """Does stable still need the template back that it had before the release?

    After a swap it is in its own Deployment again, unless someone has put the next version there meanwhile.
    With `external` it is the owner's to put back.
    """
    release, now = scene.release, scene.stable.template.hash
    match release.plan.promote:
        case Promotion.COPY_TEMPLATE:
            return release.written and now == release.canary.hash != release.stable.hash
        case Promotion.SWAP:
            return release.written and now != release.stable.hash
        case Promotion.EXTERNAL:
            return False
        case _ as never:
            assert_never(never)


def _restore(scene: Scene) -> Decision | None:
    if not _restoring(scene):
        return None
    stable = scene.stable
    move = WriteTemplate(
        side=Side.STABLE,
        deployment=stable.name,
        uid=stable.uid,
        before=stable.template.hash,
        template=scene.release.stable,
    )
    return scene.make(move, "putting back the version that stable had")


def _take_out(scene: Scene) -> Decision | None:
    move = withdrawal(scene, scene.release.total)
    return scene.make(move, "taking the canary out of service") if move else None


def _wait(scene: Scene) -> Decision | None:
    stable, canary = scene.stable, scene.canary
    complete = stable.settled and (scene.surge or stable.replicas == scene.release.total)
    if canary.replicas == 0 and canary.current == 0 and complete:
        return None
    waiting = f"stable has {stable.available} of {stable.replicas} pods available, the canary {canary.current} left"
    waiting += f"; {stable.name} is paused (spec.paused)" if stable.paused else ""
    over = scene.now - scene.state.since >= STUCK_AFTER
    if over:
        summary = f"{scene.state.target}: the rollback has not finished in {show_duration(STUCK_AFTER)}: {waiting}"
        scene = alert_once(scene, AlertEvent.STUCK, summary, "rollback")
    return scene.hold(f"rolling back: {waiting}")


def _finish(scene: Scene) -> Decision:
    release = scene.release
    cause = release.cause or Cause(CauseKind.OPERATOR, "no cause recorded")
    if cause.kind is CauseKind.SUPERSEDED:
        summary = f"{scene.state.target}: {cause.reason}"
        alert = announce(scene, AlertEvent.SUPERSEDED, summary)
        scene = scene.update(ended_at=scene.now, result=Result.SUPERSEDED)
        return scene.go(Phase.PENDING, cause.reason, Action.HOLD, alert)
    scene = scene.update(
        ended_at=scene.now,
        result=Result.ABORTED,
    )
    alert = announce(
        scene,
        AlertEvent.ABORTED,
        f"{scene.state.target}: aborted, {cause.reason}{_left_over(scene)}",
        mark="aborted",
        status="aborted",
        cause=cause.kind.value,
        culprit=cause.culprit,
        secondsToSafe=_seconds_to_safe(scene),
    )
    return scene.go(Phase.ABORTED, cause.reason, Action.HOLD, alert)


def _left_over(scene: Scene) -> str:
    """What a reader of the abort has to know or do besides."""
    release = scene.release
    if not scene.acting:
        return " (mode observe: nothing was changed)"
    if release.written and scene.stable.template.hash == release.canary.hash != release.stable.hash:
        return f"; {scene.stable.name} still has this version: its owner has to put {release.stable.hash} back"
    return ""


def _seconds_to_safe(scene: Scene) -> float | None:
    release = scene.release
    if release.safe_at is None or release.aborted_at is None:
        return None
    return (release.safe_at - release.aborted_at).total_seconds()


_RULES: tuple[Rule, ...] = (_observing, _restore, _take_out, _wait, _finish)
