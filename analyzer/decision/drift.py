"""Someone else scaled or edited a Deployment during a release: pause, take it back, or give up, as `onDrift` says."""

from __future__ import annotations

from dataclasses import replace

from analyzer.decision.alerts import alert_of, alert_once
from analyzer.decision.context import Context
from analyzer.decision.rollback import give_up
from analyzer.decision.shift import shift
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import OnDrift, Promotion
from analyzer.model.state import Cause, CauseKind, Pause, PauseKind
from analyzer.model.target import Side
from analyzer.model.workload import Replicas


def drifted(context: Context) -> Decision | None:
    """The rule. A foreign template on stable is never written over: with `reassert` too it pauses.

    Once stable runs the new version nothing can be paused any more: replicas are taken back, a template holds.
    """
    found = _drift(context)
    if found is None or not context.acting:
        return None
    side, what = found
    seen = context.snapshot.side(side)
    by = seen.writers.get(what, "someone else") if seen else "someone else"
    reason = f"{what} of {context.state.roles.name(side)} changed during the release by {by}"
    policy = context.snapshot.target.on_drift
    if policy is OnDrift.ABORT:
        return give_up(context, Cause(CauseKind.DRIFT, reason))
    if what == "replicas" and (policy is OnDrift.REASSERT or context.release.written):
        return _take_back(context, f"{what}-{side}", reason)
    return _pause(context, f"{what}-{side}", reason)


def accept_replicas(context: Context) -> Context:
    """Take the replicas as they are for ours; the next move goes on from there."""
    return replace(
        context, state=replace(context.state, expected=Replicas(context.stable.replicas, context.canary.replicas))
    )


def accept_all(context: Context) -> Context:
    """Take replicas and stable's template as they are: a rollback would put this template back."""
    return accept_replicas(context).update(stable=context.stable.template.unpacked)


def notice_edit(context: Context) -> Context:
    """Alert once that stable's template was edited; the same context when it was not, or was told already."""
    if not _foreign_template(context):
        return context
    by = context.stable.writers.get("template", "someone else")
    reason = f"template of {context.state.roles.stable} changed by {by}"
    return alert_once(context, AlertEvent.DRIFT, f"{context.state.target}: {reason}", "stable-template")


def _take_back(context: Context, mark: str, reason: str) -> Decision:
    wanted = context.state.expected or context.replicas
    told = alert_once(context, AlertEvent.DRIFT, f"{context.state.target}: taking back, {reason}", f"taken-{mark}")
    doing = f"taking back: {reason}"
    return replace(shift(told, wanted, doing) or told.hold(doing), notes=(reason,))


def _pause(context: Context, mark: str, reason: str) -> Decision:
    held = context.release.pause
    if held is not None and held.kind is PauseKind.DRIFT:
        return context.hold(f"paused: {held.reason}")
    if held is not None or context.release.written:
        told = alert_once(context, AlertEvent.DRIFT, f"{context.state.target}: holding, {reason}", mark)
        return told.hold(reason)
    paused = context.update(pause=Pause(PauseKind.DRIFT, reason, context.now, context.state.phase))
    alert = alert_of(
        context,
        AlertEvent.DRIFT,
        f"{context.state.target}: paused, {reason}",
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
    return context.state.phase is Phase.PROMOTING or (held is not None and held.during is Phase.PROMOTING)
