"""From the evidence of a metric that counts events to its verdict: class, sentence, numbers. Called by `verdict`."""

from __future__ import annotations

import math

from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.counts.reading import CountReading, band_at, effect_at, noise_at, read
from analyzer.judge.counts.words import bound, boundary_name, compared
from analyzer.judge.observations.window import Window
from analyzer.judge.sequential.forecast import requests_to_proof, seconds_to_proof
from analyzer.judge.thresholds import ADVERSE, MISSING, Thresholds
from analyzer.judge.wording import (
    NOT_SETTLED,
    Comparison,
    Said,
    failed,
    incomplete,
    normal_variation,
    passed,
    span,
    towards_proof,
    undecided,
    unmeasured,
    without_traffic,
)
from analyzer.model.block import Counts
from analyzer.model.metric import HistogramMetric, Margin
from analyzer.model.numbers import count, times
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict


def judge_count(one: CountEvidence, at: Thresholds) -> MetricVerdict:
    """Classify one metric by its evidence in the present step."""
    found = read(one, at)
    if found.outright:
        return _failed_outright(one, at, found)
    to_promote, to_advance = _seconds(one, at, found, advance=False), _seconds(one, at, found, advance=True)
    said = _said(one, at, found, to_promote if at.last_step else to_advance)
    measured = one.error is None and found.shown.counted > 0
    canary, stable = _sums(found.shown, found.place)
    return MetricVerdict(
        name=one.metric.name,
        classification=said.classification,
        reason=said.reason,
        canary=canary,
        stable=stable,
        ratio=found.effect.ratio,
        interval=(found.effect.low, found.effect.high) if canary.events + stable.events > 0 else None,
        evidence=found.evidence,
        proven=measured and found.proves(found.evidence.promote),
        advance_proven=measured and found.proves(found.evidence.advance),
        adverse=found.evidence.abort >= ADVERSE,
        pending=found.pending,
        seconds_to_promote=to_promote,
        seconds_to_advance=to_advance,
        silent_pods=one.state.presence.silent(at.block),
        noise=one.noise,
        smallest_visible=found.visible,
        boundary=_boundary(one, found.place),
        query=one.metric.selectors,
        waiting=said.waiting,
        noise_note=_noise_note(one, found),
    )


def _failed_outright(one: CountEvidence, at: Thresholds, found: CountReading) -> MetricVerdict:
    """An abort of the fast lane: its own counts, and the plain quotient of their shares."""
    lane = one.fast
    if lane is None or found.fast is None:
        raise AssertionError("a metric without a fast lane cannot abort in it")
    canary, stable = lane.state.canary.counts(), lane.state.stable.counts()
    share = stable.events / stable.total
    ratio = canary.events / canary.total / share if share > 0 else None
    evidence = LogEvidence(found.fast, found.evidence.promote, found.evidence.advance, at.fast, at.promote)
    times_stable = "" if ratio is None else times(ratio)
    numbers = compared(one.metric, None, (canary, stable), times_stable, bound(one.metric, lane.margin), at.sides)
    return MetricVerdict(
        name=one.metric.name,
        classification=Classification.HIGH,
        reason=failed(numbers, math.exp(-at.fast), "Failed outright"),
        canary=canary,
        stable=stable,
        ratio=ratio,
        evidence=evidence,
        adverse=True,
        silent_pods=one.state.presence.silent(at.block),
        noise=one.noise,
        query=one.metric.selectors,
        lane="fast",
    )


def _said(one: CountEvidence, at: Thresholds, found: CountReading, seconds: float | None) -> Said:
    metric, state = one.metric, one.state
    worse = Classification.LOW if metric.less_is_worse else Classification.HIGH
    if state.rule.struck is not None:
        return Said(Classification.HIGH, f"{metric.name}: {state.rule.struck}. Failed")
    if found.aborts:
        return Said(worse, failed(_compared(one, at, found, state.abort), at.false_alarm))
    if one.error is not None:
        return Said(Classification.ERROR, f"{metric.name}: {one.error}", one.error)
    if not found.shown.counted:
        return _unmeasured(one, at)
    numbers = _compared(one, at, found, found.shown)
    if found.pending:
        waiting = "limit exceeded, waiting for stable's next sample to confirm"
        return Said(Classification.UNDECIDED, undecided(numbers, waiting, found.evidence.abort_progress), waiting)
    return _weighed(one, at, found, numbers, seconds)


def _weighed(
    one: CountEvidence, at: Thresholds, found: CountReading, numbers: Comparison, seconds: float | None
) -> Said:
    """Of a metric that was measured, with no abort due."""
    metric, proof = one.metric, one.state.proof
    if found.missing:
        why = incomplete(proof.absent, proof.present, MISSING, proof.absence)
        return Said(Classification.NO_DATA, f"{metric.name}: {why}", why)
    if found.unresolved:
        why = (
            f"all {count(found.shown.canary.total + found.shown.stable.total)} requests lie in one bucket, so nothing "
            "can be compared; give the histogram bounds where its values are"
        )
        return Said(Classification.UNDECIDED, f"{metric.name}: {why}", why)
    if found.proves(found.evidence.promote):
        excluded = bound(metric, _margin(one, found))
        return Said(Classification.PASS, passed(numbers, excluded, math.exp(-at.promote)))
    waiting = _waiting(one, at, found, seconds)
    return Said(Classification.UNDECIDED, undecided(numbers, waiting, found.evidence.abort_progress), waiting)


def _unmeasured(one: CountEvidence, at: Thresholds) -> Said:
    window = one.state.abort
    if window.idle:
        phi = noise_at(one, 0).dispersion
        why = without_traffic(window.blocks, requests_to_proof(one.design.promote[0], at.promote, phi))
        return Said(Classification.UNDECIDED, f"{one.metric.name}: {why}", why)
    why = unmeasured(window.blocks, window.absence)
    return Said(Classification.NO_DATA, f"{one.metric.name}: {why}", why)


def _waiting(one: CountEvidence, at: Thresholds, found: CountReading, seconds: float | None) -> str:
    """How far the proof has come, and how long it will take."""
    if not at.settled:
        return NOT_SETTLED
    elsewhere = "" if found.limiting == found.place else f" (over {_boundary(one, found.limiting)})"
    now = " at present traffic"
    return towards_proof(found.evidence, seconds, last_step=at.last_step, where=elsewhere, at=now)


def _seconds(one: CountEvidence, at: Thresholds, found: CountReading, *, advance: bool) -> float | None:
    """Expected wait for a proof; None when it is there or will not come."""
    design, proof = one.design, one.state.proof
    nats = found.evidence.advance if advance else found.evidence.promote
    traffic = proof if proof.counted else one.state.abort
    if nats >= at.promote or found.aborts or not traffic.counted:
        return None
    grid = design.advance if advance else design.promote[band_at(one, found.limiting)]
    part = design.advance_part if advance else design.promote_part
    phi = noise_at(one, found.limiting).dispersion
    profile = proof.profile.values[min(found.limiting, len(proof.profile.values) - 1), part] / phi
    sides = traffic.canary.counts(found.limiting), traffic.stable.counts(found.limiting)
    canary, stable = reversed(sides) if one.metric.less_is_worse else sides
    per_second = 1 / (traffic.blocks * at.block * phi)
    return seconds_to_proof(grid, profile, canary, stable, per_second=per_second, target=at.promote)


def _sums(window: Window, place: int) -> tuple[Counts, Counts]:
    return window.canary.counts(place), window.stable.counts(place)


def _compared(one: CountEvidence, at: Thresholds, found: CountReading, window: Window) -> Comparison:
    effect = effect_at(one, window, found.place) if found.aborts else found.effect
    limit = bound(one.metric, one.design.margins.tolerance[band_at(one, found.place)])
    boundary = _boundary(one, found.place)
    return compared(one.metric, boundary, _sums(window, found.place), span(effect), limit, at.sides)


def _noise_note(one: CountEvidence, found: CountReading) -> str | None:
    """What the noise hides; None where pods do not differ."""
    if found.visible is None or noise_at(one, found.place).pod_spread == 0:
        return None
    return normal_variation(one.state.abort.canary.pods_alike, found.visible, down=one.metric.less_is_worse)


def _margin(one: CountEvidence, found: CountReading) -> Margin:
    return one.design.margins.promote[band_at(one, found.limiting)]


def _boundary(one: CountEvidence, place: int) -> str | None:
    boundaries = one.state.boundaries
    if not isinstance(one.metric, HistogramMetric) or boundaries is None:
        return None
    return boundary_name(one.metric, boundaries.bounds[place], boundaries.bounds)
