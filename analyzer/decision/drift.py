"""Someone else scaled or edited a Deployment during a release: pause, take it back, or give up, as `onDrift` says."""

from __future__ import annotations

from dataclasses import replace

from analyzer.decision.announce import alert_once, announce
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Scene
from analyzer.decision.shift import shift
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import OnDrift, Promotion
from analyzer.model.state import Cause, CauseKind, Pause, PauseKind
from analyzer.model.target import Side
from analyzer.model.workload import Replicas


def drifted(scene: Scene) -> Decision | None:
    """The rule. A foreign template on stable is never written over: with `reassert` too it pauses.

    Once stable runs the new version nothing can be paused any more: replicas are taken back, a template holds.
    """
    found = _drift(scene)
    if found is None or not scene.acting:
        return None
    side, what = found
    seen = scene.snapshot.side(side)
    by = seen.writers.get(what, "someone else") if seen else "someone else"
    reason = f"{what} of {scene.state.roles.name(side)} changed during the release by {by}"
    policy = scene.snapshot.target.on_drift
    if policy is OnDrift.ABORT:
        return give_up(scene, Cause(CauseKind.DRIFT, reason))
    if what == "replicas" and (policy is OnDrift.REASSERT or scene.release.written):
        return _take_back(scene, f"{what}-{side}", reason)
    return _pause(scene, f"{what}-{side}", reason)


def accept_replicas(scene: Scene) -> Scene:
    """Take the replicas as they are for ours; the next move goes on from there."""
    return replace(scene, state=replace(scene.state, expected=Replicas(scene.stable.replicas, scene.canary.replicas)))


def accept_all(scene: Scene) -> Scene:
    """Take replicas and stable's template as they are: a rollback would put this template back."""
    return accept_replicas(scene).update(stable=scene.stable.template.unpacked)


def notice_edit(scene: Scene) -> Scene:
    """Alert once that stable's template was edited; the same scene when it was not, or was told already."""
    if not _foreign_template(scene):
        return scene
    by = scene.stable.writers.get("template", "someone else")
    reason = f"template of {scene.state.roles.stable} changed by {by}"
    return alert_once(scene, AlertEvent.DRIFT, f"{scene.state.target}: {reason}", "stable-template")


def _take_back(scene: Scene, mark: str, reason: str) -> Decision:
    wanted = scene.state.expected or scene.replicas
    told = alert_once(scene, AlertEvent.DRIFT, f"{scene.state.target}: taking back, {reason}", f"taken-{mark}")
    doing = f"taking back: {reason}"
    return replace(shift(told, wanted, doing) or told.hold(doing), notes=(reason,))


def _pause(scene: Scene, mark: str, reason: str) -> Decision:
    held = scene.release.pause
    if held is not None and held.kind is PauseKind.DRIFT:
        return scene.hold(f"paused: {held.reason}")
    if held is not None or scene.release.written:
        told = alert_once(scene, AlertEvent.DRIFT, f"{scene.state.target}: holding, {reason}", mark)
        return told.hold(reason)
    paused = scene.update(pause=Pause(PauseKind.DRIFT, reason, scene.now, scene.state.phase))
    alert = announce(
        scene,
        AlertEvent.DRIFT,
        f"{scene.state.target}: paused, {reason}",
        mark=f"{scene.now.timestamp():.0f}",
    )
    return paused.go(Phase.PAUSED, reason, Action.HOLD, alert)


def _drift(scene: Scene) -> tuple[Side, str] | None:
    expected = scene.state.expected
    if expected is not None and not scene.surge and scene.stable.replicas != expected.stable:
        return Side.STABLE, "replicas"
    if expected is not None and scene.canary.replicas != expected.canary:
        return Side.CANARY, "replicas"
    return (Side.STABLE, "template") if _foreign_template(scene) else None


def _foreign_template(scene: Scene) -> bool:
    release = scene.release
    allowed = {release.canary.hash} if release.written else {release.stable.hash}
    if release.plan.promote is Promotion.EXTERNAL and _promoting(scene):
        allowed.add(release.canary.hash)
    return scene.stable.template.hash not in allowed


def _promoting(scene: Scene) -> bool:
    held = scene.release.pause
    return scene.state.phase is Phase.PROMOTING or (held is not None and held.during is Phase.PROMOTING)
