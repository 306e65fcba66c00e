"""In a bake without pods of the old version: has the service become worse since the promotion?

The engine puts what the new version does now beside what stable did before the promotion, and the judge weighs that as
it weighs a canary. But other times have other traffic, so its error rates mean nothing here: what comes out is told,
and acted on only where the plan says `onRegression: rollback`.
"""

from __future__ import annotations

from analyzer.decision.alerts import alert_once
from analyzer.decision.context import Context
from analyzer.decision.holdback import comparing
from analyzer.decision.rollback import give_up
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Decision
from analyzer.model.plan import OnRegression
from analyzer.model.state import Cause, CauseKind
from analyzer.model.verdict import Classification, MetricVerdict


def notice_regression(context: Context) -> Context:
    """Tell of a regression, once for each metric, where that is all that is wished."""
    found = _regression(context)
    if found is None or context.release.plan.on_regression is not OnRegression.ALERT:
        return context
    summary = f"{context.state.target}: {_reason(found)}; nothing is rolled back (onRegression: alert)"
    return alert_once(context, AlertEvent.REGRESSION, summary, found.name)


def regressed(context: Context) -> Decision | None:
    """A regression, and the plan says that it ends the release."""
    found = _regression(context)
    if found is None or context.release.plan.on_regression is not OnRegression.ROLLBACK:
        return None
    return give_up(context, Cause(CauseKind.REGRESSION, _reason(found), found.name))


def beside_before(context: Context) -> str:
    """What the bake compares with, as a part of its reason."""
    verdict = context.verdict
    tests = _tests(context)
    measured = verdict is not None and any(
        metric.name in tests and (metric.stable.total or metric.levels) for metric in verdict.metrics
    )
    return ", compared with stable before the promotion" if measured else ""


def _regression(context: Context) -> MetricVerdict | None:
    """The metric with the most evidence for its threshold, of those that are worse than before."""
    if context.verdict is None or comparing(context) or context.release.known_good:
        return None
    against = (Classification.HIGH, Classification.LOW)
    tests = _tests(context)
    worse = [one for one in context.verdict.metrics if one.name in tests and one.classification in against]
    return max(worse, key=_excess, default=None)


def _tests(context: Context) -> frozenset[str]:
    return frozenset(
        metric.name for metric in context.release.analysis.metrics if metric.kind != "query" and metric.gating.aborts
    )


def _excess(metric: MetricVerdict) -> float:
    return 0.0 if metric.evidence is None else metric.evidence.abort - metric.evidence.abort_at


def _reason(metric: MetricVerdict) -> str:
    return f'worse since the promotion (here "canary") than before it ("stable"): {metric.reason}'
