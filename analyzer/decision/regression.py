"""In a bake without pods of the old version: has the service become worse since the promotion?

The engine compares the new version's blocks after the promotion with stable's blocks before it, and the judge weighs
them as it weighs a canary. But other times have other traffic, so its error guarantees do not hold here: a regression
raises an alert, and rolls back only where the plan says `onRegression: rollback`.
"""

from __future__ import annotations

from analyzer.decision.alerts import alert_once
from analyzer.decision.context import Context
from analyzer.decision.holdback import comparing
from analyzer.decision.rollback import start_rollback
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Decision
from analyzer.model.plan import OnRegression
from analyzer.model.state import Cause, CauseKind
from analyzer.model.verdict import Classification, MetricVerdict


def notice_regression(context: Context) -> Context:
    """Alert about a regression, once for each metric, with `onRegression: alert`."""
    found = _regression(context)
    if found is None or context.release.plan.on_regression is not OnRegression.ALERT:
        return context
    what = f"{found.name} is worse than before the promotion; not rolled back (onRegression: alert)"
    summary = f"{context.state.target}: {what}. {found.reason}"
    return alert_once(context, AlertEvent.REGRESSION, summary, found.name)


def regressed(context: Context) -> Decision | None:
    """A regression ends the release with `onRegression: rollback`."""
    found = _regression(context)
    if found is None or context.release.plan.on_regression is not OnRegression.ROLLBACK:
        return None
    return start_rollback(context, Cause(CauseKind.REGRESSION, found.reason, found.name))


def compared_with_before(context: Context) -> str:
    """The comparison of the bake, as a part of its reason."""
    verdict = context.verdict
    tests = _tests(context)
    measured = verdict is not None and any(
        metric.name in tests and (metric.stable.total or metric.levels) for metric in verdict.metrics
    )
    return "; compared with the time before the promotion" if measured else ""


def _regression(context: Context) -> MetricVerdict | None:
    """Of the metrics that are worse than before, the one with the most evidence for its threshold."""
    if context.verdict is None or comparing(context) or context.release.known_good:
        return None
    against = (Classification.HIGH, Classification.LOW)
    tests = _tests(context)
    worse = [one for one in context.verdict.metrics if one.name in tests and one.classification in against]
    return max(worse, key=_excess, default=None)


def _tests(context: Context) -> frozenset[str]:
    return frozenset(metric.name for metric in context.release.analysis.tests if metric.gating.aborts)


def _excess(metric: MetricVerdict) -> float:
    return 0.0 if metric.evidence is None else metric.evidence.abort - metric.evidence.abort_at
