"""Rules that hold in every active phase: what ends or stops a release whatever it is doing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.decision.announce import announce
from analyzer.decision.failures import fails_alike, hard_failure
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Scene
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.duration import show_duration
from analyzer.model.phase import Phase
from analyzer.model.plan import OnDrift, Promotion
from analyzer.model.state import Cause, CauseKind, DeadlineClock, Pause, PauseKind
from analyzer.model.target import Side
from analyzer.model.verdict import Outcome
from analyzer.model.workload import Replicas, Workload

BLIND_AFTER = timedelta(minutes=5)
"""Prometheus has to be out of reach this long before an alert says so; the release holds from the first moment."""

_GRAIN = timedelta(seconds=15)
"""The deadline's clock is written to the state document this often at most."""

_LONGEST_TICK = timedelta(seconds=60)
"""A longer gap between two ticks means that the daemon was not running: it does not count."""


def keep_time(scene: Scene) -> Scene:
    """Count time towards the deadline: only in PROGRESSING, while the daemon runs and Prometheus answers.

    Exact to within the grain: what is finer would cost a write of the state document at each tick.
    """
    clock = scene.release.clock
    gap = scene.now - clock.at
    counts = scene.state.phase is Phase.PROGRESSING and not _blind(scene) and gap <= _LONGEST_TICK
    if gap < _GRAIN:
        return scene
    return scene.update(clock=DeadlineClock(spent=clock.spent + (gap if counts else timedelta(0)), at=scene.now))


def time_spent(scene: Scene) -> timedelta:
    """Time that counts towards the deadline until now."""
    clock = scene.release.clock
    gap = scene.now - clock.at
    return clock.spent + (gap if scene.state.phase is Phase.PROGRESSING and gap <= _LONGEST_TICK else timedelta(0))


def notice_silence(scene: Scene) -> Scene:
    """Alert, once each, when Prometheus stays out of reach, a canary pod has no series, or a guard holds."""
    return _notice_guard(_notice_silent_pods(_notice_blindness(scene)))


def _blind(scene: Scene) -> bool:
    return scene.verdict is not None and scene.verdict.outcome is Outcome.ERROR


def _notice_blindness(scene: Scene) -> Scene:
    release = scene.release
    if scene.verdict is None or not _blind(scene):
        if release.blind_since is None or scene.verdict is None:
            return scene
        return scene.update(blind_since=None)
    if release.blind_since is None:
        return scene.update(blind_since=scene.now)
    if scene.now - release.blind_since < BLIND_AFTER:
        return scene
    summary = f"{scene.state.target}: holding, no answer from Prometheus for {show_duration(BLIND_AFTER)}"
    return _alert_once(scene, AlertEvent.STUCK, f"{summary}: {scene.verdict.reason}", "metrics")


def _notice_silent_pods(scene: Scene) -> Scene:
    for metric in scene.verdict.metrics if scene.verdict else ():
        if metric.silent_pods:
            pods = ", ".join(metric.silent_pods)
            summary = f"{scene.state.target}: holding, no series of {metric.name} from ready canary pods {pods}"
            scene = _alert_once(scene, AlertEvent.STUCK, summary, f"silent-{metric.name}")
    return scene


def _notice_guard(scene: Scene) -> Scene:
    if scene.verdict is None or scene.verdict.holds is None:
        return scene
    return _alert_once(
        scene,
        AlertEvent.GUARD,
        f"{scene.state.target}: holding, {scene.verdict.holds}",
        f"step{scene.release.step}",
    )


def _alert_once(scene: Scene, event: AlertEvent, summary: str, mark: str) -> Scene:
    key = f"{event.value}/{mark}"
    if key in scene.release.alerted:
        return scene
    return scene.tell(announce(scene, event, summary, mark=mark)).update(alerted=(*scene.release.alerted, key))


def superseded(scene: Scene) -> Decision | None:
    """A new canary template takes the place of the one that is being released."""
    release = scene.release
    if scene.canary.template.hash == release.canary.hash or release.written:
        return None
    reason = f"version {release.canary.hash} was superseded by {scene.canary.template.hash}"
    return give_up(scene, Cause(CauseKind.SUPERSEDED, reason))


def hard_failed(scene: Scene) -> Decision | None:
    """The new version's pods fail by themselves. When the old version's fail alike, something else is broken."""
    release = scene.release
    for workload in _running_new(scene):
        failure = hard_failure(workload, scene.now, release.plan.ready_within)
        if failure is None:
            continue
        if not release.written and fails_alike(scene.stable, failure, scene.now, release.plan.ready_within):
            summary = f"{scene.state.target}: holding, both sides fail alike: {failure.reason}"
            told = _alert_once(scene, AlertEvent.STUCK, summary, f"both-{failure.kind}")
            return told.hold(f"both sides fail alike: {failure.reason}")
        return give_up(scene, Cause(CauseKind.HARD_FAILURE, failure.reason, failure.kind))
    return None


def _running_new(scene: Scene) -> tuple[Workload, ...]:
    """The sides that run the version being released: the canary's, and stable once it was written there."""
    sides = (scene.canary, scene.stable) if scene.release.written else (scene.canary,)
    return tuple(side for side in sides if side.template.hash == scene.release.canary.hash)


def failed(scene: Scene) -> Decision | None:
    """The judge says FAIL: a metric's test, or a guard of the canary."""
    verdict = scene.verdict
    if verdict is None or verdict.outcome is not Outcome.FAIL or scene.release.known_good:
        return None
    guards = {metric.name for metric in scene.release.analysis.metrics if metric.kind == "query"}
    kind = CauseKind.GUARD if verdict.culprit in guards else CauseKind.FAIL
    return give_up(scene, Cause(kind, verdict.reason, verdict.culprit))


def drifted(scene: Scene) -> Decision | None:
    """Someone else scaled or edited a Deployment."""
    found = _drift(scene)
    if found is None or not scene.acting:
        return None
    side, what = found
    writer = scene.snapshot.side(side)
    by = writer.writers.get(what, "someone else") if writer else "someone else"
    reason = f"{what} of {scene.state.roles.name(side)} changed during the release by {by}"
    policy = scene.snapshot.target.on_drift
    if policy is OnDrift.ABORT:
        return give_up(scene, Cause(CauseKind.DRIFT, reason))
    if what == "replicas" and (policy is OnDrift.REASSERT or scene.release.written):
        return replace(accept_replicas(scene).hold(f"taking back: {reason}"), notes=(reason,))
    return _pause_for_drift(scene, reason)


def _pause_for_drift(scene: Scene, reason: str) -> Decision:
    held = scene.release.pause
    if held is not None and held.kind is PauseKind.DRIFT:
        return scene.hold(f"paused: {held.reason}")
    if held is not None or scene.release.written:
        told = _alert_once(scene, AlertEvent.DRIFT, f"{scene.state.target}: holding, {reason}", reason)
        return told.hold(reason)
    paused = scene.update(pause=Pause(PauseKind.DRIFT, reason, scene.now))
    alert = announce(
        scene,
        AlertEvent.DRIFT,
        f"{scene.state.target}: paused, {reason}",
        mark=f"{scene.now.timestamp():.0f}",
    )
    return paused.go(Phase.PAUSED, reason, Action.HOLD, alert)


def _drift(scene: Scene) -> tuple[Side, str] | None:
    expected = scene.state.expected
    if expected is not None and not scene.surge and scene.stable.replicas != expected.stable:
        return Side.STABLE, "replicas"
    if expected is not None and scene.canary.replicas != expected.canary:
        return Side.CANARY, "replicas"
    return (Side.STABLE, "template") if _foreign_template(scene) else None


def _foreign_template(scene: Scene) -> bool:
    release = scene.release
    allowed = {release.canary.hash} if release.written else {release.stable.hash}
    if release.plan.promote is Promotion.EXTERNAL and scene.state.phase in (Phase.PROMOTING, Phase.BAKING):
        allowed = {release.stable.hash, release.canary.hash}
    return scene.stable.template.hash not in allowed


def notice_edit(scene: Scene) -> Scene:
    """Alert once that stable's template was edited; the same scene when it was not, or was told already."""
    if not _foreign_template(scene):
        return scene
    by = scene.stable.writers.get("template", "someone else")
    reason = f"template of {scene.state.roles.stable} changed by {by}"
    return _alert_once(scene, AlertEvent.DRIFT, f"{scene.state.target}: {reason}", "stable-template")


def frozen(scene: Scene) -> Decision | None:
    """The configuration says `freeze: true`: nothing moves forward."""
    return scene.hold("frozen by the configuration: nothing moves forward") if scene.snapshot.admission.frozen else None


def accept_replicas(scene: Scene) -> Scene:
    """Take the replicas as they are for ours; the next move goes on from there."""
    return replace(scene, state=replace(scene.state, expected=Replicas(scene.stable.replicas, scene.canary.replicas)))
