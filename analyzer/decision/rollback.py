"""Rolling back: why it starts, how the canary is taken out of service, how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from analyzer.decision.alerts import alert_of, alert_once
from analyzer.decision.context import Context, Rule, first_answer
from analyzer.decision.shift import withdrawal
from analyzer.decision.wording import replacement
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


def start_rollback(context: Context, cause: Cause) -> Decision:
    """Enter ROLLING_BACK, with the alert in the same write.

    A superseded release sends none, and neither does one that moves nothing: its end follows at once.
    """
    context = context.update(cause=cause, aborted_at=context.now, pause=None)
    if _undoes_a_swap(context):
        handled = Version(context.stable.uid, context.release.canary.hash)
        roles = context.state.roles.swapped()
        context = replace(
            context, state=replace(context.state, roles=roles, handled=handled, expected=_mirror(context))
        )
    if cause.kind is CauseKind.SUPERSEDED or not context.acting:
        return context.go(Phase.ROLLING_BACK, cause.reason, Action.ROLLBACK)
    alert = alert_of(
        context,
        AlertEvent.ABORTED,
        f"{context.state.target}: rolling back, {_summary(cause)}",
        mark="rolling-back",
        status="rolling back",
        cause=cause.kind.value,
        culprit=cause.culprit,
    )
    return context.go(Phase.ROLLING_BACK, cause.reason, Action.ROLLBACK, alert)


def _summary(cause: Cause, besides: str = "") -> str:
    """The cause in an alert: what happened, what else there is to know (`besides`), then the numbers."""
    match cause.kind:
        case CauseKind.FAIL:
            return f"{cause.culprit} failed{besides}. {cause.reason}"
        case CauseKind.GUARD:
            return f"guard {cause.culprit} failed{besides}. {cause.reason}"
        case CauseKind.REGRESSION:
            return f"{cause.culprit} is worse than before the promotion{besides}. {cause.reason}"
        case _:
            return f"{cause.reason}{besides}"


def roll_back(context: Context) -> Decision:
    """One tick of ROLLING_BACK."""
    return first_answer(_RULES, _note_safety(context))


def _undoes_a_swap(context: Context) -> bool:
    """After a swap the roles are exchanged: the version to restore is in the present canary's Deployment."""
    release = context.release
    return release.plan.promote is Promotion.SWAP and release.written


def _mirror(context: Context) -> Replicas | None:
    expected = context.state.expected
    return None if expected is None else Replicas(stable=expected.canary, canary=expected.stable)


def _observing(context: Context) -> Decision | None:
    return None if context.acting else _finish(context)


def _note_safety(context: Context) -> Context:
    """The canary is out of service once it has no ready pod and stable has no pod of its version."""
    serving = any(pod.ready and not pod.deleted for pod in context.canary.pods)
    rolled = (
        context.stable.template.hash != context.release.canary.hash and context.stable.updated == context.stable.current
    )
    spread = context.release.written and not rolled
    if context.release.safe_at is not None or context.canary.replicas or serving or spread:
        return context
    return context.update(safe_at=context.now)


def _restoring(context: Context) -> bool:
    """Must stable's previous template still be restored?

    After a swap it is in its own Deployment, unless another client has put the next version there meanwhile. With
    `external` the owner restores it.
    """
    release, now = context.release, context.stable.template.hash
    match release.plan.promote:
        case Promotion.COPY_TEMPLATE:
            return release.written and now == release.canary.hash != release.stable.hash
        case Promotion.SWAP:
            return release.written and now != release.stable.hash
        case Promotion.EXTERNAL:
            return False
        case _ as never:
            assert_never(never)


def _restore(context: Context) -> Decision | None:
    if not _restoring(context):
        return None
    stable = context.stable
    move = WriteTemplate(
        side=Side.STABLE,
        deployment=stable.name,
        uid=stable.uid,
        before=stable.template.hash,
        template=context.release.stable,
    )
    return context.write(move, "rolling back, restoring stable's previous template")


def _drain_canary(context: Context) -> Decision | None:
    move = withdrawal(context, context.release.total)
    return context.write(move, "rolling back") if move else None


def _await_pods(context: Context) -> Decision | None:
    stable, canary = context.stable, context.canary
    complete = stable.settled and (context.surge or stable.replicas == context.release.total)
    if canary.replicas == 0 and canary.current == 0 and complete:
        return None
    waiting = replacement(stable, canary)
    waiting += f"; {stable.name} is paused (spec.paused)" if stable.paused else ""
    over = context.now - context.state.since >= STUCK_AFTER
    if over:
        summary = f"{context.state.target}: rollback not finished after {show_duration(STUCK_AFTER)}; {waiting}"
        context = alert_once(context, AlertEvent.STUCK, summary, "rollback")
    return context.hold(f"rolling back: {waiting}")


def _finish(context: Context) -> Decision:
    release = context.release
    cause = release.cause or Cause(CauseKind.OPERATOR, "aborted, no cause recorded")
    if cause.kind is CauseKind.SUPERSEDED:
        summary = f"{context.state.target}: {cause.reason}"
        alert = alert_of(context, AlertEvent.SUPERSEDED, summary)
        context = context.update(ended_at=context.now, result=Result.SUPERSEDED)
        return context.go(Phase.PENDING, cause.reason, Action.HOLD, alert)
    context = context.update(ended_at=context.now, result=Result.ABORTED)
    alert = alert_of(
        context,
        AlertEvent.ABORTED,
        f"{context.state.target}: {_aborted(context, cause)}",
        mark="aborted",
        status="aborted",
        cause=cause.kind.value,
        culprit=cause.culprit,
        secondsToSafe=_seconds_to_safe(context),
    )
    return context.go(Phase.ABORTED, cause.reason, Action.HOLD, alert)


def _aborted(context: Context, cause: Cause) -> str:
    """The end in an alert; an operator's cause says itself that the release was aborted."""
    summary = _summary(cause, _besides(context))
    return summary if cause.kind is CauseKind.OPERATOR else f"aborted, {summary}"


def _besides(context: Context) -> str:
    """What a reader of the abort has to know or do."""
    release, seconds = context.release, _seconds_to_safe(context)
    if not context.acting:
        return " (mode observe: nothing was changed)"
    if seconds is not None and seconds >= 1:
        return f"; canary out of service {show_duration(seconds)} later"
    if release.written and context.stable.template.hash == release.canary.hash != release.stable.hash:
        return f"; {context.stable.name} still has this version, its owner has to restore {release.stable.hash}"
    return ""


def _seconds_to_safe(context: Context) -> float | None:
    release = context.release
    if release.safe_at is None or release.aborted_at is None:
        return None
    return (release.safe_at - release.aborted_at).total_seconds()


_RULES: tuple[Rule, ...] = (_observing, _restore, _drain_canary, _await_pods, _finish)
