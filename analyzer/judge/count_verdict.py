"""What the evidence of a metric that counts events says: classification, reason, numbers. Called by `verdict`."""

from __future__ import annotations

import math

from analyzer.judge.count_evidence import CountEvidence, downwards
from analyzer.judge.count_reading import CountReading, band_at, effect_at, noise_at, read
from analyzer.judge.count_words import beyond, boundary_name, compared, noise_line, selectors, within
from analyzer.judge.explain import number, outright
from analyzer.judge.forecast import requests_to_proof, seconds_to_proof
from analyzer.judge.thresholds import ADVERSE, MISSING, Thresholds
from analyzer.model.block import Counts
from analyzer.model.duration import show_duration
from analyzer.model.metric import HistogramMetric, Margin
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict


def judge_count(one: CountEvidence, at: Thresholds) -> MetricVerdict:
    """Classify one metric by its evidence in the present step; remembered, so asking again costs nothing."""
    known = one.known.get(at)
    if known is None:
        known = one.known[at] = _judged(one, at)
    return known


def _judged(one: CountEvidence, at: Thresholds) -> MetricVerdict:
    found = read(one, at)
    if found.outright:
        return _failed_outright(one, at, found)
    to_promote, to_advance = _seconds(one, at, found, advance=False), _seconds(one, at, found, advance=True)
    classification, reason = _classified(one, at, found, to_promote)
    measured = one.error is None and found.shown.counted > 0
    canary, stable = found.shown.canary.counts(found.place), found.shown.stable.counts(found.place)
    return MetricVerdict(
        name=one.metric.name,
        classification=classification,
        reason=reason,
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
        query=selectors(one.metric),
    )


def _failed_outright(one: CountEvidence, at: Thresholds, found: CountReading) -> MetricVerdict:
    """An abort of the fast lane: its own counts, and the plain quotient of their shares."""
    lane = one.fast
    if lane is None or found.fast is None:
        raise AssertionError("a metric without a fast lane can't abort in it")
    canary, stable = lane.state.canary.counts(), lane.state.stable.counts()
    share = stable.events / stable.total
    evidence = LogEvidence(found.fast, found.evidence.promote, found.evidence.advance, at.fast, at.promote)
    return MetricVerdict(
        name=one.metric.name,
        classification=Classification.HIGH,
        reason=outright(one.metric.name, canary, stable, lane.margin, math.exp(-at.fast)),
        canary=canary,
        stable=stable,
        ratio=canary.events / canary.total / share if share > 0 else None,
        evidence=evidence,
        adverse=True,
        silent_pods=one.state.presence.silent(at.block),
        noise=one.noise,
        query=selectors(one.metric),
        lane="fast",
    )


def _classified(
    one: CountEvidence, at: Thresholds, found: CountReading, seconds: float | None
) -> tuple[Classification, str]:
    metric, state = one.metric, one.state
    worse = Classification.LOW if downwards(metric) else Classification.HIGH
    if state.rule.struck is not None:
        return Classification.HIGH, f"{metric.name}: {state.rule.struck}"
    against = beyond(metric, one.design.margins.tolerance[band_at(one, found.place)])
    if found.aborts:
        whole = state.abort
        numbers = _compared(one, found, whole.canary.counts(found.place), whole.stable.counts(found.place))
        return worse, _with_noise(one, found, f"{numbers}, {against} at level {number(math.exp(-at.abort))}")
    if one.error is not None:
        return Classification.ERROR, f"{metric.name}: {one.error}"
    if not found.shown.counted:
        return _unmeasured(one, at)
    canary, stable = found.shown.canary.counts(found.place), found.shown.stable.counts(found.place)
    numbers = _compared(one, found, canary, stable)
    if found.pending:
        return Classification.UNDECIDED, (
            f"{numbers}, {against} unless the two sides were only measured at different moments: "
            "to be looked at again with stable's next sample"
        )
    return _weighed(one, at, found, numbers, seconds)


def _weighed(
    one: CountEvidence, at: Thresholds, found: CountReading, numbers: str, seconds: float | None
) -> tuple[Classification, str]:
    """Of a metric that was measured, with nothing that speaks against the canary."""
    metric, proof = one.metric, one.state.proof
    if found.missing:
        return Classification.NO_DATA, (
            f"{metric.name}: {proof.absent} of {proof.absent + proof.present} measurements of pods are "
            f"missing, more than {MISSING:.0%}, so nothing is proven ({proof.absence})"
        )
    if found.unresolved:
        return Classification.UNDECIDED, (
            f"{metric.name}: no resolution: all {found.shown.canary.total + found.shown.stable.total:.0f} requests "
            "lie in one bucket, so nothing can be compared; give the histogram bounds where its values are"
        )
    turning = f"aborts at {at.abort:.1f} nats against it, now {found.evidence.abort:.1f}"
    if found.proves(found.evidence.promote):
        bound = within(metric, _margin(one, found))
        proven = f"{numbers}, {bound} at level {number(math.exp(-at.promote))}; {turning}"
        return Classification.PASS, _with_noise(one, found, proven)
    wanting = f"{numbers}; {_wanting(one, at, found, seconds)}; {turning}"
    return Classification.UNDECIDED, _with_noise(one, found, wanting)


def _unmeasured(one: CountEvidence, at: Thresholds) -> tuple[Classification, str]:
    name, window = one.metric.name, one.state.abort
    if window.idle:
        phi = noise_at(one, 0).dispersion
        needed = requests_to_proof(one.design.promote[0], at.promote, phi)
        takes = "" if needed is None else f"; proof takes about {needed:.0f} canary requests if none fails"
        return Classification.UNDECIDED, (
            f"{name}: no requests to both sides at once in {window.blocks} blocks{takes}, and will not come "
            "without traffic"
        )
    if window.blocks == 0:
        return Classification.NO_DATA, f"{name}: no full block of this step is over yet"
    why = f" ({window.absence})" if window.absence else " (no pod was expected on one side)"
    return Classification.NO_DATA, f"{name}: not measured on both sides in {window.blocks} blocks{why}"


def _wanting(one: CountEvidence, at: Thresholds, found: CountReading, seconds: float | None) -> str:
    """What is missing for a proof, and how long it will take."""
    if not at.settled:
        return "proof begins when the step's replicas are reached"
    bound = within(one.metric, _margin(one, found))
    have = f"{max(0.0, found.evidence.promote):.1f} of {at.promote:.1f} nats towards proof of {bound}"
    if found.limiting != found.place:
        have = f"{have} over {_boundary(one, found.limiting)}"
    if seconds is None:
        return f"{have}, which will not come at present traffic"
    looser = ""
    if found.evidence.advance >= at.promote:
        looser = f" ({within(one.metric, one.design.margins.advance)} is proven)"
    return f"{have}{looser}, about {show_duration(max(1.0, seconds))} more at present traffic"


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
    canary, stable = reversed(sides) if downwards(one.metric) else sides
    per_second = 1 / (traffic.blocks * at.block * phi)
    return seconds_to_proof(grid, profile, canary, stable, per_second=per_second, target=at.promote)


def _compared(one: CountEvidence, found: CountReading, canary: Counts, stable: Counts) -> str:
    effect = effect_at(one, one.state.abort, found.place) if found.aborts else found.effect
    return compared(one.metric, _boundary(one, found.place), canary, stable, effect)


def _with_noise(one: CountEvidence, found: CountReading, reason: str) -> str:
    pods = one.state.abort.canary.pods_alike
    at = noise_at(one, found.place)
    line = noise_line(one.noise, at, pods, found.visible, down=downwards(one.metric))
    return reason if line is None else f"{reason} ({line})"


def _margin(one: CountEvidence, found: CountReading) -> Margin:
    return one.design.margins.promote[band_at(one, found.limiting)]


def _boundary(one: CountEvidence, place: int) -> str | None:
    boundaries = one.state.boundaries
    if not isinstance(one.metric, HistogramMetric) or boundaries is None:
        return None
    return boundary_name(one.metric, boundaries.bounds[place], boundaries.bounds)
