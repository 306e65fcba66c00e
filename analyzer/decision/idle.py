"""Between releases: notice a new version, wait for admission, keep the canary at 0."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.decision.alerts import alert_once
from analyzer.decision.blockers import idle_blocker
from analyzer.decision.context import Context, Rule, first_answer
from analyzer.decision.moves import scale
from analyzer.decision.steps import fitted
from analyzer.decision.template_identity import unresolved
from analyzer.decision.wording import availability, counted, writer_of
from analyzer.model.alert import AlertEvent
from analyzer.model.block import Timing
from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, Plan, Step
from analyzer.model.state import DeadlineClock, Release, StepRecord, Version
from analyzer.model.target import Side, Target

NOT_MEASURED = "waiting for Prometheus to scrape the stable pods"


def idle(context: Context) -> Decision:
    """One tick of IDLE, SUCCEEDED or ABORTED."""
    return first_answer(_IDLE, context)


def wait_for_slot(context: Context) -> Decision:
    """One tick of PENDING."""
    return first_answer(_PENDING, context)


def unmanaged(target: str) -> str:
    """Why nothing happens to a target that was never released."""
    return f"unmanaged: replicas are left alone until a new canary version or `canary-analyzer start {target}`"


def version_of(context: Context) -> Version:
    """The version that the canary's Deployment has now."""
    return Version(context.canary.uid, context.canary.template.hash)


def _adopt_stable(context: Context) -> Decision | None:
    """Another client changed stable's template outside a release: it is the new stable version."""
    state, now_stable = context.state, context.stable.template.hash
    if now_stable == state.stable_hash:
        return None
    known = replace(context, state=replace(state, stable_hash=now_stable, previous=state.stable_hash or state.previous))
    by = writer_of(context.stable, "template")
    note = f"template of {context.stable.name} was changed by {by}; version {now_stable} is stable now"
    return known.hold(note, note)


def _skip_same(context: Context) -> Decision | None:
    """A canary template equal to stable's is not a new version."""
    version = version_of(context)
    if version == context.state.handled or version.hash != context.stable.template.hash:
        return None
    known = replace(context, state=replace(context.state, handled=version))
    return known.hold(f"canary and stable have the same version {version.hash}; nothing to release")


def _notice_new(context: Context) -> Decision | None:
    version = version_of(context)
    if version == context.state.handled or unresolved(context):
        return None
    return context.go(Phase.PENDING, f"new version {version.hash} in {context.state.roles.canary}")


def _keep_canary_at_zero(context: Context) -> Decision | None:
    canary, state = context.canary, context.state
    if canary.replicas == 0 or state.unmanaged or not context.acting:
        return None
    if needed := _canary_needed(context):
        return context.hold(needed)
    by = writer_of(canary, "replicas")
    note = f"{canary.name} was scaled to {canary.replicas} by {by} outside a release; scaling it back to 0"
    if state.phase.stopped and state.intent is None:
        hour = f"held-{context.now:%Y%m%dT%H}"  # one alert an hour about an autoscaler that keeps on
        context = alert_once(context, AlertEvent.DRIFT, f"{state.target}: {note}", hour)
    return context.write(scale(Side.CANARY, canary, 0), "canary is kept at 0 outside a release", note)


def _canary_needed(context: Context) -> str | None:
    """Another client has moved all traffic to the canary: scaling it down now would be an outage."""
    if context.stable.serving > 0 or context.canary.serving == 0:
        return None
    return f"{context.stable.name} has no available pod; leaving {context.canary.name} up until it has one"


def _stay(context: Context) -> Decision:
    state = context.state
    if state.unmanaged:
        return context.hold(unmanaged(state.target))
    if version_of(context) != state.handled:
        return context.hold(f"waiting for the Deployment controller to create the ReplicaSet of {context.canary.name}")
    return context.hold(state.reason)


def _return(context: Context) -> Decision | None:
    version = version_of(context)
    if version == context.state.handled:
        return context.go(Phase.IDLE, f"{context.canary.name} is back at version {version.hash}; nothing to release")
    if version.hash == context.stable.template.hash:
        known = replace(context, state=replace(context.state, handled=version))
        return known.go(
            Phase.IDLE, f"{context.canary.name} now has stable's version {version.hash}; nothing to release"
        )
    return None


def _scale_canary_down(context: Context) -> Decision | None:
    canary = context.canary
    if not context.acting or (canary.replicas == 0 and canary.current == 0):
        return None
    if canary.replicas == 0:
        return context.hold(f"waiting for {counted(canary.current, 'old canary pod')} to terminate")
    if needed := _canary_needed(context):
        return context.hold(needed)
    note = f"scaling {canary.name} to 0 before the release of version {canary.template.hash}"
    return context.write(scale(Side.CANARY, canary, 0), "a release starts with the canary at 0", note)


def _await_admission(context: Context) -> Decision | None:
    stable, admission = context.stable, context.snapshot.admission
    if admission.freeze_reason:
        return context.hold(f"{admission.freeze_reason}; no release starts")
    if stable.replicas == 0:
        return context.hold(f"{stable.name} has 0 replicas; scale it to what production needs")
    if not stable.settled:
        return context.hold(f"waiting for {stable.name}: {availability(stable)}")
    if blocked := idle_blocker(stable, context.canary):
        return context.hold(blocked)
    if admission.obstacle or admission.timing is None:
        return context.hold(admission.obstacle or NOT_MEASURED)
    return None


def _start_release(context: Context) -> Decision:
    timing = context.snapshot.admission.timing
    if timing is None:
        return context.hold(NOT_MEASURED)
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
    pods = counted(release.total, "stable pod")
    reason = f"release {release.id} started: {kind} {release.canary.hash}, {pods}"
    return replace(context, state=state).go(Phase.PROGRESSING, reason)


def _new_release(context: Context, timing: Timing) -> Release:
    target, state, now = context.snapshot.target, context.state, context.now
    version = context.canary.template
    return Release(
        id=f"{state.target}-{version.hash[:8]}-{state.releases + 1}",
        canary=version.unpacked,
        stable=context.stable.template.unpacked,
        plan=_frozen_plan(target, context),
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


def _frozen_plan(target: Target, context: Context) -> Plan:
    acting = target.mode is Mode.ACT
    return fitted(target.plan, context.stable.replicas) if acting else _single_step(target.plan, context)


def _single_step(plan: Plan, context: Context) -> Plan:
    """In `observe` another client moves the replicas: one step, held for as long as the plan's together."""
    hold = sum((step.hold for step in plan.steps), timedelta(0))
    share = round(100 * context.replicas.share, 1)
    return replace(plan, steps=(Step(weight=share or plan.steps[-1].weight, hold=hold),))


_IDLE: tuple[Rule, ...] = (_adopt_stable, _skip_same, _notice_new, _keep_canary_at_zero, _stay)
_PENDING: tuple[Rule, ...] = (_adopt_stable, _return, _scale_canary_down, _await_admission, _start_release)
