"""Between releases: a new version to notice, a slot to wait for, a canary to hold at 0."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.decision.anchors import unresolved
from analyzer.decision.announce import alert_once
from analyzer.decision.moves import scale
from analyzer.decision.scene import Rule, Scene, first_answer
from analyzer.decision.standstill import obstruction_at_rest
from analyzer.model.alert import AlertEvent
from analyzer.model.block import Timing
from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, Plan, Step
from analyzer.model.state import DeadlineClock, Release, StepRecord, Version
from analyzer.model.target import Side


def rest(scene: Scene) -> Decision:
    """One tick of IDLE, SUCCEEDED or ABORTED."""
    return first_answer(_RESTING, scene)


def wait_for_slot(scene: Scene) -> Decision:
    """One tick of PENDING."""
    return first_answer(_PENDING, scene)


def version_of(scene: Scene) -> Version:
    """The version that the canary's Deployment asks for now."""
    return Version(scene.canary.uid, scene.canary.template.hash)


def _know_stable(scene: Scene) -> Decision | None:
    """Stable's template changed by somebody else outside a release: it is the new stable."""
    state, now_stable = scene.state, scene.stable.template.hash
    if now_stable == state.stable_hash:
        return None
    known = replace(scene, state=replace(state, stable_hash=now_stable, previous=state.stable_hash or state.previous))
    by = scene.stable.writers.get("template", "someone else")
    note = f"{state.roles.stable} has version {now_stable} now, changed by {by}"
    return known.hold(note, note)


def _handle_same(scene: Scene) -> Decision | None:
    """A canary template equal to stable's is no new version."""
    version = version_of(scene)
    if version == scene.state.handled or version.hash != scene.stable.template.hash:
        return None
    known = replace(scene, state=replace(scene.state, handled=version))
    return known.hold(f"version {version.hash} of the canary is the one that stable has")


def _notice_new(scene: Scene) -> Decision | None:
    version = version_of(scene)
    if version == scene.state.handled or unresolved(scene):
        return None
    return scene.go(Phase.PENDING, f"new version {version.hash} in {scene.state.roles.canary}")


def _hold_canary_out(scene: Scene) -> Decision | None:
    canary, state = scene.canary, scene.state
    if canary.replicas == 0 or state.unmanaged or not scene.acting:
        return None
    if alone := _serving_alone(scene):
        return scene.hold(alone)
    by = canary.writers.get("replicas", "someone else")
    note = f"{canary.name} was scaled to {canary.replicas} by {by} outside a release; it is held at 0"
    if state.phase is Phase.ABORTED and state.intent is None:
        hour = f"held-{scene.now:%Y%m%dT%H}"  # an autoscaler that never gives up is told of once an hour
        scene = alert_once(scene, AlertEvent.DRIFT, f"{state.target}: {note}", hour)
    return scene.make(scale(Side.CANARY, canary, 0), "the canary is held at 0 outside a release", note)


def _serving_alone(scene: Scene) -> str | None:
    """Someone has moved all traffic to the canary by hand: to take it out now would be an outage."""
    if scene.stable.available > 0 or scene.canary.available == 0:
        return None
    return f"{scene.canary.name} serves alone: it is left until {scene.stable.name} has an available pod"


def _stay(scene: Scene) -> Decision:
    state = scene.state
    if state.unmanaged:
        return scene.hold("unmanaged until a new version or `start`: replicas are left alone")
    if version_of(scene) != state.handled:
        return scene.hold(f"waiting for the ReplicaSet of {scene.canary.name}'s template: is it a new version?")
    return scene.hold(f"at rest: {state.reason}")


def _return(scene: Scene) -> Decision | None:
    version = version_of(scene)
    if version == scene.state.handled:
        return scene.go(Phase.IDLE, f"the canary is back at version {version.hash}, which was handled already")
    if version.hash == scene.stable.template.hash:
        known = replace(scene, state=replace(scene.state, handled=version))
        return known.go(Phase.IDLE, f"the canary has version {version.hash}, which stable runs already")
    return None


def _empty_canary(scene: Scene) -> Decision | None:
    canary = scene.canary
    if not scene.acting or (canary.replicas == 0 and canary.current == 0):
        return None
    if canary.replicas == 0:
        return scene.hold("waiting until the canary's old pods are gone")
    if alone := _serving_alone(scene):
        return scene.hold(alone)
    note = f"{canary.name} is taken to 0 before the release of version {canary.template.hash} begins"
    return scene.make(scale(Side.CANARY, canary, 0), "the canary starts from 0", note)


def _obstacle(scene: Scene) -> Decision | None:
    stable, admission = scene.stable, scene.snapshot.admission
    if admission.standstill:
        return scene.hold(f"{admission.standstill}: nothing starts")
    if stable.replicas == 0:
        return scene.hold(f"{stable.name} has no replicas: scale it to what production needs")
    if not stable.settled:
        return scene.hold(f"waiting for {stable.name}: {stable.available} of {stable.replicas} pods available")
    if blocked := obstruction_at_rest(stable, scene.canary):
        return scene.hold(blocked)
    if admission.obstacle or admission.timing is None:
        return scene.hold(admission.obstacle or "waiting for the first scrapes of stable's pods")
    return None


def _begin(scene: Scene) -> Decision:
    timing = scene.snapshot.admission.timing
    if timing is None:
        return scene.hold("not measured yet")
    release = _new_release(scene, timing)
    state = replace(
        scene.state,
        handled=version_of(scene),
        unmanaged=False,
        release=release,
        releases=scene.state.releases + 1,
        expected=scene.replicas,
        intent=None,
        unconfirmed=(),
        warnings=scene.snapshot.admission.warnings,
    )
    kind = "known-good version" if release.known_good else "version"
    reason = f"release {release.id} of {kind} {release.canary.hash}, {release.total} pods in total"
    return replace(scene, state=state).go(Phase.PROGRESSING, reason)


def _new_release(scene: Scene, timing: Timing) -> Release:
    target, state, now = scene.snapshot.target, scene.state, scene.now
    version = scene.canary.template
    return Release(
        id=f"{state.target}-{version.hash[:8]}-{state.releases + 1}",
        canary=version.unpacked,
        stable=scene.stable.template.unpacked,
        plan=target.plan if target.mode is Mode.ACT else _single_step(target.plan, scene),
        analysis=target.analysis,
        mode=target.mode,
        total=scene.stable.replicas,
        timing=timing,
        started_at=now,
        clock=DeadlineClock(spent=timedelta(0), at=now),
        steps=(StepRecord(entered_at=now),),
        known_good=version.hash == state.previous,
        noise=scene.snapshot.admission.noise,
        namespace=target.namespace,
        on_drift=target.on_drift,
    )


def _single_step(plan: Plan, scene: Scene) -> Plan:
    """In `observe` somebody else moves the replicas: one step, held for as long as the plan's together."""
    hold = sum((step.hold for step in plan.steps), timedelta(0))
    share = round(100 * scene.replicas.share, 1)
    return replace(plan, steps=(Step(weight=share or plan.steps[-1].weight, hold=hold),))


_RESTING: tuple[Rule, ...] = (_know_stable, _handle_same, _notice_new, _hold_canary_out, _stay)
_PENDING: tuple[Rule, ...] = (_know_stable, _return, _empty_canary, _obstacle, _begin)
