"""What a gauge metric's evidence says: classification, reason, numbers. Called by `verdict` for each one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analyzer.judge.gauges.evidence import GaugeEvidence, GaugeWindow, Term, worse
from analyzer.judge.gauges.tests import half_width, log_abort, log_proof, log_proofs, normal
from analyzer.judge.sequential.effect import LEVEL, Effect
from analyzer.judge.sequential.forecast import POINTS, Places, first_reached
from analyzer.judge.sequential.profile import Floats
from analyzer.judge.sequential.spread import smallest_visible
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
    unit_of,
    unmeasured,
)
from analyzer.model.metric import Margin
from analyzer.model.numbers import times
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, level_text

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
    to_advance = _seconds(one, at, one.metric.advance_margin, read)
    said = _said(one, at, read, to_promote if at.last_step else to_advance)
    measured = one.error is None and read.shown.counted > 0
    return MetricVerdict(
        name=one.metric.name,
        classification=said.classification,
        reason=said.reason,
        ratio=_exp(read.centre) if read.shown.counted else None,
        interval=_interval(read) if read.shown.counted else None,
        evidence=read.evidence,
        proven=measured and read.proves(read.evidence.promote),
        advance_proven=measured and read.proves(read.evidence.advance),
        adverse=read.evidence.abort >= ADVERSE,
        seconds_to_promote=to_promote,
        seconds_to_advance=to_advance,
        silent_pods=one.state.presence.silent(at.block),
        noise=one.noise,
        smallest_visible=_visible(one),
        query=one.metric.selectors,
        levels=_levels(read) if read.shown.counted else None,
        unit=unit_of(one.metric),
        waiting=said.waiting,
        noise_note=_noise_note(one),
    )


def _read(one: GaugeEvidence, at: Thresholds) -> _GaugeReading:
    state, metric = one.state, one.metric
    abort, proof = state.abort, state.proof
    shown = proof if proof.counted else abort
    found = normal(shown.total)
    evidence = LogEvidence(
        abort=_against(abort, math.log(metric.tolerance.ratio), _between(one)),
        promote=_towards(proof, metric.promote_margin),
        advance=_towards(proof, metric.advance_margin),
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


def _said(one: GaugeEvidence, at: Thresholds, read: _GaugeReading, seconds: float | None) -> Said:
    metric, proof = one.metric, one.state.proof
    if one.error is not None and not read.aborts:
        return Said(Classification.ERROR, f"{metric.name}: {one.error}", one.error)
    if not read.shown.counted:
        why = unmeasured(one.state.abort.blocks, one.state.abort.absence)
        return Said(Classification.NO_DATA, f"{metric.name}: {why}", why)
    numbers = _compared(one, at, read)
    if read.aborts:
        kind = Classification.LOW if metric.less_is_worse else Classification.HIGH
        return Said(kind, failed(numbers, at.false_alarm))
    if read.missing:
        why = incomplete(proof.absent, proof.present, MISSING, proof.absence)
        return Said(Classification.NO_DATA, f"{metric.name}: {why}", why)
    if read.proves(read.evidence.promote):
        return Said(Classification.PASS, passed(numbers, _bound(one, metric.promote_margin), math.exp(-at.promote)))
    waiting = _waiting(at, read, seconds)
    return Said(Classification.UNDECIDED, undecided(numbers, waiting, read.evidence.abort_progress), waiting)


def _compared(one: GaugeEvidence, at: Thresholds, read: _GaugeReading) -> Comparison:
    """Both sides' typical levels (geometric means) and the ratio with its interval."""
    state, unit = one.state, unit_of(one.metric)
    canary, stable = (level_text(level, unit) for level in _levels(read))
    low, high = _interval(read)
    return Comparison(
        name=one.metric.name,
        canary=f"{at.sides.canary} {canary} ({_count(state.canary_pods)})",
        stable=f"{at.sides.stable} {stable} ({_count(state.stable_pods)})",
        ratio=span(Effect(_exp(read.centre), low, high)),
        limit=_bound(one, one.metric.tolerance),
    )


def _levels(read: _GaugeReading) -> tuple[float, float]:
    """Of the canary and of stable, where blocks counted."""
    return _exp(read.shown.canary / read.shown.counted), _exp(read.shown.stable / read.shown.counted)


def _noise_note(one: GaugeEvidence) -> str | None:
    """What the noise hides, as far as there is any."""
    visible = _visible(one)
    if visible is None:
        return None
    return normal_variation(one.state.canary_pods, visible, down=one.metric.less_is_worse)


def _count(pods: int) -> str:
    return f"{pods} pod" if pods == 1 else f"{pods} pods"


def _bound(one: GaugeEvidence, margin: Margin) -> str:
    """A margin in the metric's direction: 1.25x, or 0.8x where less is worse."""
    return times(1 / margin.ratio if one.metric.less_is_worse else margin.ratio)


def _waiting(at: Thresholds, read: _GaugeReading, seconds: float | None) -> str:
    """How far the proof has come, and how long it will take."""
    if not at.settled:
        return NOT_SETTLED
    return towards_proof(read.evidence, seconds, last_step=at.last_step)
