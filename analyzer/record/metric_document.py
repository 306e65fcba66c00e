"""What the documents say about one metric: classification, numbers, evidence and noise, as plain JSON."""

from __future__ import annotations

import math
from typing import Any

from analyzer.model.block import Counts
from analyzer.model.noise import Noise
from analyzer.model.verdict import LogEvidence, MetricVerdict, Verdict


def metrics_of(verdict: Verdict | None) -> list[dict[str, Any]]:
    """Each metric of a verdict; empty without one.

    `evidence` is progress towards a decision, 0 to 1. `logEvidence` has its logarithms, with the thresholds.
    """
    return [_metric(metric) for metric in verdict.metrics] if verdict else []


def rounded(value: float | None) -> float | None:
    """Four decimals; JSON has no infinity: what is not bounded is null."""
    return None if value is None or not math.isfinite(value) else round(value, 4)


def plain(value: float) -> float:
    """Whole numbers without a decimal point, as people write them; the others to a thousandth."""
    return int(value) if value == int(value) else round(value, 3)


def _metric(metric: MetricVerdict) -> dict[str, Any]:
    return {
        "name": metric.name,
        "classification": metric.classification.value,
        "reason": metric.reason,
        "waiting": metric.waiting,
        "canary": _counts(metric.canary),
        "stable": _counts(metric.stable),
        "levels": _levels(metric),
        "unit": metric.unit.value if metric.unit else None,
        "ratio": rounded(metric.ratio),
        "interval": [rounded(bound) for bound in metric.finite_interval() or ()] or None,
        "evidence": _progress(metric.evidence) if metric.evidence else None,
        "logEvidence": _log_evidence(metric.evidence) if metric.evidence else None,
        "lane": metric.lane,
        "proven": metric.proven,
        "secondsToPromote": rounded(metric.seconds_to_promote),
        "secondsToAdvance": rounded(metric.seconds_to_advance),
        "silentPods": list(metric.silent_pods),
        "noise": _noise(metric.noise) if metric.noise else None,
        "smallestVisible": rounded(metric.smallest_visible),
        "noiseNote": metric.noise_note,
        "boundary": metric.boundary,
        "query": metric.query,
    }


def _counts(counts: Counts) -> dict[str, float]:
    return {"events": plain(counts.events), "total": plain(counts.total)}


def _levels(metric: MetricVerdict) -> dict[str, float] | None:
    """What a gauge has where other metrics have counts."""
    if metric.levels is None:
        return None
    return {side: float(f"{level:.4g}") for side, level in zip(("canary", "stable"), metric.levels, strict=True)}


def _progress(evidence: LogEvidence) -> dict[str, float]:
    return {
        "abort": _floored(evidence.abort_progress),
        "promote": _floored(evidence.promote_progress),
        "advance": _floored(evidence.advance_progress),
    }


def _floored(share: float) -> float:
    """Three decimals, and 1 only where the threshold is reached."""
    return math.floor(1000 * share) / 1000


def _log_evidence(evidence: LogEvidence) -> dict[str, float | None]:
    return {
        "abort": rounded(evidence.abort),
        "promote": rounded(evidence.promote),
        "advance": rounded(evidence.advance),
        "abortAt": rounded(evidence.abort_at),
        "promoteAt": rounded(evidence.promote_at),
    }


def _noise(noise: Noise) -> dict[str, Any]:
    return {
        "dispersion": rounded(noise.dispersion),
        "podSpread": rounded(noise.pod_spread),
        "withinPod": rounded(noise.within_pod),
        "source": noise.source,
    }
