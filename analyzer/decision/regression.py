"""In a bake without pods of the old version: has the service become worse since the promotion?

The engine puts what the new version does now beside what stable did before the promotion, and the judge weighs that as
it weighs a canary. But other times have other traffic, so its error rates mean nothing here: what comes out is told,
and acted on only where the plan says `onRegression: rollback`.
"""

from __future__ import annotations

from analyzer.decision.announce import alert_once
from analyzer.decision.holdback import comparing
from analyzer.decision.rollback import give_up
from analyzer.decision.scene import Scene
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Decision
from analyzer.model.plan import OnRegression
from analyzer.model.state import Cause, CauseKind
from analyzer.model.verdict import Classification, MetricVerdict


def notice_regression(scene: Scene) -> Scene:
    """Tell of a regression, once for each metric, where that is all that is wished."""
    found = _regression(scene)
    if found is None or scene.release.plan.on_regression is not OnRegression.ALERT:
        return scene
    summary = f"{scene.state.target}: {_reason(found)}; nothing is rolled back (onRegression: alert)"
    return alert_once(scene, AlertEvent.REGRESSION, summary, found.name)


def regressed(scene: Scene) -> Decision | None:
    """A regression, and the plan says that it ends the release."""
    found = _regression(scene)
    if found is None or scene.release.plan.on_regression is not OnRegression.ROLLBACK:
        return None
    return give_up(scene, Cause(CauseKind.REGRESSION, _reason(found), found.name))


def beside_before(scene: Scene) -> str:
    """What the bake compares with, as a part of its reason."""
    verdict = scene.verdict
    tests = _tests(scene)
    measured = verdict is not None and any(
        metric.name in tests and (metric.stable.total or metric.levels) for metric in verdict.metrics
    )
    return ", compared with stable before the promotion" if measured else ""


def _regression(scene: Scene) -> MetricVerdict | None:
    """The metric with the most evidence for its threshold, of those that are worse than before."""
    if scene.verdict is None or comparing(scene) or scene.release.known_good:
        return None
    against = (Classification.HIGH, Classification.LOW)
    tests = _tests(scene)
    worse = [one for one in scene.verdict.metrics if one.name in tests and one.classification in against]
    return max(worse, key=_excess, default=None)


def _tests(scene: Scene) -> frozenset[str]:
    return frozenset(
        metric.name for metric in scene.release.analysis.metrics if metric.kind != "query" and metric.gating.aborts
    )


def _excess(metric: MetricVerdict) -> float:
    return 0.0 if metric.evidence is None else metric.evidence.abort - metric.evidence.abort_at


def _reason(metric: MetricVerdict) -> str:
    return f'worse since the promotion (here "canary") than before it ("stable"): {metric.reason}'
