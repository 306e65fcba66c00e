"""What status, history, alerts, the log and program output say of a verdict: the one place for its numbers in JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analyzer.model.block import Counts
from analyzer.model.noise import Noise
from analyzer.model.plain_json import JsonDocument
from analyzer.model.verdict import LogEvidence, MetricVerdict, Verdict


@dataclass(frozen=True, slots=True)
class Levels(JsonDocument):
    """What a gauge has where other metrics have counts."""

    canary: float
    stable: float


@dataclass(frozen=True, slots=True)
class EvidenceProgress(JsonDocument):
    """Progress towards each decision, 0 to 1; it is 1 only where the threshold is reached."""

    abort: float
    promote: float
    advance: float


@dataclass(frozen=True, slots=True)
class EvidenceLogarithms(JsonDocument):
    """The logarithms behind the progress, and the thresholds; None: not bounded."""

    abort: float | None
    promote: float | None
    advance: float | None
    abort_at: float | None
    promote_at: float | None


@dataclass(frozen=True, slots=True)
class NoiseDocument(JsonDocument):
    """The noise that was taken for a metric, see `Noise`."""

    dispersion: float
    pod_spread: float
    within_pod: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDocument(JsonDocument):
    """One metric of a verdict, see `MetricVerdict`. Enumerations are text: a newer version may write other values."""

    name: str
    classification: str
    reason: str
    waiting: str | None = None
    canary: Counts = Counts(0, 0)
    stable: Counts = Counts(0, 0)
    levels: Levels | None = None
    unit: str | None = None
    ratio: float | None = None
    interval: tuple[float | None, float | None] | None = None
    evidence: EvidenceProgress | None = None
    log_evidence: EvidenceLogarithms | None = None
    lane: str = "main"
    proven: bool = False
    seconds_to_promote: float | None = None
    seconds_to_advance: float | None = None
    silent_pods: tuple[str, ...] = ()
    noise: NoiseDocument | None = None
    smallest_visible: float | None = None
    noise_note: str | None = None
    boundary: str | None = None
    query: str | None = None


def metric_documents(verdict: Verdict | None) -> tuple[MetricDocument, ...]:
    """Each metric of a verdict; empty without one."""
    return tuple(map(metric_document, verdict.metrics)) if verdict else ()


def metric_document(metric: MetricVerdict, digits: int | None = 4) -> MetricDocument:
    """One metric with its numbers to so many decimals; None: as they are, where a program goes on calculating."""
    low, high = metric.interval or (None, None)
    noise, evidence = metric.noise, metric.evidence
    return MetricDocument(
        name=metric.name,
        classification=metric.classification,
        reason=metric.reason,
        waiting=metric.waiting,
        canary=Counts(plain(metric.canary.events), plain(metric.canary.total)),
        stable=Counts(plain(metric.stable.events), plain(metric.stable.total)),
        levels=Levels(*(float(f"{level:.4g}") for level in metric.levels)) if metric.levels else None,
        unit=metric.unit,
        ratio=rounded(metric.ratio, digits),
        interval=(rounded(low, digits), rounded(high, digits)) if metric.interval else None,
        evidence=_progress(evidence) if evidence else None,
        log_evidence=_logarithms(evidence, digits) if evidence else None,
        lane=metric.lane,
        proven=metric.proven,
        seconds_to_promote=rounded(metric.seconds_to_promote, digits),
        seconds_to_advance=rounded(metric.seconds_to_advance, digits),
        silent_pods=metric.silent_pods,
        noise=noise_document(noise, digits) if noise else None,
        smallest_visible=rounded(metric.smallest_visible, digits),
        noise_note=metric.noise_note,
        boundary=metric.boundary,
        query=metric.query,
    )


def noise_document(noise: Noise, digits: int | None = 4) -> NoiseDocument:
    """Noise with its numbers to so many decimals; None: as they are."""
    dispersion, spread, within = (
        _to(digits, value) for value in (noise.dispersion, noise.pod_spread, noise.within_pod)
    )
    return NoiseDocument(dispersion, spread, within, noise.source)


def rounded(value: float | None, digits: int | None = 4) -> float | None:
    """So many decimals, None: all. JSON has no infinity: what is not bounded is null."""
    return None if value is None or not math.isfinite(value) else _to(digits, value)


def plain(value: float) -> float:
    """Whole numbers without a decimal point, as people write them; the others to a thousandth."""
    return int(value) if value == int(value) else round(value, 3)


def _to(digits: int | None, value: float) -> float:
    return value if digits is None else round(value, digits)


def _progress(evidence: LogEvidence) -> EvidenceProgress:
    shares = (evidence.abort_progress, evidence.promote_progress, evidence.advance_progress)
    return EvidenceProgress(*(math.floor(1000 * share) / 1000 for share in shares))


def _logarithms(evidence: LogEvidence, digits: int | None) -> EvidenceLogarithms:
    numbers = (evidence.abort, evidence.promote, evidence.advance, evidence.abort_at, evidence.promote_at)
    return EvidenceLogarithms(*(rounded(number, digits) for number in numbers))
