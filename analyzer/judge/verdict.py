"""From the evidence of all metrics to one verdict. The engine calls `judge` after it has folded new blocks.

Abort: metric i fails when its evidence reaches log(S / (w_i alpha)), with S steps and importances w_i
scaled to sum to 1 over the metrics that gate aborts by a test, so that the chance of any false abort in a
release is at most alpha. Promote: every metric that gates promotion at beta, in the last step only. Abort
wins ties.
"""

from __future__ import annotations

import math
from typing import assert_never

from analyzer.judge.evidence import Evidence, MetricEvidence
from analyzer.judge.guard import GuardEvidence
from analyzer.judge.guard_verdict import judge_guard
from analyzer.judge.ratio import RatioEvidence
from analyzer.judge.ratio_verdict import Thresholds, judge_ratio
from analyzer.model.metric import RatioMetric, Scope
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict

_FAILED = (Classification.HIGH, Classification.LOW)


def judge(evidence: Evidence) -> Verdict:
    """Say what is known about the release in its present step."""
    pairs = tuple((one, _judged(evidence, one)) for one in evidence.metrics)
    culprit = _culprit(pairs)
    promoting = [metric for one, metric in pairs if one.metric.gating.promotes]
    outcome, reason = _outcome(evidence, pairs, culprit)
    folded = [one.last for one in evidence.metrics if one.last is not None]
    return Verdict(
        outcome=outcome,
        reason=reason,
        metrics=tuple(metric for _, metric in pairs),
        culprit=None if culprit is None else culprit.name,
        advance=culprit is None and bool(promoting) and all(metric.advance_proven for metric in promoting),
        adverse=any(metric.adverse for one, metric in pairs if one.metric.gating.aborts),
        covered=_covered(evidence),
        holds=_holds(pairs),
        observed_share=_observed_share(pairs),
        last_block=max(folded, default=None),
    )


_Pairs = tuple[tuple[MetricEvidence, MetricVerdict], ...]


def _judged(evidence: Evidence, one: MetricEvidence) -> MetricVerdict:
    match one:
        case RatioEvidence():
            settled = evidence.starts is not None and evidence.starts.proof is not None
            promote_at = -math.log(evidence.analysis.false_promote)
            return judge_ratio(
                one,
                Thresholds(abort_threshold(evidence, one.metric), promote_at, evidence.timing.block, settled),
            )
        case GuardEvidence():
            return judge_guard(one)
        case _:
            assert_never(one)


def abort_threshold(evidence: Evidence, metric: RatioMetric) -> float:
    """Nats at which this metric aborts; one that only informs is shown against the whole alpha."""
    analysis = evidence.analysis
    importances = [one.importance for one in analysis.metrics if isinstance(one, RatioMetric) and one.gating.aborts]
    share = metric.importance / sum(importances) if metric.gating.aborts and sum(importances) > 0 else 1.0
    return math.log(evidence.steps / (share * analysis.false_abort)) if share > 0 else math.inf


def _culprit(pairs: _Pairs) -> MetricVerdict | None:
    """The metric that ends the release: the test with the most evidence for its threshold, else a guard."""
    failed = [
        metric
        for one, metric in pairs
        if metric.classification in _FAILED and one.metric.gating.aborts and not _spares(one)
    ]
    return max(failed, key=_excess, default=None)


def _excess(metric: MetricVerdict) -> float:
    return -math.inf if metric.evidence is None else metric.evidence.abort - metric.evidence.abort_at


def _spares(one: MetricEvidence) -> bool:
    """A guard on both sides does not accuse the canary: it holds."""
    return isinstance(one, GuardEvidence) and one.metric.scope is Scope.BOTH


def _holds(pairs: _Pairs) -> str | None:
    reasons = [
        metric.reason
        for one, metric in pairs
        if _spares(one) and one.metric.gating.aborts and metric.classification in _FAILED
    ]
    return "; ".join(reasons) or None


def _outcome(evidence: Evidence, pairs: _Pairs, culprit: MetricVerdict | None) -> tuple[Outcome, str]:
    if culprit is not None:
        return Outcome.FAIL, culprit.reason
    gating = [(one, metric) for one, metric in pairs if one.metric.gating.aborts]
    errors = [metric.reason for _, metric in gating if metric.classification is Classification.ERROR]
    if errors:
        return Outcome.ERROR, "; ".join(errors)
    promoting = [metric for one, metric in gating if one.metric.gating.promotes]
    if not promoting:
        return Outcome.INCONCLUSIVE, "no metric gates promotion, so nothing can be proven"
    wanting = [metric.reason for metric in promoting if not metric.proven]
    if wanting:
        return Outcome.INCONCLUSIVE, "; ".join(wanting)
    proven = "; ".join(metric.reason for metric in promoting)
    if not evidence.last_step:
        return Outcome.INCONCLUSIVE, f"proven in this step, not yet in the last one: {proven}"
    return Outcome.PASS, proven


def _covered(evidence: Evidence) -> bool:
    """Has every canary pod been measured by every ratio metric that must be proven (without one: by all)?"""
    ratios = [one for one in evidence.metrics if isinstance(one, RatioEvidence)]
    promoting = [one for one in ratios if one.metric.gating.promotes]
    return all(one.state.presence.covered for one in promoting or ratios)


def _observed_share(pairs: _Pairs) -> float | None:
    for one, metric in pairs:
        if isinstance(one, RatioEvidence):
            both = metric.canary.total + metric.stable.total
            return metric.canary.total / both if both else None
    return None
