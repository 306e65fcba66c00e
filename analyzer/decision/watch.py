"""Rules that hold in every active phase: what ends or stops a release whatever it is doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from analyzer.decision.announce import alert_once
from analyzer.decision.failures import HardFailure, hard_failures, refusal
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Scene
from analyzer.decision.standstill import mixed_images
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Decision
from analyzer.model.duration import show_duration
from analyzer.model.metric import Scope
from analyzer.model.state import Cause, CauseKind
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict
from analyzer.model.workload import Workload

BLIND_AFTER = timedelta(minutes=5)
"""The metrics have to be out of reach this long before an alert says so; the release holds from the first moment."""


def notice_trouble(scene: Scene) -> Scene:
    """Note what lasts, and alert, once each: Prometheus out of reach, a canary pod without series, a broken guard,
    pods of one side with different images."""
    for notice in (_notice_refusal, _notice_blindness, _notice_silent_pods, _notice_guard, _notice_images):
        scene = notice(scene)
    return scene


def _notice_refusal(scene: Scene) -> Scene:
    refused = any(side.replica_failure is not None for side in _running_new(scene))
    if refused == (scene.release.refused_since is not None):
        return scene
    return scene.update(refused_since=scene.now if refused else None)


def _notice_blindness(scene: Scene) -> Scene:
    release, verdict = scene.release, scene.verdict
    if verdict is None:
        return scene
    if verdict.outcome is not Outcome.ERROR:
        return scene if release.blind_since is None else scene.update(blind_since=None)
    if release.blind_since is None:
        return scene.update(blind_since=scene.now)
    if scene.now - release.blind_since < BLIND_AFTER:
        return scene
    summary = f"{scene.state.target}: holding, no usable answer from Prometheus for {show_duration(BLIND_AFTER)}"
    mark = f"metrics-{release.blind_since:%Y%m%dT%H%M%SZ}"
    return alert_once(scene, AlertEvent.STUCK, f"{summary}: {verdict.reason}", mark)


def _notice_silent_pods(scene: Scene) -> Scene:
    if scene.release.written and not scene.release.held_back:
        return scene  # a bake waits for nobody's series
    for metric in _silenced(scene.verdict):
        summary = f"{scene.state.target}: holding, {_silence(metric)}"
        scene = alert_once(scene, AlertEvent.STUCK, summary, f"silent-{metric.name}")
    return scene


def _notice_guard(scene: Scene) -> Scene:
    if scene.verdict is None or scene.verdict.holds is None:
        return scene
    summary = f"{scene.state.target}: holding, {scene.verdict.holds}"
    return alert_once(scene, AlertEvent.GUARD, summary, f"step{scene.release.step}")


def _notice_images(scene: Scene) -> Scene:
    for side in (scene.snapshot.stable, scene.snapshot.canary):
        mixed = mixed_images(side) if side else None
        if side and mixed:
            summary = f"{scene.state.target}: {mixed}"
            scene = alert_once(scene, AlertEvent.STUCK, summary, f"images-{side.name}")
    return scene


def unmeasured(verdict: Verdict) -> str | None:
    """Ready canary pods that give no series, though stable's do: what they do is not known."""
    return "; ".join(_silence(metric) for metric in _silenced(verdict)) or None


def _silenced(verdict: Verdict | None) -> tuple[MetricVerdict, ...]:
    return tuple(metric for metric in verdict.metrics if metric.silent_pods) if verdict else ()


def _silence(metric: MetricVerdict) -> str:
    return f"no series of {metric.name} from ready canary pods {', '.join(metric.silent_pods)}"


def superseded(scene: Scene) -> Decision | None:
    """A new canary template takes the place of the one that is being released.

    A Deployment that was deleted and made again between two ticks is a new version too: versions are keyed by uid.
    """
    release, handled = scene.release, scene.state.handled
    if release.written:
        return None
    if scene.canary.template.hash != release.canary.hash:
        what = f"superseded by {scene.canary.template.hash}"
    elif handled is not None and handled.uid != scene.canary.uid:
        what = f"superseded: {scene.canary.name} was deleted and made again"
    else:
        return None
    return give_up(scene, Cause(CauseKind.SUPERSEDED, f"version {release.canary.hash} was {what}"))


def hard_failed(scene: Scene) -> Decision | None:
    """The new version's pods fail by themselves, and the old version's do not fail alike."""
    shared = _kinds_of_stable(scene)
    alone = next((failure for failure in _failures(scene) if failure.kind not in shared), None)
    return None if alone is None else give_up(scene, Cause(CauseKind.HARD_FAILURE, alone.reason, alone.kind))


def failing_alike(scene: Scene) -> Decision | None:
    """Both versions fail in the same way at the same time: something else is broken. Hold, and tell."""
    failure = next(_failures(scene), None)
    if failure is None:
        return None
    reason = f"both sides fail alike: {failure.reason}"
    told = alert_once(scene, AlertEvent.STUCK, f"{scene.state.target}: holding, {reason}", f"both-{failure.kind}")
    return told.hold(reason)


def _failures(scene: Scene) -> Iterator[HardFailure]:
    release = scene.release
    lasting = scene.now - (release.refused_since or scene.now)
    for side in _running_new(scene):
        yield from hard_failures(side, scene.now, release.plan.ready_within)
        if lasting >= release.plan.ready_within:
            yield from refusal(side, lasting)


def _kinds_of_stable(scene: Scene) -> frozenset[str]:
    """How stable's pods fail. What hits both sides at once may have made the canary's crash once more by now: one
    restart of a stable pod that waits for its next start is enough."""
    if scene.release.written:
        return frozenset()
    found = [*hard_failures(scene.stable, scene.now, scene.release.plan.ready_within, crashes=1)]
    return frozenset(failure.kind for failure in (*found, *refusal(scene.stable, timedelta(0))))


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


def guard_failed(scene: Scene) -> Decision | None:
    """A guard of the canary is broken. Where nothing is left to compare with, only guards may speak."""
    guards = {
        metric.name
        for metric in scene.release.analysis.metrics
        if metric.kind == "query" and metric.gating.aborts and metric.scope is Scope.CANARY
    }
    broken = (Classification.HIGH, Classification.LOW)
    for metric in scene.verdict.metrics if scene.verdict else ():
        if metric.name in guards and metric.classification in broken:
            return give_up(scene, Cause(CauseKind.GUARD, metric.reason, metric.name))
    return None


def frozen(scene: Scene) -> Decision | None:
    """The configuration says `freeze: true`, or operators can't be heard: nothing moves forward."""
    why = scene.snapshot.admission.standstill
    return scene.hold(f"{why}: nothing moves forward") if why else None
