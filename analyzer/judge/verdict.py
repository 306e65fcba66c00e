"""From the evidence of all metrics to one verdict. The engine calls `judge` after it has folded new blocks.

Abort: metric i fails when its evidence reaches log(S / (w_i alpha)), with S steps and importances w_i
scaled to sum to 1 over the metrics that gate aborts by a test, so that the chance of any false abort in a
release is at most alpha. A ratio metric with a fast lane spends a tenth of its alpha there. Promote: every
metric that gates promotion at beta, in the last step only. Abort wins ties.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.counts.fast_lane import SHARE
from analyzer.judge.evidence import Evidence
from analyzer.judge.families import MetricEvidence, family_of
from analyzer.judge.guards.evidence import GuardEvidence
from analyzer.judge.thresholds import Thresholds, alpha_of
from analyzer.model.metric import Scope
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict

FAILED = (Classification.HIGH, Classification.LOW)
"""Classes of a metric that is against the canary."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Evidence with the verdict on it."""

    evidence: Evidence
    verdict: Verdict


def judge(evidence: Evidence) -> Verdict:
    """Say what is known about the release in its present step."""
    return _verdict(evidence, tuple((one, judge_metric(evidence, one)) for one in evidence.metrics))


def judge_after(evidence: Evidence, earlier: Judged | None) -> Judged:
    """The same, where an `earlier` verdict is at hand: metrics whose evidence is the same are not judged again."""
    if earlier is None:
        return Judged(evidence, judge(evidence))
    if earlier.evidence is evidence:
        return earlier
    before = {id(one): found for one, found in zip(earlier.evidence.metrics, earlier.verdict.metrics, strict=True)}
    pairs = tuple((one, _again(evidence, one, earlier, before.get(id(one)))) for one in evidence.metrics)
    return Judged(evidence, _verdict(evidence, pairs))


def _again(evidence: Evidence, one: MetricEvidence, earlier: Judged, known: MetricVerdict | None) -> MetricVerdict:
    """What is known of this very evidence, where it is measured by the same thresholds still."""
    if known is None or thresholds_of(evidence, one) != thresholds_of(earlier.evidence, one):
        return judge_metric(evidence, one)
    return known


def _verdict(evidence: Evidence, pairs: _Pairs) -> Verdict:
    culprit = _culprit(pairs)
    outcome, reason = _outcome(evidence, pairs, culprit)
    folded = [one.last for one in evidence.metrics if one.last is not None]
    return Verdict(
        outcome=outcome,
        reason=reason,
        metrics=tuple(metric for _, metric in pairs),
        culprit=None if culprit is None else culprit.name,
        advance=culprit is None and _advances(pairs),
        adverse=any(metric.adverse for one, metric in pairs if one.metric.gating.aborts),
        covered=_covered(evidence),
        holds=_holds(pairs),
        observed_share=_observed_share(pairs),
        last_block=max(folded, default=None),
    )


_Pairs = tuple[tuple[MetricEvidence, MetricVerdict], ...]


def _advances(pairs: _Pairs) -> bool:
    needed = _needed(pairs)
    return bool(needed) and all(metric.advance_proven for metric in needed)


def _needed(pairs: _Pairs) -> tuple[MetricVerdict, ...]:
    """What the looser proof is needed of, to advance: of kinds that prove steps; where none gates promotion, of all."""
    promoting = [(one, metric) for one, metric in pairs if one.metric.gating.promotes]
    leading = tuple(metric for one, metric in promoting if one.metric.proves_steps)
    return leading or tuple(metric for _, metric in promoting)


def judge_metric(evidence: Evidence, one: MetricEvidence) -> MetricVerdict:
    """Classify one of the evidence's metrics."""
    return family_of(one.metric).judge(one, thresholds_of(evidence, one))


def thresholds_of(evidence: Evidence, one: MetricEvidence) -> Thresholds:
    """Nats at which this metric decides; one that only informs is shown against the whole alpha. A guard has no part
    of it: no evidence of it decides."""
    alpha = 0.0 if isinstance(one, GuardEvidence) else alpha_of(evidence.analysis, one.metric) / evidence.steps
    fast = isinstance(one, CountEvidence) and one.fast is not None
    return Thresholds(
        abort=_nats((1 - SHARE) * alpha if fast else alpha),
        promote=_nats(evidence.analysis.false_promote),
        block=evidence.timing.block,
        settled=evidence.starts is not None and evidence.starts.proof is not None,
        fast=_nats(SHARE * alpha) if fast else math.inf,
        last_step=evidence.last_step,
        sides=evidence.sides,
    )


def _nats(level: float) -> float:
    return -math.log(level) if level > 0 else math.inf


def _culprit(pairs: _Pairs) -> MetricVerdict | None:
    """The metric that ends the release: the test with the most evidence for its threshold, else a guard."""
    failed = [
        metric
        for one, metric in pairs
        if metric.classification in FAILED and one.metric.gating.aborts and not spares(one)
    ]
    return max(failed, key=_excess, default=None)


def _excess(metric: MetricVerdict) -> float:
    return -math.inf if metric.evidence is None else metric.evidence.abort - metric.evidence.abort_at


def spares(one: MetricEvidence) -> bool:
    """A guard on both sides does not accuse the canary: it holds."""
    return isinstance(one, GuardEvidence) and one.metric.scope is Scope.BOTH


def _holds(pairs: _Pairs) -> str | None:
    reasons = [
        metric.reason
        for one, metric in pairs
        if spares(one) and one.metric.gating.aborts and metric.classification in FAILED
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
        return Outcome.INCONCLUSIVE, "no metric gates promotion, so there is nothing to pass"
    if not evidence.last_step:
        needed = _needed(pairs)
        missing = _missing([metric for metric in needed if not metric.advance_proven])
        return Outcome.INCONCLUSIVE, missing or f"enough evidence to advance: {_names(needed)}"
    missing = _missing([metric for metric in promoting if not metric.proven])
    return (Outcome.INCONCLUSIVE, missing) if missing else (Outcome.PASS, f"passed: {_names(promoting)}")


def _missing(metrics: Sequence[MetricVerdict]) -> str:
    """What these metrics wait for, each thing once with the names of all that wait for it."""
    waiting: dict[str, list[MetricVerdict]] = {}
    for metric in metrics:
        waiting.setdefault(metric.waiting or metric.reason, []).append(metric)
    return "; ".join(f"{_names(several)}: {why}" for why, several in waiting.items())


def _names(metrics: Iterable[MetricVerdict]) -> str:
    return ", ".join(metric.name for metric in metrics)


def _covered(evidence: Evidence) -> bool:
    """Has every canary pod been measured by every test that must be proven (without one: by all)?"""
    tests = [one for one in evidence.metrics if not isinstance(one, GuardEvidence)]
    promoting = [one for one in tests if one.metric.gating.promotes]
    return all(one.state.presence.covered for one in promoting or tests)


def _observed_share(pairs: _Pairs) -> float | None:
    for one, metric in pairs:
        if one.metric.counts_requests:
            both = metric.canary.total + metric.stable.total
            return metric.canary.total / both if both else None
    return None
