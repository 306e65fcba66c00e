"""Another client scaled or edited a Deployment during a release: pause, revert or abort, as `onDrift` says."""

from __future__ import annotations

from dataclasses import replace

from analyzer.decision.alerts import alert_of, alert_once
from analyzer.decision.context import Context
from analyzer.decision.rollback import start_rollback
from analyzer.decision.shift import shift
from analyzer.decision.wording import writer_of
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import OnDrift, Promotion
from analyzer.model.state import Cause, CauseKind, Pause, PauseKind
from analyzer.model.target import Side
from analyzer.model.workload import Replicas


def drifted(context: Context) -> Decision | None:
    """The rule. A foreign template on stable is never overwritten: with `reassert` too it pauses.

    Once stable runs the new version nothing can be paused any more: replicas are reverted, a template holds.
    """
    found = _drift(context)
    if found is None or not context.acting:
        return None
    side, what = found
    reason = _reason(context, side, what)
    policy = context.snapshot.target.on_drift
    if policy is OnDrift.ABORT:
        return start_rollback(context, Cause(CauseKind.DRIFT, f"{reason} (onDrift: abort)"))
    if what == "replicas" and (policy is OnDrift.REASSERT or context.release.written):
        return _revert(context, f"{what}-{side}", reason)
    return _pause(context, f"{what}-{side}", reason)


def _reason(context: Context, side: Side, what: str) -> str:
    workload = context.stable if side is Side.STABLE else context.canary
    by = writer_of(workload, what)
    if what == "template" or context.state.expected is None:
        return f"template of {workload.name} was changed by {by} during the release"
    before = context.state.expected.of(side)
    return f"{workload.name} was scaled from {before} to {workload.replicas} by {by} during the release"


def accept_replicas(context: Context) -> Context:
    """Accept the replicas as they are; the next move goes on from there."""
    return replace(
        context, state=replace(context.state, expected=Replicas(context.stable.replicas, context.canary.replicas))
    )


def accept_all(context: Context) -> Context:
    """Accept replicas and stable's template as they are: a rollback would restore this template."""
    return accept_replicas(context).update(stable=context.stable.template.unpacked)


def notice_edit(context: Context) -> Context:
    """Alert once that stable's template was edited; the same context when it was not, or when the alert was sent."""
    if not _foreign_template(context):
        return context
    by = writer_of(context.stable, "template")
    reason = f"template of {context.stable.name} was changed by {by} during the bake"
    return alert_once(context, AlertEvent.DRIFT, f"{context.state.target}: {reason}", "stable-template")


def _revert(context: Context, mark: str, reason: str) -> Decision:
    wanted = context.state.expected or context.replicas
    alerted = alert_once(context, AlertEvent.DRIFT, f"{context.state.target}: reverting, {reason}", f"taken-{mark}")
    doing = f"{reason}; reverting"
    return replace(shift(alerted, wanted, doing) or alerted.hold(doing), notes=(reason,))


def _pause(context: Context, mark: str, reason: str) -> Decision:
    held = context.release.pause
    if held is not None and held.kind is PauseKind.DRIFT:
        return context.hold(held.shown)
    if held is not None or context.release.written:
        alerted = alert_once(context, AlertEvent.DRIFT, f"{context.state.target}: holding, {reason}", mark)
        return alerted.hold(reason)
    paused = context.update(pause=Pause(PauseKind.DRIFT, reason, context.now, context.state.phase))
    alert = alert_of(
        context,
        AlertEvent.DRIFT,
        f"{context.state.target}: paused, {reason}; go on with `canary-analyzer resume {context.state.target}`",
        mark=f"{context.now.timestamp():.0f}",
    )
    return paused.go(Phase.PAUSED, reason, Action.HOLD, alert)


def _drift(context: Context) -> tuple[Side, str] | None:
    expected = context.state.expected
    if expected is not None and not context.surge and context.stable.replicas != expected.stable:
        return Side.STABLE, "replicas"
    if expected is not None and context.canary.replicas != expected.canary:
        return Side.CANARY, "replicas"
    return (Side.STABLE, "template") if _foreign_template(context) else None


def _foreign_template(context: Context) -> bool:
    release = context.release
    allowed = {release.canary.hash} if release.written else {release.stable.hash}
    if release.plan.promote is Promotion.EXTERNAL and _promoting(context):
        allowed.add(release.canary.hash)
    return context.stable.template.hash not in allowed


def _promoting(context: Context) -> bool:
    held = context.release.pause
    return context.state.phase.promoting or (held is not None and held.during.promoting)
