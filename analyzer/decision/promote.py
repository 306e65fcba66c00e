"""PROMOTING and BAKING: the proven version takes over in batches that capacity allows, and is watched.

`copyTemplate`: the canary goes up to total while stable goes down to 0; the template is written to stable while
it has no pods; stable comes up as the canary goes down. `swap` ends when stable has no pods: the roles change.
`external` waits until somebody else has put the template on stable. In `surge` stable's own rolling update runs
under the cover of the canary's pods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from analyzer.decision.announce import announce
from analyzer.decision.moves import drain, next_move, scale
from analyzer.decision.progress import hold_back
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Rule, Scene, first_answer
from analyzer.decision.success import succeed
from analyzer.decision.watch import accept_replicas, drifted, failed, frozen, hard_failed, notice_edit, superseded
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.phase import Phase
from analyzer.model.plan import Promotion
from analyzer.model.state import Cause, CauseKind, Version
from analyzer.model.target import Side
from analyzer.model.verdict import Outcome
from analyzer.model.workload import Replicas, WriteTemplate


def promote(scene: Scene) -> Decision:
    """One tick of PROMOTING."""
    return first_answer(_PROMOTING, scene)


def bake(scene: Scene) -> Decision:
    """One tick of BAKING."""
    return first_answer(_BAKING, scene)


def _fail_before_writing(scene: Scene) -> Decision | None:
    """Once both sides run the new version there is nothing left to compare."""
    return None if scene.release.written else failed(scene)


def _stop_for_guard(scene: Scene) -> Decision | None:
    verdict = scene.verdict
    if verdict is None or verdict.holds is None or scene.release.written:
        return None
    return scene.hold(verdict.holds)


def _hand_over(scene: Scene) -> Decision | None:
    """Bring the new version to where it is the stable one; None once it is."""
    if scene.release.written:
        return None
    match scene.release.plan.promote:
        case Promotion.COPY_TEMPLATE:
            return _write_template(scene) if scene.surge or _stable_is_empty(scene) else _shift_all(scene)
        case Promotion.SWAP:
            return _swap(scene) if _stable_is_empty(scene) else _shift_all(scene)
        case Promotion.EXTERNAL:
            return _await_owner(scene)
        case _ as never:
            assert_never(never)


def _stable_is_empty(scene: Scene) -> bool:
    return scene.stable.replicas == 0 and scene.stable.current == 0


def _shift_all(scene: Scene) -> Decision:
    blocked = hold_back(scene)
    if blocked:
        return scene.hold(f"promoting: {blocked}")
    goal = Replicas(stable=0, canary=scene.release.total)
    move = next_move(scene.stable, scene.canary, goal, scene.bounds)
    return scene.make(move, "promoting") if move else scene.hold("promoting: waiting until stable's pods are gone")


def _write_template(scene: Scene) -> Decision:
    stable, release = scene.stable, scene.release
    if stable.template.hash == release.canary.hash:
        return scene.update(written=True).hold("promoting: stable has the new version")
    if scene.canary.available < 1 or scene.canary.template.hash != release.canary.hash:
        return scene.hold("promoting: waiting until the canary is available")
    move = WriteTemplate(
        side=Side.STABLE,
        deployment=stable.name,
        uid=stable.uid,
        before=stable.template.hash,
        template=stable.template_for(release.canary),
    )
    return scene.make(move, "promoting")


def _swap(scene: Scene) -> Decision:
    """Stable has no pods left: the canary's Deployment is the stable one from now on."""
    state = scene.state
    roles = state.roles.swapped()
    expected = state.expected and Replicas(stable=state.expected.canary, canary=state.expected.stable)
    handled = Version(scene.stable.uid, scene.stable.template.hash)
    state = replace(state, roles=roles, expected=expected, handled=handled)
    swapped = replace(scene, state=state).update(written=True)
    reason = f"{roles.stable} is stable now, and {roles.canary} the next canary"
    return swapped.go(Phase.BAKING, reason, Action.PROMOTE)


def _await_owner(scene: Scene) -> Decision | None:
    release = scene.release
    if scene.stable.template.hash == release.canary.hash:
        return scene.update(written=True).hold("promoting: stable has the new version")
    reason = f"proven, waiting until {scene.state.roles.stable} gets version {release.canary.hash}"
    mark = "proven"
    if mark in release.alerted:
        return scene.hold(reason)
    told = scene.tell(announce(scene, AlertEvent.PROVEN, f"{scene.state.target}: {reason}"))
    return told.update(alerted=(*release.alerted, mark)).hold(reason)


def _replace_canary(scene: Scene) -> Decision | None:
    """Stable has the new version: it comes up as the canary goes down."""
    stable, canary, total = scene.stable, scene.canary, scene.release.total
    if scene.surge:
        covered = stable.settled
        batch = max(1, scene.release.plan.capacity.max_surge.rounded_up(total))
        move = drain(canary, batch=batch, covered=True) if covered else None
        done = covered and canary.replicas == 0 and canary.current == 0
    else:
        goal = Replicas(stable=total, canary=0)
        move = next_move(stable, canary, goal, scene.bounds)
        done = scene.replicas == goal and stable.settled and canary.current == 0
    if move:
        return scene.make(move, "promoting")
    waiting = f"stable has {stable.available} of {total if not scene.surge else stable.replicas} pods available"
    return None if done else scene.hold(f"promoting: {waiting}, the canary {canary.current} left")


def _begin_bake(scene: Scene) -> Decision:
    length = show_duration(scene.release.plan.bake)
    return scene.go(
        Phase.BAKING,
        f"version {scene.release.canary.hash} serves alone, watched for {length}",
        Action.PROMOTE,
    )


def _broken_guard(scene: Scene) -> Decision | None:
    """In a bake only guards speak: there is no baseline to compare with."""
    verdict = scene.verdict
    if verdict is None or verdict.outcome is not Outcome.FAIL:
        return None
    return give_up(scene, Cause(CauseKind.GUARD, verdict.reason, verdict.culprit))


def _keep_canary_out(scene: Scene) -> Decision | None:
    canary = scene.canary
    if canary.replicas == 0:
        return None
    accepted = accept_replicas(scene)
    return accepted.make(scale(Side.CANARY, canary, 0), "the canary is held at 0 during a bake")


def _note_edit(scene: Scene) -> Decision | None:
    """Stable belongs to its owners again: an edit during the bake is told, once, and stops nothing."""
    told = notice_edit(scene)
    return None if told is scene else told.hold("stable was edited during the bake")


def _bake_on(scene: Scene) -> Decision:
    baked = scene.now - scene.state.since
    length = scene.release.plan.bake
    if baked < length:
        return scene.hold(f"baking for {show_duration(baked)} of {show_duration(length)}")
    if not scene.stable.settled:
        return scene.hold(f"baked, waiting for stable: {scene.stable.available} of {scene.stable.replicas} available")
    return succeed(scene, f"version {scene.release.canary.hash} is stable, baked for {show_duration(length)}")


_PROMOTING: tuple[Rule, ...] = (
    superseded,
    hard_failed,
    _fail_before_writing,
    drifted,
    frozen,
    _stop_for_guard,
    _hand_over,
    _replace_canary,
    _begin_bake,
)
_BAKING: tuple[Rule, ...] = (hard_failed, _broken_guard, _keep_canary_out, _note_edit, _bake_on)
