"""What a gauge metric's evidence says: classification, reason, numbers. Called by `verdict` for each one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analyzer.judge.effect import LEVEL
from analyzer.judge.explain import allowance, number, times
from analyzer.judge.forecast import POINTS, Places, first_reached
from analyzer.judge.gauge import ADVANCE_MARGIN, GaugeEvidence, GaugeWindow, Term, worse
from analyzer.judge.gauge_tests import half_width, log_abort, log_proof, log_proofs, normal
from analyzer.judge.profile import Floats
from analyzer.judge.spread import smallest_visible
from analyzer.judge.thresholds import ADVERSE, MISSING, Thresholds
from analyzer.model.duration import show_duration
from analyzer.model.metric import Direction, Margin
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict

_AHEAD = np.geomspace(1, 30 * 86400, POINTS)
"""Seconds ahead at which proof is foretold; what takes longer than 30 days will not come."""


@dataclass(frozen=True, slots=True)
class _GaugeReading:
    """What the evidence comes to, before words are found for it. `centre` and `half` are log ratios."""

    evidence: LogEvidence
    shown: GaugeWindow
    centre: float
    half: float
    missing: bool

    @property
    def aborts(self) -> bool:
        return self.evidence.abort >= self.evidence.abort_at

    def proves(self, nats: float) -> bool:
        """Is this much proof enough, with nothing that speaks against it?"""
        return nats >= self.evidence.promote_at and not (self.aborts or self.missing)


def judge_gauge(one: GaugeEvidence, at: Thresholds) -> MetricVerdict:
    """Classify one gauge metric by its evidence in the present step."""
    read = _read(one, at)
    to_promote = _seconds(one, at, one.metric.promote_margin, read)
    classification, reason = _classified(one, at, read, to_promote)
    measured = one.error is None and read.shown.counted > 0
    return MetricVerdict(
        name=one.metric.name,
        classification=classification,
        reason=reason,
        ratio=_exp(read.centre) if read.shown.counted else None,
        interval=_interval(read) if read.shown.counted else None,
        evidence=read.evidence,
        proven=measured and read.proves(read.evidence.promote),
        advance_proven=measured and read.proves(read.evidence.advance),
        adverse=read.evidence.abort >= ADVERSE,
        seconds_to_promote=to_promote,
        seconds_to_advance=_seconds(one, at, ADVANCE_MARGIN, read),
        silent_pods=one.state.presence.silent(at.block),
        noise=one.noise,
        smallest_visible=_visible(one),
        query=one.metric.value,
        levels=_levels(read) if read.shown.counted else None,
    )


def _read(one: GaugeEvidence, at: Thresholds) -> _GaugeReading:
    state, metric = one.state, one.metric
    abort, proof = state.abort, state.proof
    shown = proof if proof.counted else abort
    found = normal(shown.total)
    evidence = LogEvidence(
        abort=_against(abort, math.log(metric.tolerance.ratio), _between(one)),
        promote=_towards(proof, metric.promote_margin),
        advance=_towards(proof, ADVANCE_MARGIN),
        abort_at=at.abort,
        promote_at=at.promote,
    )
    return _GaugeReading(
        evidence=evidence,
        shown=shown,
        centre=worse(metric) * found.mean,
        half=half_width(found, LEVEL),
        missing=proof.missing > MISSING,
    )


def _against(window: GaugeWindow, tolerated: float, pods: float) -> float:
    """Nats against the canary, with and without the block that speaks most against it."""
    each = window.total, window.total.without(window.worst)
    return min(log_abort(normal(term), tolerated, pods) for term in each)


def _towards(window: GaugeWindow, margin: Margin) -> float:
    """Nats for the canary, with and without the block that speaks most for it."""
    each = window.total, window.total.without(window.best)
    return min(log_proof(normal(term), math.log(margin.ratio)) for term in each)


def _between(one: GaugeEvidence) -> float:
    """tau_step^2, with the pods of the blocks so far."""
    window = one.state.abort
    return one.noise.pod_spread**2 * window.even / window.counted if window.counted else 0.0


def _visible(one: GaugeEvidence) -> float | None:
    """The smallest ratio that could ever be told from pods that differ, with this step's pods."""
    if not one.state.abort.counted or one.noise.pod_spread == 0:
        return None
    return smallest_visible(one.metric.tolerance.ratio, math.sqrt(_between(one))) ** worse(one.metric)


def _interval(read: _GaugeReading) -> tuple[float, float]:
    return _exp(read.centre - read.half), _exp(read.centre + read.half)


def _exp(log: float) -> float:
    return math.exp(log) if log < math.log(1e300) else math.inf


def _seconds(one: GaugeEvidence, at: Thresholds, margin: Margin, read: _GaugeReading) -> float | None:
    """Expected wait for a proof if the canary is like stable from now on; None when it is there or will not come."""
    nats = read.evidence.promote if margin is one.metric.promote_margin else read.evidence.advance
    if nats >= at.promote or read.aborts or not read.shown.counted:
        return None
    proof = one.state.proof
    per_second = read.shown.total.weight / (read.shown.blocks * at.block)
    ahead = proof.total.weight + per_second * _AHEAD

    def with_and_without(best: Term) -> int | None:
        def foretold(places: Places) -> Floats:
            weight = ahead[places] - best.weight
            return log_proofs((proof.total.drift - best.drift) / weight, 1 / weight, math.log(margin.ratio))

        return first_reached(foretold, at.promote)

    whole, rest = with_and_without(Term()), with_and_without(proof.best)
    return None if whole is None or rest is None else float(_AHEAD[max(whole, rest)])


def _classified(
    one: GaugeEvidence, at: Thresholds, read: _GaugeReading, seconds: float | None
) -> tuple[Classification, str]:
    metric, proof = one.metric, one.state.proof
    if read.aborts:
        kind = Classification.HIGH if metric.direction is Direction.UP else Classification.LOW
        bound = f"worse than {_bound(one, metric.tolerance)}"
        return kind, f"{_comparison(one, read)}, {bound} at level {number(math.exp(-at.abort))} ({_noise_line(one)})"
    if one.error is not None:
        return Classification.ERROR, f"{metric.name}: {one.error}"
    if not read.shown.counted:
        return Classification.NO_DATA, _unmeasured(one)
    if read.missing:
        return Classification.NO_DATA, (
            f"{metric.name}: {proof.absent} of {proof.absent + proof.present} measurements of pods are "
            f"missing, more than {MISSING:.0%}, so nothing is proven ({proof.absence})"
        )
    turning = f"aborts at {at.abort:.1f} nats against it, now {read.evidence.abort:.1f}"
    if read.proves(read.evidence.promote):
        bound = f"better than {_bound(one, metric.promote_margin)}"
        proven = f"{_comparison(one, read)}, {bound} at level {number(math.exp(-at.promote))}; {turning}"
        return Classification.PASS, f"{proven} ({_noise_line(one)})"
    wanting = f"{_comparison(one, read)}; {_wanting(one, at, read, seconds)}; {turning}"
    return Classification.UNDECIDED, f"{wanting} ({_noise_line(one)})"


def _comparison(one: GaugeEvidence, read: _GaugeReading) -> str:
    """Both sides' typical levels (geometric means) and the ratio with its interval."""
    state = one.state
    low, high = _interval(read)
    canary, stable = (f"{level:.3g}" for level in _levels(read))
    return (
        f"{one.metric.name}: canary {canary} ({_count(state.canary_pods)}) against stable {stable} "
        f"({_count(state.stable_pods)}), {times(_exp(read.centre))} "
        f"({100 * (1 - LEVEL):g} % {times(low)} to {times(high)})"
    )


def _levels(read: _GaugeReading) -> tuple[float, float]:
    """Of the canary and of stable, where blocks counted."""
    return _exp(read.shown.canary / read.shown.counted), _exp(read.shown.stable / read.shown.counted)


def _noise_line(one: GaugeEvidence) -> str:
    """Where the noise comes from and what it hides."""
    noise, visible = one.noise, _visible(one)
    text = f"withinPod {number(noise.within_pod)}, tau {number(noise.pod_spread)} {noise.source}"
    if visible is None:
        return text
    what = "excess" if one.metric.direction is Direction.UP else "drop"
    return f"{text}; smallest visible {what} with {_count(one.state.canary_pods)} {times(visible)}"


def _count(pods: int) -> str:
    return f"{pods} pod" if pods == 1 else f"{pods} pods"


def _bound(one: GaugeEvidence, margin: Margin) -> str:
    """A margin in the metric's direction: 1.25x, or 1/1.25x where less is worse."""
    ratio = allowance(Margin(margin.ratio))
    return ratio if one.metric.direction is Direction.UP else f"1/{ratio}"


def _unmeasured(one: GaugeEvidence) -> str:
    name, window = one.metric.name, one.state.abort
    if window.blocks == 0:
        return f"{name}: no full block of this step is over yet"
    why = f" ({window.absence})" if window.absence else " (no pod was expected on one side)"
    return f"{name}: not measured on both sides in {window.blocks} blocks{why}"


def _wanting(one: GaugeEvidence, at: Thresholds, read: _GaugeReading, seconds: float | None) -> str:
    """What is missing for a proof, and how long it will take."""
    if not at.settled:
        return "proof begins when the step's replicas are reached"
    bound = _bound(one, one.metric.promote_margin)
    have = f"{max(0.0, read.evidence.promote):.1f} of {at.promote:.1f} nats towards proof of better than {bound}"
    if seconds is None:
        return f"{have}, which will not come at this rate"
    return f"{have}, about {show_duration(max(1.0, seconds))} more"
