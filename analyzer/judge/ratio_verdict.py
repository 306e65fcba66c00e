"""What a ratio metric's evidence says: classification, reason, numbers. Called by `verdict` for each one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analyzer.judge.design import ADVANCE_MARGIN, Design, Grid
from analyzer.judge.effect import Effect, effect_of
from analyzer.judge.explain import allowance, comparison, number
from analyzer.judge.forecast import requests_to_proof, seconds_to_proof
from analyzer.judge.profile import Floats, increment, log_evidence
from analyzer.judge.ratio import RatioEvidence, Window
from analyzer.model.duration import show_duration
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict

ADVERSE = 1.0
"""Nats of evidence that the canary is beyond its tolerance which hold back a move forward.

The data are then e times likelier under some excess than under the tolerance allows. At any one look the
chance of that is at most 1/e for a canary exactly at its tolerance and far smaller for a healthy one
(measured in `benchmarks/decision_quality.py`), whose evidence falls as it is served; it delays, and never
ends a release.
"""

MISSING = 0.2
"""With a larger share of pod measurements missing, nothing is proven."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Nats at which evidence decides in one step, and what is needed to foretell when: the length of a
    block in seconds, and whether proof may begin (the step's replicas were reached)."""

    abort: float
    promote: float
    block: float
    settled: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the evidence comes to, before words are found for it. `pending`: an abort that is not
    confirmed."""

    evidence: LogEvidence
    shown: Window
    effect: Effect
    aborts: bool
    pending: bool
    missing: bool

    def proves(self, nats: float) -> bool:
        """Is this much proof enough, with nothing that speaks against it?"""
        return nats >= self.evidence.promote_at and not (self.aborts or self.pending or self.missing)


def judge_ratio(one: RatioEvidence, at: Thresholds) -> MetricVerdict:
    """Classify one ratio metric by its evidence in the present step."""
    read = _read(one, at)
    to_promote = _seconds(one, at, one.design.promote, read)
    classification, reason = _classified(one, at, read, to_promote)
    measured = one.error is None and read.shown.counted > 0
    has_events = read.shown.canary.events + read.shown.stable.events > 0
    return MetricVerdict(
        name=one.metric.name,
        classification=classification,
        reason=reason,
        canary=read.shown.canary,
        stable=read.shown.stable,
        ratio=read.effect.ratio,
        interval=(read.effect.low, read.effect.high) if has_events else None,
        evidence=read.evidence,
        proven=measured and read.proves(read.evidence.promote),
        advance_proven=measured and read.proves(read.evidence.advance),
        adverse=read.evidence.abort >= ADVERSE,
        seconds_to_promote=to_promote,
        seconds_to_advance=_seconds(one, at, one.design.advance, read),
        silent_pods=one.state.presence.silent(at.block),
    )


def _read(one: RatioEvidence, at: Thresholds) -> _Reading:
    state, design = one.state, one.design
    shown = state.proof if state.proof.counted else state.abort
    proof = state.proof.profile.values
    abort = _nats(design.abort, state.abort.profile.values[design.abort_part])
    crossed = abort >= at.abort
    confirmed = crossed and _confirmed(one, at.abort)
    evidence = LogEvidence(
        abort=abort,
        promote=_nats(design.promote, proof[design.promote_part]),
        advance=_nats(design.advance, proof[design.advance_part]),
        abort_at=at.abort,
        promote_at=at.promote,
    )
    return _Reading(
        evidence=evidence,
        shown=shown,
        effect=_effect(design, shown),
        aborts=confirmed,
        pending=crossed and not confirmed,
        missing=state.proof.missing > MISSING,
    )


def _nats(grid: Grid, profile: Floats) -> float:
    return float(log_evidence(grid.log_weights, profile))


def _effect(design: Design, window: Window) -> Effect:
    return effect_of(design.effect, window.profile.values[design.effect_part])


def _confirmed(one: RatioEvidence, threshold: float) -> bool:
    """Does the abort also hold with the latest block's stable counters taken one slot later?

    The two sides are scraped at different moments, so a shared incident may reach the canary's counters
    first.
    """
    recheck, design = one.state.recheck, one.design
    if recheck is None or recheck.stable is None:
        return False
    canary, stable = recheck.canary, recheck.stable
    block = increment(design.abort.on, canary.events, canary.total, stable.events, stable.total)
    return _nats(design.abort, recheck.before.values[design.abort_part] + block) >= threshold


def _seconds(one: RatioEvidence, at: Thresholds, grid: Grid, read: _Reading) -> float | None:
    """Expected wait for a proof; None when it is there or will not come."""
    design, proof = one.design, one.state.proof
    nats = read.evidence.promote if grid is design.promote else read.evidence.advance
    if nats >= at.promote or read.aborts:
        return None
    traffic = proof if proof.counted else one.state.abort
    if not traffic.counted:
        return None
    part = design.promote_part if grid is design.promote else design.advance_part
    per_second = 1 / (traffic.blocks * at.block)
    return seconds_to_proof(
        grid,
        proof.profile.values[part],
        traffic.canary,
        traffic.stable,
        per_second=per_second,
        target=at.promote,
    )


def _classified(
    one: RatioEvidence, at: Thresholds, read: _Reading, seconds: float | None
) -> tuple[Classification, str]:
    metric = one.metric
    compared = comparison(metric.name, read.shown.canary, read.shown.stable, read.effect)
    against = f"worse than {allowance(metric.tolerance)}"
    if read.aborts:
        whole = one.state.abort
        numbers = comparison(metric.name, whole.canary, whole.stable, _effect(one.design, whole))
        return Classification.HIGH, f"{numbers}, {against} at level {number(math.exp(-at.abort))}"
    if one.error is not None:
        return Classification.ERROR, f"{metric.name}: {one.error}"
    if read.pending:
        return Classification.UNDECIDED, (
            f"{compared}, {against} unless the two sides were only measured at different moments: "
            "to be looked at again with stable's next sample"
        )
    if not read.shown.counted:
        return _unmeasured(one, at)
    return _weighed(one, at, read, seconds)


def _weighed(one: RatioEvidence, at: Thresholds, read: _Reading, seconds: float | None) -> tuple[Classification, str]:
    """Of a metric that was measured, with nothing that speaks against the canary."""
    metric, proof = one.metric, one.state.proof
    compared = comparison(metric.name, read.shown.canary, read.shown.stable, read.effect)
    if read.missing:
        return Classification.NO_DATA, (
            f"{metric.name}: {proof.absent} of {proof.absent + proof.present} measurements of pods are "
            f"missing, more than {MISSING:.0%}, so nothing is proven ({proof.absence})"
        )
    if read.proves(read.evidence.promote):
        bound = allowance(metric.promote_margin)
        return Classification.PASS, f"{compared}, less than {bound} at level {number(math.exp(-at.promote))}"
    return Classification.UNDECIDED, f"{compared}; {_wanting(one, at, read, seconds)}"


def _unmeasured(one: RatioEvidence, at: Thresholds) -> tuple[Classification, str]:
    name, window = one.metric.name, one.state.abort
    if window.idle:
        needed = requests_to_proof(one.design.promote, at.promote)
        takes = "" if needed is None else f"; proof takes about {needed:.0f} canary requests if none fails"
        return Classification.UNDECIDED, (
            f"{name}: no requests to both sides at once in {window.blocks} blocks{takes}, and will not come "
            "without traffic"
        )
    if window.blocks == 0:
        return Classification.NO_DATA, f"{name}: no full block of this step is over yet"
    why = f" ({window.absence})" if window.absence else " (no pod was expected on one side)"
    return Classification.NO_DATA, f"{name}: not measured on both sides in {window.blocks} blocks{why}"


def _wanting(one: RatioEvidence, at: Thresholds, read: _Reading, seconds: float | None) -> str:
    """What is missing for a proof, and how long it will take."""
    if not at.settled:
        return "proof begins when the step's replicas are reached"
    bound = allowance(one.metric.promote_margin)
    have = f"{max(0.0, read.evidence.promote):.1f} of {at.promote:.1f} nats towards proof of less than {bound}"
    if seconds is None:
        return f"{have}, which will not come at present traffic"
    looser = ""
    if read.evidence.advance >= at.promote:
        looser = f" (less than {allowance(ADVANCE_MARGIN)} is proven)"
    return f"{have}{looser}, about {show_duration(max(1.0, seconds))} more at present traffic"
