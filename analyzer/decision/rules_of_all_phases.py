"""Rules that hold in every active phase: what ends or stops a release whatever it is doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from analyzer.decision.alerts import alert_once
from analyzer.decision.blockers import mixed_images
from analyzer.decision.context import Context
from analyzer.decision.failures import HardFailure, hard_failures, refusal
from analyzer.decision.rollback import give_up
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Decision
from analyzer.model.duration import show_duration
from analyzer.model.metric import Scope
from analyzer.model.state import Cause, CauseKind
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict
from analyzer.model.workload import Workload

BLIND_AFTER = timedelta(minutes=5)
"""The metrics have to be out of reach this long before an alert says so; the release holds from the first moment."""


def notice_trouble(context: Context) -> Context:
    """Note what lasts, and alert, once each: Prometheus out of reach, a canary pod without series, a broken guard,
    pods of one side with different images."""
    for notice in (_notice_refusal, _notice_blindness, _notice_silent_pods, _notice_guard, _notice_images):
        context = notice(context)
    return context


def _notice_refusal(context: Context) -> Context:
    refused = any(side.replica_failure is not None for side in _running_new(context))
    if refused == (context.release.refused_since is not None):
        return context
    return context.update(refused_since=context.now if refused else None)


def _notice_blindness(context: Context) -> Context:
    release, verdict = context.release, context.verdict
    if verdict is None:
        return context
    if verdict.outcome is not Outcome.ERROR:
        return context if release.blind_since is None else context.update(blind_since=None)
    if release.blind_since is None:
        return context.update(blind_since=context.now)
    if context.now - release.blind_since < BLIND_AFTER:
        return context
    summary = f"{context.state.target}: holding, no usable answer from Prometheus for {show_duration(BLIND_AFTER)}"
    mark = f"metrics-{release.blind_since:%Y%m%dT%H%M%SZ}"
    return alert_once(context, AlertEvent.STUCK, f"{summary}: {verdict.reason}", mark)


def _notice_silent_pods(context: Context) -> Context:
    if context.release.written and not context.release.held_back:
        return context  # a bake waits for nobody's series
    for metric in _silenced(context.verdict):
        summary = f"{context.state.target}: holding, {_silence(metric)}"
        context = alert_once(context, AlertEvent.STUCK, summary, f"silent-{metric.name}")
    return context


def _notice_guard(context: Context) -> Context:
    if context.verdict is None or context.verdict.holds is None:
        return context
    summary = f"{context.state.target}: holding, {context.verdict.holds}"
    return alert_once(context, AlertEvent.GUARD, summary, f"step{context.release.step}")


def _notice_images(context: Context) -> Context:
    for side in (context.snapshot.stable, context.snapshot.canary):
        mixed = mixed_images(side) if side else None
        if side and mixed:
            summary = f"{context.state.target}: {mixed}"
            context = alert_once(context, AlertEvent.STUCK, summary, f"images-{side.name}")
    return context


def unmeasured(verdict: Verdict) -> str | None:
    """Ready canary pods that give no series, though stable's do: what they do is not known."""
    return "; ".join(_silence(metric) for metric in _silenced(verdict)) or None


def _silenced(verdict: Verdict | None) -> tuple[MetricVerdict, ...]:
    return tuple(metric for metric in verdict.metrics if metric.silent_pods) if verdict else ()


def _silence(metric: MetricVerdict) -> str:
    return f"no series of {metric.name} from ready canary pods {', '.join(metric.silent_pods)}"


def superseded(context: Context) -> Decision | None:
    """A new canary template takes the place of the one that is being released.

    A Deployment that was deleted and made again between two ticks is a new version too: versions are keyed by uid.
    """
    release, handled = context.release, context.state.handled
    if release.written:
        return None
    if context.canary.template.hash != release.canary.hash:
        what = f"superseded by {context.canary.template.hash}"
    elif handled is not None and handled.uid != context.canary.uid:
        what = f"superseded: {context.canary.name} was deleted and made again"
    else:
        return None
    return give_up(context, Cause(CauseKind.SUPERSEDED, f"version {release.canary.hash} was {what}"))


def hard_failed(context: Context) -> Decision | None:
    """The new version's pods fail by themselves, and the old version's do not fail alike."""
    shared = _kinds_of_stable(context)
    alone = next((failure for failure in _failures(context) if failure.kind not in shared), None)
    return None if alone is None else give_up(context, Cause(CauseKind.HARD_FAILURE, alone.reason, alone.kind))


def failing_alike(context: Context) -> Decision | None:
    """Both versions fail in the same way at the same time: something else is broken. Hold, and tell."""
    failure = next(_failures(context), None)
    if failure is None:
        return None
    reason = f"both sides fail alike: {failure.reason}"
    told = alert_once(context, AlertEvent.STUCK, f"{context.state.target}: holding, {reason}", f"both-{failure.kind}")
    return told.hold(reason)


def _failures(context: Context) -> Iterator[HardFailure]:
    release = context.release
    lasting = context.now - (release.refused_since or context.now)
    for side in _running_new(context):
        yield from hard_failures(side, context.now, release.plan.ready_within)
        if lasting >= release.plan.ready_within:
            yield from refusal(side, lasting)


def _kinds_of_stable(context: Context) -> frozenset[str]:
    """How stable's pods fail. What hits both sides at once may have made the canary's crash once more by now: one
    restart of a stable pod that waits for its next start is enough."""
    if context.release.written:
        return frozenset()
    found = [*hard_failures(context.stable, context.now, context.release.plan.ready_within, crashes=1)]
    return frozenset(failure.kind for failure in (*found, *refusal(context.stable, timedelta(0))))


def _running_new(context: Context) -> tuple[Workload, ...]:
    """The sides that run the version being released: the canary's, and stable once it was written there."""
    sides = (context.canary, context.stable) if context.release.written else (context.canary,)
    return tuple(side for side in sides if side.template.hash == context.release.canary.hash)


def failed(context: Context) -> Decision | None:
    """The judge says FAIL: a metric's test, or a guard of the canary."""
    verdict = context.verdict
    if verdict is None or verdict.outcome is not Outcome.FAIL or context.release.known_good:
        return None
    guards = {metric.name for metric in context.release.analysis.metrics if metric.kind == "query"}
    kind = CauseKind.GUARD if verdict.culprit in guards else CauseKind.FAIL
    return give_up(context, Cause(kind, verdict.reason, verdict.culprit))


def guard_failed(context: Context) -> Decision | None:
    """A guard of the canary is broken. Where nothing is left to compare with, only guards may speak."""
    guards = {
        metric.name
        for metric in context.release.analysis.metrics
        if metric.kind == "query" and metric.gating.aborts and metric.scope is Scope.CANARY
    }
    broken = (Classification.HIGH, Classification.LOW)
    for metric in context.verdict.metrics if context.verdict else ():
        if metric.name in guards and metric.classification in broken:
            return give_up(context, Cause(CauseKind.GUARD, metric.reason, metric.name))
    return None


def frozen(context: Context) -> Decision | None:
    """The configuration says `freeze: true`, or operators can't be heard: nothing moves forward."""
    why = context.snapshot.admission.standstill
    return context.hold(f"{why}: nothing moves forward") if why else None
