"""The numbers behind a verdict about a metric that counts events. Called by `count_verdict`, which finds the words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.counts.fast_lane import fast_confirmed, fast_nats
from analyzer.judge.counts.strength import (
    combined,
    confirmed,
    dispersions,
    null_margin,
    proof_places,
    resolved,
    softened,
    spreads,
    tests_nats,
)
from analyzer.judge.observations.bands import bands_after
from analyzer.judge.observations.window import Window
from analyzer.judge.sequential.effect import Effect, effect_of
from analyzer.judge.sequential.profile import Floats
from analyzer.judge.sequential.spread import smallest_visible
from analyzer.judge.thresholds import ADVERSE, MISSING, Thresholds
from analyzer.model.metric import HistogramMetric
from analyzer.model.noise import BoundNoise
from analyzer.model.verdict import LogEvidence


@dataclass(frozen=True, slots=True)
class CountReading:
    """What the evidence comes to, before words are found for it.

    `place` is the boundary that the numbers are about, `limiting` the one whose proof is furthest away. `pending`:
    an abort that is not confirmed. `fast` is the fast lane's evidence, `outright` that it aborts.
    """

    evidence: LogEvidence
    shown: Window
    place: int
    limiting: int
    effect: Effect
    aborts: bool
    outright: bool
    pending: bool
    missing: bool
    unresolved: bool
    fast: float | None
    visible: float | None

    def proves(self, nats: float) -> bool:
        """Is this much proof enough, with nothing that speaks against it?"""
        against = self.aborts or self.outright or self.pending or self.missing or self.unresolved
        return nats >= self.evidence.promote_at and not against


def read(one: CountEvidence, at: Thresholds) -> CountReading:
    """Weigh everything that is known about one metric in the present step."""
    state = one.state
    shown = state.proof if state.proof.counted else state.abort
    phi, spread = dispersions(one), spreads(one, state.abort.canary, state.abort.stable)
    scaled = state.abort.profile.values / phi
    tests = tests_nats(one.design, scaled)
    against = softened(one, tests[:, 0], scaled, spread, (state.abort.canary.total, state.abort.stable.total))
    abort = float(combined(one, against))
    proof = tests if state.proof is state.abort else tests_nats(one.design, state.proof.profile.values / phi)
    promote, advance = proof[:, 1], proof[:, 2]
    needed = _needed(one, shown)
    limiting = min(needed, key=lambda place: float(promote[min(place, len(promote) - 1)]))
    crossed = abort >= at.abort
    stands = crossed and confirmed(one, at.abort)
    fast, outright, fast_pending = _fast(one, at)
    worst = int(np.argmax(against)) if abort >= ADVERSE else limiting
    evidence = LogEvidence(
        abort=abort,
        promote=_least(promote, needed),
        advance=_least(advance, needed),
        abort_at=at.abort,
        promote_at=at.promote,
    )
    return CountReading(
        evidence=evidence,
        shown=shown,
        place=worst,
        limiting=limiting,
        effect=effect_at(one, shown, worst),
        aborts=stands,
        outright=outright and not (stands and abort - at.abort >= (fast or 0.0) - at.fast),
        pending=(crossed and not stands) or fast_pending,
        missing=state.proof.missing > MISSING,
        unresolved=_unresolved(one, shown),
        fast=fast,
        visible=_visible(one, worst, spread[worst]),
    )


def _needed(one: CountEvidence, shown: Window) -> tuple[int, ...]:
    """The boundaries that must be proven."""
    if not shown.counted:
        return (0,)
    needed = proof_places(one.state.boundaries, np.array(shown.stable.events), np.array(shown.stable.total))
    return tuple(int(place) for place in np.flatnonzero(needed))


def effect_at(one: CountEvidence, window: Window, place: int) -> Effect:
    """Canary / stable at one boundary."""
    row = _row(window, place)
    profile = window.profile.values[row, one.design.effect_part] / dispersions(one)[row]
    found = effect_of(one.design.effect, profile)
    return _inverse(found) if one.metric.less_is_worse else found


def noise_at(one: CountEvidence, place: int) -> BoundNoise:
    """The noise of one boundary."""
    boundaries = one.state.boundaries
    if boundaries is None:
        return BoundNoise(one.noise.dispersion, one.noise.pod_spread)
    return boundaries.noise[place]


def band_at(one: CountEvidence, place: int) -> int:
    """The band of a boundary as of now: which of the metric's margins apply to it."""
    stable = one.state.abort.stable
    if len(one.design.abort) == 1 or not stable.events:
        return 0
    return int(bands_after(np.array(stable.events), np.array(stable.total))[place])


def _fast(one: CountEvidence, at: Thresholds) -> tuple[float | None, bool, bool]:
    """Evidence of the fast lane, whether it aborts, and whether it only waits to be confirmed."""
    if one.fast is None:
        return None, False, False
    found = fast_nats(one.fast, one.noise.dispersion)
    if found < at.fast:
        return found, False, False
    stands = fast_confirmed(one.fast, one.noise.dispersion, at.fast)
    return found, stands, not stands


def _unresolved(one: CountEvidence, shown: Window) -> bool:
    if not isinstance(one.metric, HistogramMetric) or not shown.counted:
        return False
    canary, stable = shown.canary, shown.stable
    return not resolved(np.array(canary.events), np.array(stable.events), np.array(canary.total + stable.total))


def _visible(one: CountEvidence, place: int, spread: float) -> float | None:
    if not one.state.abort.counted:
        return None
    ratio = smallest_visible(null_margin(one, place).ratio, spread)
    return 1 / ratio if one.metric.less_is_worse else ratio


def _least(each: Floats, needed: tuple[int, ...]) -> float:
    return min(float(each[min(place, len(each) - 1)]) for place in needed)


def _row(window: Window, place: int) -> int:
    """A profile without any block has one row for all boundaries."""
    return min(place, len(window.profile.values) - 1)


def _inverse(effect: Effect) -> Effect:
    def over(value: float) -> float:
        return 1 / value if value > 0 else float("inf")

    ratio = None if effect.ratio is None or effect.ratio == 0 else 1 / effect.ratio
    return Effect(ratio, over(effect.high), over(effect.low))
