"""PROGRESSING and PAUSED: reach the step's weight, collect evidence, advance on proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analyzer.decision.announce import alert_once, announce
from analyzer.decision.deadline import time_limit, time_spent, unanswered
from analyzer.decision.drift import drifted
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Rule, Scene, first_answer
from analyzer.decision.shift import goal_of, hold_back, shift
from analyzer.decision.standstill import obstruction, unobstructed
from analyzer.decision.success import succeed
from analyzer.decision.watch import failed, failing_alike, frozen, hard_failed, superseded, unmeasured
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.metric import Gating
from analyzer.model.phase import Phase
from analyzer.model.plan import Advance, GateTimeout, OnInconclusive
from analyzer.model.state import Cause, CauseKind, Pause, PauseKind, StepRecord
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict

GATE_REMINDER = timedelta(hours=4)
"""A gate that waits this long raises one more alert."""


def progress(scene: Scene) -> Decision:
    """One tick of PROGRESSING."""
    return first_answer(_PROGRESSING, scene)


def wait_paused(scene: Scene) -> Decision:
    """One tick of PAUSED: judging and rollback go on, forward moves do not."""
    return first_answer(_PAUSED, scene)


def _reach_weight(scene: Scene) -> Decision | None:
    if not scene.acting:
        return None
    return shift(scene, goal_of(scene), f"step {scene.release.step + 1} ({scene.release.current_step.weight:g} %)")


def _settle(scene: Scene) -> Decision | None:
    """The weight is reached when every pod of both sides is available; the step's proof starts here."""
    release = scene.release
    if release.record.settled_at is not None:
        return None
    if scene.acting and not (scene.canary.settled and (scene.surge or scene.stable.settled)):
        return scene.hold(f"step {release.step + 1}: waiting until every pod is available")
    if scene.canary.available == 0:
        return scene.hold("waiting for canary pods")
    record = replace(release.record, settled_at=scene.now)
    settled = scene.update(steps=(*release.steps[:-1], record))
    share = 100 * scene.replicas.share
    return settled.hold(f"step {release.step + 1} reached: {share:.0f} % of the pods, collecting evidence")


def _deadline(scene: Scene) -> Decision | None:
    release, limit, missing = scene.release, time_limit(scene), _proof_missing(scene)
    unjudged = scene.verdict is None or unanswered(scene.verdict)
    if missing is None or unjudged or time_spent(scene) < limit:
        return None
    reason = f"not decided within {show_duration(limit)}: {missing}"
    match release.plan.on_inconclusive:
        case OnInconclusive.ROLLBACK:
            return give_up(scene, Cause(CauseKind.INCONCLUSIVE, reason))
        case OnInconclusive.PROMOTE if _promotable_unproven(scene):
            return scene.go(Phase.PROMOTING, f"{reason}; promoted by onInconclusive", Action.PROMOTE)
        case _:
            return pause(scene, PauseKind.INCONCLUSIVE, reason)


def _promotable_unproven(scene: Scene) -> bool:
    """`onInconclusive: promote` still needs data on every gating metric and no adverse evidence."""
    verdict = scene.verdict
    if verdict is None or verdict.adverse or verdict.holds or not verdict.covered or not scene.acting:
        return False
    gating = {metric.name for metric in scene.release.analysis.metrics if metric.gating is Gating.BOTH}
    with_data = {metric.name for metric in verdict.metrics if _has_data(metric)}
    return bool(gating) and gating <= with_data and verdict.outcome is not Outcome.ERROR


def _has_data(metric: MetricVerdict) -> bool:
    """A gauge has levels and no counts: its ratio tells that it was measured."""
    measured = metric.canary.total > 0 or metric.ratio is not None
    return measured and metric.classification in (Classification.PASS, Classification.UNDECIDED)


def pause(scene: Scene, kind: PauseKind, reason: str) -> Decision:
    """Enter PAUSED, telling people where they have to act."""
    paused = scene.update(pause=Pause(kind, reason, scene.now, during=scene.state.phase))
    if kind is PauseKind.OPERATOR:
        return paused.go(Phase.PAUSED, reason)
    event = AlertEvent.GATE if kind is PauseKind.GATE else AlertEvent.PAUSED
    alert = announce(scene, event, f"{scene.state.target}: paused, {reason}", mark=_moment(scene.now))
    return paused.go(Phase.PAUSED, reason, Action.HOLD, alert)


def _moment(when: datetime) -> str:
    return f"{when:%Y%m%dT%H%M%SZ}"


def _await_proof(scene: Scene) -> Decision | None:
    missing = _proof_missing(scene)
    return scene.hold(f"step {scene.release.step + 1}: {missing}") if missing else None


def _proof_missing(scene: Scene) -> str | None:
    """What keeps this step from being over, or None."""
    release = scene.release
    settled = release.record.settled_at
    if settled is None:
        return "the step's weight is not reached"
    if blocked := (hold_back(scene) if scene.acting else None) or obstruction(scene):
        return blocked
    if release.known_good:
        return None
    if scene.verdict is None:
        return "not judged yet"
    dwell = scene.now - settled
    if dwell < release.current_step.hold:
        return f"held for {show_duration(dwell)} of {show_duration(release.current_step.hold)}; {scene.verdict.reason}"
    return _evidence_missing(scene, scene.verdict)


def _evidence_missing(scene: Scene, verdict: Verdict) -> str | None:
    if verdict.holds:
        return verdict.holds
    if verdict.outcome is Outcome.ERROR:
        return verdict.reason
    if silent := unmeasured(verdict):
        return silent
    if not verdict.covered:
        return f"waiting until every canary pod has been measured; {verdict.reason}"
    if scene.release.last_step:
        return None if verdict.outcome is Outcome.PASS else verdict.reason
    if verdict.adverse:
        return f"evidence against the canary, not enough to abort; {verdict.reason}"
    if scene.release.plan.advance is Advance.PROOF and not verdict.advance:
        return verdict.reason
    return None


def _gate(scene: Scene) -> Decision | None:
    release = scene.release
    if release.current_step.gate is None or release.gate_open or release.known_good:
        return None
    return pause(scene, PauseKind.GATE, f"step {scene.release.step + 1} is proven and waits for `resume`")


def _advance(scene: Scene) -> Decision:
    release = scene.release
    why = "known-good" if release.known_good else (scene.verdict.reason if scene.verdict else "")
    if release.last_step:
        if not scene.acting:
            return succeed(scene, f"proven: {why} (mode observe: nothing was changed)", AlertEvent.PROVEN)
        return scene.go(Phase.PROMOTING, f"proven: {why}", Action.PROMOTE)
    entered = StepRecord(entered_at=scene.now)
    ahead = scene.update(step=release.step + 1, steps=(*release.steps, entered), gate_open=False)
    step = ahead.release.current_step
    return Decision(Action.ADVANCE, f"to step {release.step + 2} ({step.weight:g} %): {why}", ahead.state)


def _gate_timeout(scene: Scene) -> Decision | None:
    release = scene.release
    held, gate = release.pause, release.current_step.gate
    if held is None or held.kind is not PauseKind.GATE:
        return None
    waited = scene.now - held.since
    if gate and gate.timeout and gate.then is GateTimeout.ROLLBACK and waited >= gate.timeout:
        reason = f"the gate of step {release.step + 1} was not opened within {show_duration(gate.timeout)}"
        return give_up(scene, Cause(CauseKind.GATE_TIMEOUT, reason))
    if waited < ((gate.timeout if gate else None) or GATE_REMINDER):
        return None
    summary = f"{scene.state.target}: the gate of step {release.step + 1} waits for {show_duration(waited)}"
    told = alert_once(scene, AlertEvent.GATE, summary, f"reminder{release.step}")
    return None if told is scene else told.hold(held.reason)


def _stay_paused(scene: Scene) -> Decision:
    held = scene.release.pause
    return scene.hold(f"paused: {held.reason if held else 'no reason recorded'}")


_PROGRESSING: tuple[Rule, ...] = (
    superseded,
    hard_failed,
    failed,
    failing_alike,
    drifted,
    frozen,
    _deadline,
    unobstructed,
    _reach_weight,
    _settle,
    _await_proof,
    _gate,
    _advance,
)
_PAUSED: tuple[Rule, ...] = (superseded, hard_failed, failed, _gate_timeout, drifted, _stay_paused)
