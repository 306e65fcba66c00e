"""PROMOTING and BAKING: the proven version takes over in batches that capacity allows, and is watched.

`copyTemplate`: the canary goes up to total while stable goes down to 0; the template is written to stable while
it has no pods; stable comes up as the canary goes down. `swap` ends when stable has no pods: the roles change.
`external` waits until somebody else has put the template on stable. In `surge` stable's own rolling update runs
under the cover of the canary's pods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from analyzer.decision.announce import alert_once
from analyzer.decision.drift import accept_replicas, drifted, notice_edit
from analyzer.decision.holdback import comparing, end_holdback, goal_of_swap, stop_comparing
from analyzer.decision.regression import beside_before, notice_regression, regressed
from analyzer.decision.scene import Rule, Scene, first_answer
from analyzer.decision.shift import goal_of, hold_back, shift, withdrawal
from analyzer.decision.standstill import unobstructed
from analyzer.decision.success import succeed
from analyzer.decision.watch import (
    failed,
    failing_alike,
    frozen,
    guard_failed,
    hard_failed,
    superseded,
    unmeasured,
)
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.phase import Phase
from analyzer.model.plan import Promotion
from analyzer.model.state import Version
from analyzer.model.target import Side
from analyzer.model.verdict import Outcome
from analyzer.model.workload import Replicas, WriteTemplate


def promote(scene: Scene) -> Decision:
    """One tick of PROMOTING."""
    begun = scene.release.promoting_at or scene.state.since
    return first_answer(_PROMOTING, scene.update(promoting_at=begun))


def bake(scene: Scene) -> Decision:
    """One tick of BAKING."""
    return first_answer(_BAKING, notice_regression(scene))


def _fail(scene: Scene) -> Decision | None:
    """Once both sides run the new version there is nothing left to compare: only guards speak."""
    if not scene.release.written:
        return failed(scene)
    return None if scene.release.known_good else guard_failed(scene)


def _await_judge(scene: Scene) -> Decision | None:
    """While both sides serve, a batch moves only when the last one was judged. A known version, or one that an
    operator has promoted, does not wait for that."""
    release, verdict = scene.release, scene.verdict
    if verdict is None or release.written or release.known_good or release.forced:
        return None
    blind = verdict.reason if verdict.outcome is Outcome.ERROR and not _stable_is_empty(scene) else None
    reason = verdict.holds or blind or unmeasured(verdict)
    return scene.hold(f"promoting: {reason}") if reason else None


def _hand_over(scene: Scene) -> Decision | None:
    """Bring the new version to where it is the stable one; None once it is."""
    if scene.release.written:
        return None
    match scene.release.plan.promote:
        case Promotion.COPY_TEMPLATE if scene.surge:
            return shift(scene, goal_of(scene), "promoting") or _write_template(scene)
        case Promotion.COPY_TEMPLATE:
            return _shift_to(scene, Replicas(0, scene.release.total)) or _write_template(scene)
        case Promotion.SWAP:
            return _shift_to(scene, goal_of_swap(scene)) or _swap(scene)
        case Promotion.EXTERNAL:
            return _await_owner(scene)
        case _ as never:
            assert_never(never)


def _stable_is_empty(scene: Scene) -> bool:
    return scene.stable.replicas == 0 and scene.stable.current == 0


def _shift_to(scene: Scene, goal: Replicas) -> Decision | None:
    """Pods to the canary; None once stable has only as many left as it is to have."""
    moving = shift(scene, goal, "promoting")
    if moving is not None or scene.stable.current == goal.stable:
        return moving
    return scene.hold("promoting: waiting until stable's pods are gone")


def _write_template(scene: Scene) -> Decision:
    stable, release = scene.stable, scene.release
    if stable.template.hash == release.canary.hash:
        return scene.update(written=True).hold("promoting: stable has the new version")
    if blocked := hold_back(scene):
        return scene.hold(f"promoting: {blocked}")
    move = WriteTemplate(
        side=Side.STABLE,
        deployment=stable.name,
        uid=stable.uid,
        before=stable.template.hash,
        template=stable.template_for(release.canary),
    )
    return scene.make(move, "promoting")


def _swap(scene: Scene) -> Decision:
    """Stable has no pods left but those held back: the canary's Deployment is the stable one from now on."""
    if blocked := hold_back(scene):
        return scene.hold(f"promoting: {blocked}")
    state = scene.state
    roles = state.roles.swapped()
    expected = state.expected and Replicas(stable=state.expected.canary, canary=state.expected.stable)
    handled = Version(scene.stable.uid, scene.stable.template.hash)
    state = replace(state, roles=roles, expected=expected, handled=handled)
    swapped = replace(scene, state=state).update(written=True, held_back=scene.stable.replicas)
    reason = f"{roles.stable} is stable now, and {roles.canary} the next canary"
    return swapped.go(Phase.BAKING, reason, Action.PROMOTE)


def _await_owner(scene: Scene) -> Decision | None:
    release = scene.release
    if scene.stable.template.hash == release.canary.hash:
        return scene.update(written=True).hold("promoting: stable has the new version")
    proven = "promoted by an operator" if release.forced else "proven"
    reason = f"{proven}, waiting until {scene.state.roles.stable} gets version {release.canary.hash}"
    told = alert_once(scene, AlertEvent.PROVEN, f"{scene.state.target}: {reason}", "awaits-owner")
    return shift(told, goal_of(told), "promoting") or told.hold(reason)


def _replace_canary(scene: Scene) -> Decision | None:
    """Stable has the new version: it comes up as the canary goes down."""
    stable, canary, total = scene.stable, scene.canary, scene.release.total
    if scene.surge and not stable.settled:
        return scene.hold(f"promoting: {_count(scene)}")
    move = withdrawal(scene, total)
    if move:
        return scene.make(move, "promoting")
    complete = stable.settled and (scene.surge or stable.replicas == total)
    done = complete and canary.replicas == 0 and canary.current == 0
    return None if done else scene.hold(f"promoting: {_count(scene)}")


def _count(scene: Scene) -> str:
    stable = scene.stable
    return f"stable has {stable.available} of {stable.replicas} pods available, the canary {scene.canary.current} left"


def _begin_bake(scene: Scene) -> Decision:
    length = show_duration(scene.release.plan.bake)
    return scene.go(
        Phase.BAKING,
        f"version {scene.release.canary.hash} serves alone, watched for {length}",
        Action.PROMOTE,
    )


def _bake_failed(scene: Scene) -> Decision | None:
    """With pods of the old version beside the new one the judge goes on; else only guards speak."""
    return failed(scene) if comparing(scene) else guard_failed(scene)


def _keep_canary_out(scene: Scene) -> Decision | None:
    canary, accepted = scene.canary, accept_replicas(scene)
    if comparing(scene) and canary.replicas <= scene.release.held_back:
        return None
    move = withdrawal(accepted, scene.stable.replicas)
    if move is None:
        return None
    by = canary.writers.get("replicas", "someone else")
    note = f"{canary.name} was scaled to {canary.replicas} by {by} during a bake; it is held at 0"
    return accepted.make(move, "the canary is held at 0 during a bake", note)


def _note_edit(scene: Scene) -> Decision | None:
    """Stable belongs to its owners again: an edit during the bake is told, once, and stops nothing."""
    told = notice_edit(scene)
    return None if told is scene else told.hold("stable was edited during the bake")


def _bake_on(scene: Scene) -> Decision:
    baked = scene.now - scene.state.since
    length = scene.release.plan.bake
    if baked < length:
        many = f", compared with {scene.canary.available} pods of the old version"
        beside = many if comparing(scene) else beside_before(scene)
        return scene.hold(f"baking for {show_duration(baked)} of {show_duration(length)}{beside}")
    if leaving := end_holdback(scene):
        return leaving
    if not scene.stable.settled:
        return scene.hold(f"baked, waiting for stable: {scene.stable.available} of {scene.stable.replicas} available")
    return succeed(scene, f"version {scene.release.canary.hash} is stable, baked for {show_duration(length)}")


_PROMOTING: tuple[Rule, ...] = (
    superseded,
    hard_failed,
    _fail,
    failing_alike,
    drifted,
    frozen,
    unobstructed,
    _await_judge,
    _hand_over,
    _replace_canary,
    _begin_bake,
)
_BAKING: tuple[Rule, ...] = (
    hard_failed,
    _bake_failed,
    regressed,
    stop_comparing,
    _keep_canary_out,
    _note_edit,
    _bake_on,
)
