"""PROGRESSING and PAUSED: reach the step's weight, collect evidence, advance on proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analyzer.decision.alerts import alert_of, alert_once
from analyzer.decision.blockers import blocker, hold_while_blocked
from analyzer.decision.context import Context, Rule, first_answer
from analyzer.decision.deadline import time_limit, time_spent, unanswered
from analyzer.decision.drift import drifted
from analyzer.decision.rollback import start_rollback
from analyzer.decision.rules_of_all_phases import (
    failed,
    failing_on_both_sides,
    frozen,
    hard_failed,
    silent_pods,
    superseded,
)
from analyzer.decision.shift import goal_of, hold_back, shift
from analyzer.decision.success import succeed
from analyzer.decision.wording import availability, counted, then
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.metric import Gating
from analyzer.model.moments import short_duration
from analyzer.model.phase import Phase
from analyzer.model.plan import Advance, GateTimeout, OnInconclusive
from analyzer.model.state import Cause, CauseKind, Pause, PauseKind, StepRecord
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict

GATE_REMINDER = timedelta(hours=4)
"""A gate that waits this long raises one more alert."""


def progress(context: Context) -> Decision:
    """One tick of PROGRESSING."""
    return first_answer(_PROGRESSING, context)


def wait_paused(context: Context) -> Decision:
    """One tick of PAUSED: judging and rollback go on, forward moves do not."""
    return first_answer(_PAUSED, context)


def _reach_weight(context: Context) -> Decision | None:
    if not context.acting:
        return None
    return shift(context, goal_of(context), context.release.step_name)


def _settle(context: Context) -> Decision | None:
    """The weight is reached when every pod of both sides is available; the step's proof starts here."""
    release = context.release
    if release.record.settled_at is not None:
        return None
    if context.acting and not (context.canary.settled and (context.surge or context.stable.settled)):
        missing = f"canary {availability(context.canary)}, stable {availability(context.stable)}"
        return context.hold(f"{release.step_name}: waiting for pods; {missing}")
    if context.canary.available == 0:
        return context.hold(f"{release.step_name}: waiting for canary pods")
    record = replace(release.record, settled_at=context.now)
    settled = context.update(steps=(*release.steps[:-1], record))
    asked = context.replicas
    serving = f"canary serves from {asked.canary} of {counted(asked.canary + asked.stable, 'pod')}"
    next_up = "known-good version, no evidence needed" if release.known_good else "collecting evidence"
    return settled.hold(f"{release.step_name} reached: {serving}; {next_up}")


def _deadline(context: Context) -> Decision | None:
    release, limit, missing = context.release, time_limit(context), _proof_missing(context)
    unjudged = context.verdict is None or unanswered(context.verdict)
    if missing is None or unjudged or time_spent(context) < limit:
        return None
    reason = f"not decided within the deadline of {show_duration(limit)}: {missing}"
    match release.plan.on_inconclusive:
        case OnInconclusive.ROLLBACK:
            return start_rollback(context, Cause(CauseKind.INCONCLUSIVE, then(reason, "onInconclusive: rollback")))
        case OnInconclusive.PROMOTE if _promotable_unproven(context):
            return context.go(Phase.PROMOTING, then(reason, "onInconclusive: promote"), Action.PROMOTE)
        case _:
            return pause(context, PauseKind.INCONCLUSIVE, reason)


def _promotable_unproven(context: Context) -> bool:
    """`onInconclusive: promote` still needs data on every gating metric and no adverse evidence."""
    verdict = context.verdict
    if verdict is None or verdict.adverse or verdict.holds or not verdict.covered or not context.acting:
        return False
    gating = {metric.name for metric in context.release.analysis.metrics if metric.gating is Gating.BOTH}
    with_data = {metric.name for metric in verdict.metrics if _has_data(metric)}
    return bool(gating) and gating <= with_data and verdict.outcome is not Outcome.ERROR


def _has_data(metric: MetricVerdict) -> bool:
    """A gauge has levels and no counts: its ratio shows that it was measured."""
    measured = metric.canary.total > 0 or metric.ratio is not None
    return measured and metric.classification in (Classification.PASS, Classification.UNDECIDED)


def pause(context: Context, kind: PauseKind, reason: str) -> Decision:
    """Enter PAUSED, with an alert unless an operator asked for it."""
    paused = context.update(pause=Pause(kind, reason, context.now, during=context.state.phase))
    if kind is PauseKind.OPERATOR:
        return paused.go(Phase.PAUSED, reason)
    event = AlertEvent.GATE if kind is PauseKind.GATE else AlertEvent.PAUSED
    resume = f"canary-analyzer resume {context.state.target}{' --extend 1h' if kind is PauseKind.INCONCLUSIVE else ''}"
    summary = then(f"{context.state.target}: paused, {reason}", f"go on with `{resume}`")
    alert = alert_of(context, event, summary, mark=_moment(context.now))
    return paused.go(Phase.PAUSED, reason, Action.HOLD, alert)


def _moment(when: datetime) -> str:
    return f"{when:%Y%m%dT%H%M%SZ}"


def _await_proof(context: Context) -> Decision | None:
    missing = _proof_missing(context)
    return context.hold(f"{context.release.step_name}: {missing}") if missing else None


def _proof_missing(context: Context) -> str | None:
    """What keeps this step from being over, or None."""
    release = context.release
    settled = release.record.settled_at
    if settled is None:
        return "the step's weight was not reached"
    if blocked := (hold_back(context) if context.acting else None) or blocker(context):
        return blocked
    if release.known_good:
        return None
    if context.verdict is None:
        return "not judged yet"
    dwell = context.now - settled
    if dwell < release.current_step.hold:
        return f"held {show_duration(dwell)} of {show_duration(release.current_step.hold)}; {context.verdict.reason}"
    return _evidence_missing(context, context.verdict)


def _evidence_missing(context: Context, verdict: Verdict) -> str | None:
    if verdict.holds:
        return verdict.holds
    if verdict.outcome is Outcome.ERROR:
        return verdict.reason
    if silent := silent_pods(verdict):
        return silent
    if not verdict.covered:
        return f"waiting for measurements of every canary pod; {verdict.reason}"
    if context.release.last_step:
        return None if verdict.outcome is Outcome.PASS else verdict.reason
    if verdict.adverse:
        return f"evidence against the canary, but not enough to abort; {verdict.reason}"
    if context.release.plan.advance is Advance.PROOF and not verdict.advance:
        return verdict.reason
    return None


def _gate(context: Context) -> Decision | None:
    release = context.release
    if release.current_step.gate is None or release.gate_open or release.known_good:
        return None
    return pause(context, PauseKind.GATE, f"{release.step_name} passed, its gate waits for an operator")


def _advance(context: Context) -> Decision:
    release = context.release
    if release.last_step:
        proven = context.verdict.reason if context.verdict and not release.known_good else "known-good version"
        if not context.acting:
            return succeed(context, f"{proven} (mode observe: nothing was changed)", AlertEvent.PROVEN)
        return context.go(Phase.PROMOTING, proven, Action.PROMOTE)
    entered = StepRecord(entered_at=context.now)
    ahead = context.update(step=release.step + 1, steps=(*release.steps, entered), gate_open=False)
    reason = f"{release.step_name} passed, {_passed_by(context)}; advancing to {ahead.release.step_name}"
    return Decision(Action.ADVANCE, reason, ahead.state)


def _passed_by(context: Context) -> str:
    """Why a step that is not the last one is over."""
    release = context.release
    if release.known_good:
        return "known-good version"
    return "enough evidence" if release.plan.advance is Advance.PROOF else "no evidence against the canary"


def _gate_timeout(context: Context) -> Decision | None:
    release = context.release
    held, gate = release.pause, release.current_step.gate
    if held is None or held.kind is not PauseKind.GATE:
        return None
    waited = context.now - held.since
    if gate and gate.timeout and gate.then is GateTimeout.ROLLBACK and waited >= gate.timeout:
        reason = f"gate of {release.step_name} was not opened within {show_duration(gate.timeout)}"
        return start_rollback(context, Cause(CauseKind.GATE_TIMEOUT, reason))
    if waited < ((gate.timeout if gate else None) or GATE_REMINDER):
        return None
    target, length = context.state.target, short_duration(waited)
    summary = (
        f"{target}: the gate of {release.step_name} has waited {length}; open it with `canary-analyzer resume {target}`"
    )
    alerted = alert_once(context, AlertEvent.GATE, summary, f"reminder{release.step}")
    return None if alerted is context else alerted.hold(held.shown)


def _stay_paused(context: Context) -> Decision:
    held = context.release.pause
    return context.hold(held.shown if held else "paused: no reason recorded")


_PROGRESSING: tuple[Rule, ...] = (
    superseded,
    hard_failed,
    failed,
    failing_on_both_sides,
    drifted,
    frozen,
    _deadline,
    hold_while_blocked,
    _reach_weight,
    _settle,
    _await_proof,
    _gate,
    _advance,
)
_PAUSED: tuple[Rule, ...] = (superseded, hard_failed, failed, _gate_timeout, drifted, _stay_paused)
