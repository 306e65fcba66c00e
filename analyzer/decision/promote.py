"""PROMOTING and BAKING: the proven version takes over in batches that capacity allows, and is watched.

`copyTemplate`: the canary goes up to total while stable goes down to 0; the template is written to stable while
it has no pods; stable comes up as the canary goes down. `swap` ends when stable has no pods: the roles change.
`external` waits until somebody else has put the template on stable. In `surge` stable's own rolling update runs
under the cover of the canary's pods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from analyzer.decision.alerts import alert_once
from analyzer.decision.blockers import hold_while_blocked
from analyzer.decision.context import Context, Rule, first_answer
from analyzer.decision.drift import accept_replicas, drifted, notice_edit
from analyzer.decision.holdback import comparing, end_holdback, goal_of_swap, stop_comparing
from analyzer.decision.regression import beside_before, notice_regression, regressed
from analyzer.decision.rules_of_all_phases import (
    failed,
    failing_alike,
    frozen,
    guard_failed,
    hard_failed,
    superseded,
    unmeasured,
)
from analyzer.decision.shift import goal_of, hold_back, shift, withdrawal
from analyzer.decision.success import succeed
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
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
    """Once both sides run the new version there is nothing left to compare: only guards speak."""
    if not context.release.written:
        return failed(context)
    return None if context.release.known_good else guard_failed(context)


def _await_judge(context: Context) -> Decision | None:
    """While both sides serve, a batch moves only when the last one was judged. A known version, or one that an
    operator has promoted, does not wait for that."""
    release, verdict = context.release, context.verdict
    if verdict is None or release.written or release.known_good or release.forced:
        return None
    blind = verdict.reason if verdict.outcome is Outcome.ERROR and not _stable_is_empty(context) else None
    reason = verdict.holds or blind or unmeasured(verdict)
    return context.hold(f"promoting: {reason}") if reason else None


def _hand_over(context: Context) -> Decision | None:
    """Bring the new version to where it is the stable one; None once it is."""
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
    return context.hold("promoting: waiting until stable's pods are gone")


def _write_template(context: Context) -> Decision:
    stable, release = context.stable, context.release
    if stable.template.hash == release.canary.hash:
        return context.update(written=True).hold("promoting: stable has the new version")
    if blocked := hold_back(context):
        return context.hold(f"promoting: {blocked}")
    move = WriteTemplate(
        side=Side.STABLE,
        deployment=stable.name,
        uid=stable.uid,
        before=stable.template.hash,
        template=stable.template_for(release.canary),
    )
    return context.make(move, "promoting")


def _swap(context: Context) -> Decision:
    """Stable has no pods left but those held back: the canary's Deployment is the stable one from now on."""
    if blocked := hold_back(context):
        return context.hold(f"promoting: {blocked}")
    state = context.state
    roles = state.roles.swapped()
    expected = state.expected and Replicas(stable=state.expected.canary, canary=state.expected.stable)
    handled = Version(context.stable.uid, context.stable.template.hash)
    state = replace(state, roles=roles, expected=expected, handled=handled)
    swapped = replace(context, state=state).update(written=True, held_back=context.stable.replicas)
    reason = f"{roles.stable} is stable now, and {roles.canary} the next canary"
    return swapped.go(Phase.BAKING, reason, Action.PROMOTE)


def _await_owner(context: Context) -> Decision | None:
    release = context.release
    if context.stable.template.hash == release.canary.hash:
        return context.update(written=True).hold("promoting: stable has the new version")
    proven = "promoted by an operator" if release.forced else "proven"
    reason = f"{proven}, waiting until {context.state.roles.stable} gets version {release.canary.hash}"
    told = alert_once(context, AlertEvent.PROVEN, f"{context.state.target}: {reason}", "awaits-owner")
    return shift(told, goal_of(told), "promoting") or told.hold(reason)


def _replace_canary(context: Context) -> Decision | None:
    """Stable has the new version: it comes up as the canary goes down."""
    stable, canary, total = context.stable, context.canary, context.release.total
    if context.surge and not stable.settled:
        return context.hold(f"promoting: {_count(context)}")
    move = withdrawal(context, total)
    if move:
        return context.make(move, "promoting")
    complete = stable.settled and (context.surge or stable.replicas == total)
    done = complete and canary.replicas == 0 and canary.current == 0
    return None if done else context.hold(f"promoting: {_count(context)}")


def _count(context: Context) -> str:
    stable = context.stable
    return (
        f"stable has {stable.available} of {stable.replicas} pods available, the canary {context.canary.current} left"
    )


def _begin_bake(context: Context) -> Decision:
    length = show_duration(context.release.plan.bake)
    return context.go(
        Phase.BAKING,
        f"version {context.release.canary.hash} serves alone, watched for {length}",
        Action.PROMOTE,
    )


def _bake_failed(context: Context) -> Decision | None:
    """With pods of the old version beside the new one the judge goes on; else only guards speak."""
    return failed(context) if comparing(context) else guard_failed(context)


def _keep_canary_out(context: Context) -> Decision | None:
    canary, accepted = context.canary, accept_replicas(context)
    if comparing(context) and canary.replicas <= context.release.held_back:
        return None
    move = withdrawal(accepted, context.stable.replicas)
    if move is None:
        return None
    by = canary.writers.get("replicas", "someone else")
    note = f"{canary.name} was scaled to {canary.replicas} by {by} during a bake; it is held at 0"
    return accepted.make(move, "the canary is held at 0 during a bake", note)


def _note_edit(context: Context) -> Decision | None:
    """Stable belongs to its owners again: an edit during the bake is told, once, and stops nothing."""
    told = notice_edit(context)
    return None if told is context else told.hold("stable was edited during the bake")


def _bake_on(context: Context) -> Decision:
    baked = context.now - context.state.since
    length = context.release.plan.bake
    if baked < length:
        many = f", compared with {context.canary.available} pods of the old version"
        beside = many if comparing(context) else beside_before(context)
        return context.hold(f"baking for {show_duration(baked)} of {show_duration(length)}{beside}")
    if leaving := end_holdback(context):
        return leaving
    if not context.stable.settled:
        return context.hold(
            f"baked, waiting for stable: {context.stable.available} of {context.stable.replicas} available"
        )
    return succeed(context, f"version {context.release.canary.hash} is stable, baked for {show_duration(length)}")


_PROMOTING: tuple[Rule, ...] = (
    superseded,
    hard_failed,
    _fail,
    failing_alike,
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
    _keep_canary_out,
    _note_edit,
    _bake_on,
)
