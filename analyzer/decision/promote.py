"""PROMOTING and BAKING: the new version takes over in batches that capacity allows, and then bakes.

`copyTemplate`: the canary goes up to total while stable goes down to 0; the template is written to stable while it has
no pods; stable comes up as the canary goes down. `swap` ends when stable has no pods: the roles change. `external`
waits until stable's owner has applied the template. In `surge` stable's own rolling update runs under the cover of the
canary's pods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from analyzer.decision.alerts import alert_once
from analyzer.decision.blockers import hold_while_blocked
from analyzer.decision.context import Context, Rule, first_answer
from analyzer.decision.drift import accept_replicas, drifted, notice_edit
from analyzer.decision.holdback import comparing, end_holdback, goal_of_swap, stop_comparing
from analyzer.decision.regression import compared_with_before, notice_regression, regressed
from analyzer.decision.rules_of_all_phases import (
    failed,
    failing_on_both_sides,
    frozen,
    guard_failed,
    hard_failed,
    silent_pods,
    superseded,
)
from analyzer.decision.shift import goal_of, hold_back, shift, withdrawal
from analyzer.decision.success import succeed
from analyzer.decision.wording import availability, counted, replacement, writer_of
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.moments import short_duration
from analyzer.model.phase import Phase
from analyzer.model.plan import Promotion
from analyzer.model.state import Version
from analyzer.model.target import Side
from analyzer.model.verdict import Outcome
from analyzer.model.workload import Replicas, WriteTemplate


def promote(context: Context) -> Decision:
    """One tick of PROMOTING."""
    begun = context.release.promoting_at or context.state.since
    return first_answer(_PROMOTING, context.update(promoting_at=begun))


def bake(context: Context) -> Decision:
    """One tick of BAKING."""
    return first_answer(_BAKING, notice_regression(context))


def _fail(context: Context) -> Decision | None:
    """Once both sides run the new version there is nothing left to compare: only guards decide."""
    if not context.release.written:
        return failed(context)
    return None if context.release.known_good else guard_failed(context)


def _await_judge(context: Context) -> Decision | None:
    """While both sides serve, a batch moves only when the last one was judged. A known-good version, or one that an
    operator has promoted, does not wait."""
    release, verdict = context.release, context.verdict
    if verdict is None or release.written or release.known_good or release.forced:
        return None
    blind = verdict.reason if verdict.outcome is Outcome.ERROR and not _stable_is_empty(context) else None
    reason = verdict.holds or blind or silent_pods(verdict)
    return context.hold(f"promoting: {reason}") if reason else None


def _hand_over(context: Context) -> Decision | None:
    """Make the new version the stable one; None once it is."""
    if context.release.written:
        return None
    match context.release.plan.promote:
        case Promotion.COPY_TEMPLATE if context.surge:
            return shift(context, goal_of(context), "promoting") or _write_template(context)
        case Promotion.COPY_TEMPLATE:
            return _shift_to(context, Replicas(0, context.release.total)) or _write_template(context)
        case Promotion.SWAP:
            return _shift_to(context, goal_of_swap(context)) or _swap(context)
        case Promotion.EXTERNAL:
            return _await_owner(context)
        case _ as never:
            assert_never(never)


def _stable_is_empty(context: Context) -> bool:
    return context.stable.replicas == 0 and context.stable.current == 0


def _shift_to(context: Context, goal: Replicas) -> Decision | None:
    """Pods to the canary; None once stable has only as many left as it is to have."""
    moving = shift(context, goal, "promoting")
    if moving is not None or context.stable.current == goal.stable:
        return moving
    left = counted(context.stable.current - goal.stable, "stable pod")
    return context.hold(f"promoting: waiting for {left} to terminate")


def _write_template(context: Context) -> Decision:
    stable, release = context.stable, context.release
    if stable.template.hash == release.canary.hash:
        return _note_written(context)
    if blocked := hold_back(context):
        return context.hold(f"promoting: {blocked}")
    move = WriteTemplate(
        side=Side.STABLE,
        deployment=stable.name,
        uid=stable.uid,
        before=stable.template.hash,
        template=stable.template_for(release.canary),
    )
    return context.write(move, "promoting")


def _swap(context: Context) -> Decision:
    """Stable has only the held-back pods left: the canary's Deployment is the stable one from now on."""
    if blocked := hold_back(context):
        return context.hold(f"promoting: {blocked}")
    state = context.state
    roles = state.roles.swapped()
    expected = state.expected and Replicas(stable=state.expected.canary, canary=state.expected.stable)
    handled = Version(context.stable.uid, context.stable.template.hash)
    state = replace(state, roles=roles, expected=expected, handled=handled)
    swapped = replace(context, state=state).update(written=True, held_back=context.stable.replicas)
    reason = f"roles swapped: {roles.stable} is now stable, {roles.canary} the next canary"
    return swapped.go(Phase.BAKING, reason, Action.PROMOTE)


def _await_owner(context: Context) -> Decision | None:
    release = context.release
    if context.stable.template.hash == release.canary.hash:
        return _note_written(context)
    ready = "promoted by an operator" if release.forced else "ready to promote"
    reason = f"{ready}, waiting for version {release.canary.hash} in {context.stable.name} (promote: external)"
    alerted = alert_once(context, AlertEvent.PROVEN, f"{context.state.target}: {reason}", "awaits-owner")
    return shift(alerted, goal_of(alerted), "promoting") or alerted.hold(reason)


def _note_written(context: Context) -> Decision:
    reason = f"promoting: {context.stable.name} now has version {context.release.canary.hash}"
    return context.update(written=True).hold(reason)


def _replace_canary(context: Context) -> Decision | None:
    """Stable has the new version: it comes up as the canary goes down."""
    stable, canary, total = context.stable, context.canary, context.release.total
    if context.surge and not stable.settled:
        return context.hold(f"promoting: {replacement(stable, canary)}")
    move = withdrawal(context, total)
    if move:
        return context.write(move, "promoting")
    complete = stable.settled and (context.surge or stable.replicas == total)
    done = complete and canary.replicas == 0 and canary.current == 0
    return None if done else context.hold(f"promoting: {replacement(stable, canary)}")


def _begin_bake(context: Context) -> Decision:
    version, length = context.release.canary.hash, context.release.plan.bake
    baking = f"; baking for {show_duration(length)}" if length else ""
    return context.go(Phase.BAKING, f"version {version} serves alone{baking}", Action.PROMOTE)


def _bake_failed(context: Context) -> Decision | None:
    """With held-back pods of the old version the judge goes on; else only guards decide."""
    return failed(context) if comparing(context) else guard_failed(context)


def _keep_canary_down(context: Context) -> Decision | None:
    canary, accepted = context.canary, accept_replicas(context)
    if comparing(context) and canary.replicas <= context.release.held_back:
        return None
    move = withdrawal(accepted, context.stable.replicas)
    if move is None:
        return None
    by = writer_of(canary, "replicas")
    note = f"{canary.name} was scaled to {canary.replicas} by {by} during the bake; scaling it back down"
    return accepted.write(move, "canary is kept down during the bake", note)


def _notice_edit(context: Context) -> Decision | None:
    """Stable may be edited again during the bake: one alert, and nothing stops."""
    alerted = notice_edit(context)
    return None if alerted is context else alerted.hold(f"{context.stable.name} was edited during the bake")


def _bake_on(context: Context) -> Decision:
    baked = context.now - context.state.since
    length = context.release.plan.bake
    if baked < length:
        old = counted(context.canary.available, "pod")
        compared = f"; compared with {old} of the old version" if comparing(context) else compared_with_before(context)
        return context.hold(f"baked {short_duration(baked)} of {show_duration(length)}{compared}")
    if leaving := end_holdback(context):
        return leaving
    if not context.stable.settled:
        return context.hold(f"bake finished, waiting for {context.stable.name}: {availability(context.stable)}")
    baked_for = f" after a bake of {show_duration(length)}" if length else ""
    return succeed(context, f"version {context.release.canary.hash} is stable{baked_for}")


_PROMOTING: tuple[Rule, ...] = (
    superseded,
    hard_failed,
    _fail,
    failing_on_both_sides,
    drifted,
    frozen,
    hold_while_blocked,
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
    _keep_canary_down,
    _notice_edit,
    _bake_on,
)
