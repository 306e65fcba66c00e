"""Rules of every active phase: what aborts or holds a release whatever it is doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from analyzer.decision.alerts import alert_once
from analyzer.decision.blockers import mixed_images
from analyzer.decision.context import Context
from analyzer.decision.failures import HardFailure, hard_failures, replica_failure
from analyzer.decision.rollback import start_rollback
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Decision
from analyzer.model.duration import show_duration
from analyzer.model.metric import Scope
from analyzer.model.state import Cause, CauseKind
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict
from analyzer.model.workload import Workload

BLIND_AFTER = timedelta(minutes=5)
"""An unusable Prometheus raises an alert after this long; the release holds from the first moment."""


def notice_trouble(context: Context) -> Context:
    """Alert once each about what lasts: an unusable Prometheus, a canary pod without series, a failed guard, pods of
    one side with different images."""
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
    summary = f"{context.state.target}: holding, no usable response from Prometheus for {show_duration(BLIND_AFTER)}"
    mark = f"metrics-{release.blind_since:%Y%m%dT%H%M%SZ}"
    return alert_once(context, AlertEvent.STUCK, f"{summary}. {verdict.reason}", mark)


def _notice_silent_pods(context: Context) -> Context:
    if context.release.written and not context.release.held_back:
        return context  # a bake does not wait for series
    for metric in _silenced(context.verdict):
        summary = f"{context.state.target}: holding, {_silence(metric)}"
        context = alert_once(context, AlertEvent.STUCK, summary, f"silent-{metric.name}")
    return context


def _notice_guard(context: Context) -> Context:
    if context.verdict is None or context.verdict.holds is None:
        return context
    summary = f"{context.state.target}: holding, a guard on both sides failed. {context.verdict.holds}"
    return alert_once(context, AlertEvent.GUARD, summary, f"step{context.release.step}")


def _notice_images(context: Context) -> Context:
    for side in (context.snapshot.stable, context.snapshot.canary):
        mixed = mixed_images(side) if side else None
        if side and mixed:
            summary = f"{context.state.target}: {mixed}"
            context = alert_once(context, AlertEvent.STUCK, summary, f"images-{side.name}")
    return context


def silent_pods(verdict: Verdict) -> str | None:
    """Ready canary pods without series, though stable's have them: how they do is not known."""
    return "; ".join(_silence(metric) for metric in _silenced(verdict)) or None


def _silenced(verdict: Verdict | None) -> tuple[MetricVerdict, ...]:
    return tuple(metric for metric in verdict.metrics if metric.silent_pods) if verdict else ()


def _silence(metric: MetricVerdict) -> str:
    pods = ", ".join(metric.silent_pods)
    if len(metric.silent_pods) == 1:
        return f"ready canary pod {pods} has no series for {metric.name} in Prometheus; check that it is scraped"
    return f"ready canary pods {pods} have no series for {metric.name} in Prometheus; check that they are scraped"


def superseded(context: Context) -> Decision | None:
    """A new canary template takes the place of the one that is being released.

    A Deployment that was deleted and recreated between two ticks is a new version too: versions are keyed by uid.
    """
    release, handled = context.release, context.state.handled
    if release.written:
        return None
    if context.canary.template.hash != release.canary.hash:
        reason = f"version {release.canary.hash} was superseded by {context.canary.template.hash}"
    elif handled is not None and handled.uid != context.canary.uid:
        reason = f"version {release.canary.hash} was superseded: {context.canary.name} was deleted and recreated"
    else:
        return None
    return start_rollback(context, Cause(CauseKind.SUPERSEDED, reason))


def hard_failed(context: Context) -> Decision | None:
    """The new version's pods fail, in a way that the old version's do not."""
    shared = _kinds_of_stable(context)
    alone = next((failure for failure in _failures(context) if failure.kind not in shared), None)
    return None if alone is None else start_rollback(context, Cause(CauseKind.HARD_FAILURE, alone.reason, alone.kind))


def failing_on_both_sides(context: Context) -> Decision | None:
    """Both versions fail in the same way at the same time: something else is broken. Hold and alert."""
    failure = next(_failures(context), None)
    if failure is None:
        return None
    same = "stable and canary fail the same way"
    summary = f"{context.state.target}: holding, {same}: {failure.reason}"
    alerted = alert_once(context, AlertEvent.STUCK, summary, f"both-{failure.kind}")
    return alerted.hold(f"{same}; holding: {failure.reason}")


def _failures(context: Context) -> Iterator[HardFailure]:
    release = context.release
    lasting = context.now - (release.refused_since or context.now)
    for side in _running_new(context):
        yield from hard_failures(side, context.now, release.plan.ready_within)
        if lasting >= release.plan.ready_within:
            yield from replica_failure(side, lasting)


def _kinds_of_stable(context: Context) -> frozenset[str]:
    """How stable's pods fail. What hits both sides at once may have restarted the canary's once more by now: one
    restart of a stable pod in back-off is enough."""
    if context.release.written:
        return frozenset()
    found = [*hard_failures(context.stable, context.now, context.release.plan.ready_within, crashes=1)]
    return frozenset(failure.kind for failure in (*found, *replica_failure(context.stable, timedelta(0))))


def _running_new(context: Context) -> tuple[Workload, ...]:
    """The sides that run the version being released: the canary's, and stable once it was written there."""
    sides = (context.canary, context.stable) if context.release.written else (context.canary,)
    return tuple(side for side in sides if side.template.hash == context.release.canary.hash)


def failed(context: Context) -> Decision | None:
    """The judge says FAIL: a metric's test, or a guard of the canary."""
    verdict = context.verdict
    if verdict is None or verdict.outcome is not Outcome.FAIL or context.release.known_good:
        return None
    guards = {metric.name for metric in context.release.analysis.guards}
    kind = CauseKind.GUARD if verdict.culprit in guards else CauseKind.FAIL
    return start_rollback(context, Cause(kind, verdict.reason, verdict.culprit))


def guard_failed(context: Context) -> Decision | None:
    """A guard of the canary failed. Where nothing is left to compare with, only guards decide."""
    guards = {
        metric.name
        for metric in context.release.analysis.guards
        if metric.gating.aborts and metric.scope is Scope.CANARY
    }
    broken = (Classification.HIGH, Classification.LOW)
    for metric in context.verdict.metrics if context.verdict else ():
        if metric.name in guards and metric.classification in broken:
            return start_rollback(context, Cause(CauseKind.GUARD, metric.reason, metric.name))
    return None


def frozen(context: Context) -> Decision | None:
    """`freeze: true` in the configuration, or operators' commands cannot be read: nothing moves forward."""
    why = context.snapshot.admission.freeze_reason
    return context.hold(f"{why}; nothing moves forward") if why else None
