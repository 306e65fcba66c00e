"""Between releases: a new version to notice, a slot to wait for, a canary to hold at 0."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.decision.alerts import alert_once
from analyzer.decision.blockers import idle_blocker
from analyzer.decision.context import Context, Rule, first_answer
from analyzer.decision.moves import scale
from analyzer.decision.template_identity import unresolved
from analyzer.model.alert import AlertEvent
from analyzer.model.block import Timing
from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, Plan, Step
from analyzer.model.state import DeadlineClock, Release, StepRecord, Version
from analyzer.model.target import Side


def idle(context: Context) -> Decision:
    """One tick of IDLE, SUCCEEDED or ABORTED."""
    return first_answer(_IDLE, context)


def wait_for_slot(context: Context) -> Decision:
    """One tick of PENDING."""
    return first_answer(_PENDING, context)


def version_of(context: Context) -> Version:
    """The version that the canary's Deployment asks for now."""
    return Version(context.canary.uid, context.canary.template.hash)


def _know_stable(context: Context) -> Decision | None:
    """Stable's template changed by somebody else outside a release: it is the new stable."""
    state, now_stable = context.state, context.stable.template.hash
    if now_stable == state.stable_hash:
        return None
    known = replace(context, state=replace(state, stable_hash=now_stable, previous=state.stable_hash or state.previous))
    by = context.stable.writers.get("template", "someone else")
    note = f"{state.roles.stable} has version {now_stable} now, changed by {by}"
    return known.hold(note, note)


def _handle_same(context: Context) -> Decision | None:
    """A canary template equal to stable's is no new version."""
    version = version_of(context)
    if version == context.state.handled or version.hash != context.stable.template.hash:
        return None
    known = replace(context, state=replace(context.state, handled=version))
    return known.hold(f"version {version.hash} of the canary is the one that stable has")


def _notice_new(context: Context) -> Decision | None:
    version = version_of(context)
    if version == context.state.handled or unresolved(context):
        return None
    return context.go(Phase.PENDING, f"new version {version.hash} in {context.state.roles.canary}")


def _hold_canary_out(context: Context) -> Decision | None:
    canary, state = context.canary, context.state
    if canary.replicas == 0 or state.unmanaged or not context.acting:
        return None
    if alone := _serving_alone(context):
        return context.hold(alone)
    by = canary.writers.get("replicas", "someone else")
    note = f"{canary.name} was scaled to {canary.replicas} by {by} outside a release; it is held at 0"
    if state.phase is Phase.ABORTED and state.intent is None:
        hour = f"held-{context.now:%Y%m%dT%H}"  # an autoscaler that never gives up is told of once an hour
        context = alert_once(context, AlertEvent.DRIFT, f"{state.target}: {note}", hour)
    return context.make(scale(Side.CANARY, canary, 0), "the canary is held at 0 outside a release", note)


def _serving_alone(context: Context) -> str | None:
    """Someone has moved all traffic to the canary by hand: to take it out now would be an outage."""
    if context.stable.available > 0 or context.canary.available == 0:
        return None
    return f"{context.canary.name} serves alone: it is left until {context.stable.name} has an available pod"


def _stay(context: Context) -> Decision:
    state = context.state
    if state.unmanaged:
        return context.hold("unmanaged until a new version or `start`: replicas are left alone")
    if version_of(context) != state.handled:
        return context.hold(f"waiting for the ReplicaSet of {context.canary.name}'s template: is it a new version?")
    return context.hold(f"at rest: {state.reason}")


def _return(context: Context) -> Decision | None:
    version = version_of(context)
    if version == context.state.handled:
        return context.go(Phase.IDLE, f"the canary is back at version {version.hash}, which was handled already")
    if version.hash == context.stable.template.hash:
        known = replace(context, state=replace(context.state, handled=version))
        return known.go(Phase.IDLE, f"the canary has version {version.hash}, which stable runs already")
    return None


def _empty_canary(context: Context) -> Decision | None:
    canary = context.canary
    if not context.acting or (canary.replicas == 0 and canary.current == 0):
        return None
    if canary.replicas == 0:
        return context.hold("waiting until the canary's old pods are gone")
    if alone := _serving_alone(context):
        return context.hold(alone)
    note = f"{canary.name} is taken to 0 before the release of version {canary.template.hash} begins"
    return context.make(scale(Side.CANARY, canary, 0), "the canary starts from 0", note)


def _obstacle(context: Context) -> Decision | None:
    stable, admission = context.stable, context.snapshot.admission
    if admission.standstill:
        return context.hold(f"{admission.standstill}: nothing starts")
    if stable.replicas == 0:
        return context.hold(f"{stable.name} has no replicas: scale it to what production needs")
    if not stable.settled:
        return context.hold(f"waiting for {stable.name}: {stable.available} of {stable.replicas} pods available")
    if blocked := idle_blocker(stable, context.canary):
        return context.hold(blocked)
    if admission.obstacle or admission.timing is None:
        return context.hold(admission.obstacle or "waiting for the first scrapes of stable's pods")
    return None


def _begin(context: Context) -> Decision:
    timing = context.snapshot.admission.timing
    if timing is None:
        return context.hold("not measured yet")
    release = _new_release(context, timing)
    state = replace(
        context.state,
        handled=version_of(context),
        unmanaged=False,
        release=release,
        releases=context.state.releases + 1,
        expected=context.replicas,
        intent=None,
        unconfirmed=(),
        warnings=context.snapshot.admission.warnings,
    )
    kind = "known-good version" if release.known_good else "version"
    reason = f"release {release.id} of {kind} {release.canary.hash}, {release.total} pods in total"
    return replace(context, state=state).go(Phase.PROGRESSING, reason)


def _new_release(context: Context, timing: Timing) -> Release:
    target, state, now = context.snapshot.target, context.state, context.now
    version = context.canary.template
    return Release(
        id=f"{state.target}-{version.hash[:8]}-{state.releases + 1}",
        canary=version.unpacked,
        stable=context.stable.template.unpacked,
        plan=target.plan if target.mode is Mode.ACT else _single_step(target.plan, context),
        analysis=target.analysis,
        mode=target.mode,
        total=context.stable.replicas,
        timing=timing,
        started_at=now,
        clock=DeadlineClock(spent=timedelta(0), at=now),
        steps=(StepRecord(entered_at=now),),
        known_good=version.hash == state.previous,
        noise=context.snapshot.admission.noise,
        namespace=target.namespace,
        on_drift=target.on_drift,
    )


def _single_step(plan: Plan, context: Context) -> Plan:
    """In `observe` somebody else moves the replicas: one step, held for as long as the plan's together."""
    hold = sum((step.hold for step in plan.steps), timedelta(0))
    share = round(100 * context.replicas.share, 1)
    return replace(plan, steps=(Step(weight=share or plan.steps[-1].weight, hold=hold),))


_IDLE: tuple[Rule, ...] = (_know_stable, _handle_same, _notice_new, _hold_canary_out, _stay)
_PENDING: tuple[Rule, ...] = (_know_stable, _return, _empty_canary, _obstacle, _begin)
