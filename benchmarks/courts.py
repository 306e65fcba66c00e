"""Courts for each kind of metric: arrays of runs in, the judge's evidence out. Called by the tables; see `ours`.

They use the judge's own grids, priors, bands, weights and profiles; only the bookkeeping is done for many runs at
once. A test compares them with the judge itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.counts.fast_lane import fast_grid
from analyzer.judge.counts.strength import boundary_weights, relief, slack
from analyzer.judge.gauges.evidence import BATCH_SECONDS, LEAST_WITHIN
from analyzer.judge.gauges.tests import Normal, log_abort, log_proof
from analyzer.judge.observations.bands import OPEN, TAIL, bands_after, margins_of
from analyzer.judge.observations.boundaries import Boundaries
from analyzer.judge.sequential.design import Grid, Whole, design_for
from analyzer.judge.sequential.profile import increment, log_evidence
from analyzer.judge.sequential.spread import FuzzyNull, fuzzy_null, step_spread
from analyzer.judge.thresholds import ADVERSE
from analyzer.model.metric import Analysis, CountMetric, GaugeMetric, HistogramMetric, RatioMetric
from analyzer.model.noise import EXACT, BoundNoise, Noise
from benchmarks.latency import PlayedLatency
from benchmarks.levels import PlayedGauge
from benchmarks.ours import Nats, Runs
from benchmarks.worlds import BLOCK, Counts, Floats, Stage

_FAST = Analysis(()).fast_lane


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """What both sides counted: events (runs, blocks, boundaries) and totals (runs, blocks)."""

    canary_events: Floats
    canary_total: Floats
    stable_events: Floats
    stable_total: Floats


def of_counts(counts: Counts) -> Sides:
    """One boundary."""
    return Sides(
        counts.canary_events[..., None], counts.canary_total, counts.stable_events[..., None], counts.stable_total
    )


def of_latency(played: PlayedLatency) -> Sides:
    """All boundaries."""
    return Sides(played.canary.events, played.canary.total, played.stable.events, played.stable.total)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Noise per run and boundary, each (runs, boundaries)."""

    phi: Floats
    tau: Floats


def spread_of(noises: Sequence[Noise], boundaries: int = 1) -> Spread:
    """Estimates as arrays."""
    alike = [one.bounds or (BoundNoise(one.dispersion, one.pod_spread),) * boundaries for one in noises]
    phi = np.array([[bound.dispersion for bound in one] for one in alike])
    return Spread(phi, np.array([[bound.pod_spread for bound in one] for one in alike]))


def no_spread(runs: int, boundaries: int = 1) -> Spread:
    """The exact test."""
    return spread_of([EXACT] * runs, boundaries)


class CountCourt:
    """A metric that counts events; `sides` per step (the same for all where steps end by time).

    `objective`: the place of a histogram's most important boundary.
    """

    def __init__(
        self,
        metric: CountMetric,
        stages: Sequence[Stage],
        sides: Sequence[Sides],
        spread: Spread,
        objective: int | None = None,
    ) -> None:
        self._metric, self._stages, self._sides, self._spread = metric, stages, sides, spread
        self._design = design_for(margins_of(metric))
        runs, boundaries = spread.phi.shape
        noise = (BoundNoise(1.0, 0.0),) * boundaries
        self._objective = objective
        self._weights = boundary_weights(Boundaries((1.0,) * boundaries, noise, objective))
        self._profile = np.zeros((runs, boundaries, len(self._design.all.u)))
        self._stable_events, self._stable_total = np.zeros((runs, boundaries)), np.zeros(runs)
        self._canary_total = np.zeros(runs)
        self._widest = np.zeros((runs, boundaries), dtype=np.intp)
        self._fast = fast_grid(_FAST) if isinstance(metric, RatioMetric) and _FAST is not None else None
        self._fast_profile = np.zeros((runs, 0 if self._fast is None else len(self._fast.log_weights)))

    def enter(self, runs: Runs, step: int) -> None:  # noqa: ARG002 - evidence of every step starts from nothing
        """Start anew."""
        totals = self._canary_total, self._stable_total
        for state in (self._profile, self._stable_events, *totals, self._widest, self._fast_profile):
            state[runs] = 0

    def hear(self, runs: Runs, step: int, block: int) -> Nats:
        """Add a block's profile; it is divided by the dispersion when it is read."""
        sides = self._sides[step]
        x_c, x_s = sides.canary_events[runs, block], sides.stable_events[runs, block]
        n_c, n_s = sides.canary_total[runs, block], sides.stable_total[runs, block]
        there = (n_c > 0) & (n_s > 0)
        some, seen = runs[there], (x_c[there], n_c[there, None], x_s[there], n_s[there, None])
        self._profile[some] += self._added(some, seen)
        if self._fast is not None:
            x, n, y, m = (each[:, 0] for each in seen)
            self._fast_profile[some] += increment(self._fast.on, x, n, y, m)
        self._stable_events[some] += x_s[there]
        self._canary_total[some] += n_c[there]
        self._stable_total[some] += n_s[there]
        return self._read(runs, step)

    def _added(self, runs: Runs, seen: tuple[Floats, ...]) -> Floats:
        bands: Whole | None = None
        if isinstance(self._metric, HistogramMetric):
            bands = bands_after(self._stable_events[runs], self._stable_total[runs])
            self._widest[runs] = np.maximum(self._widest[runs], bands)
        x_c, n_c, x_s, n_s = seen
        on = self._design.bets_in(bands)
        return increment(on, x_s, n_s, x_c, n_c) if self._metric.less_is_worse else increment(on, x_c, n_c, x_s, n_s)

    def _read(self, runs: Runs, step: int) -> Nats:
        design, scaled = self._design, self._profile[runs] / self._spread.phi[runs, :, None]
        promote = _nats(design.promote[0], scaled[..., design.promote_part])
        advance = _nats(design.advance, scaled[..., design.advance_part])
        needed = self._needed(runs)
        fast = np.full(len(runs), -math.inf)
        if self._fast is not None:
            fast = _nats(self._fast, self._fast_profile[runs] / self._spread.phi[runs])
        return Nats(
            abort=self._abort(runs, step, scaled),
            fast=fast,
            promote=np.where(needed, promote, np.inf).min(axis=1),
            advance=np.where(needed, advance, np.inf).min(axis=1),
        )

    def _needed(self, runs: Runs) -> NDArray[np.bool_]:
        """The boundaries that must be proven."""
        if not isinstance(self._metric, HistogramMetric):
            return np.ones((len(runs), 1), dtype=bool)
        needed = bands_after(self._stable_events[runs], self._stable_total[runs]) == TAIL
        if self._objective is not None:
            needed[:, self._objective] = True
        needed[~needed.any(axis=1), -1] = True
        return np.asarray(needed)

    def _abort(self, runs: Runs, step: int, scaled: Floats) -> Floats:
        """The exact evidence; the fuzzy null's too where the exact one says anything, for the smaller counts."""
        each = _nats(self._design.abort[0], scaled[..., self._design.abort_part])
        combined = log_evidence(self._weights, each)
        asked = np.flatnonzero(combined >= ADVERSE)
        for place in range(each.shape[1] if len(asked) else 0):
            each[asked, place] = self._smaller(runs[asked], step, place, each[asked, place], scaled[asked, place])
        combined[asked] = log_evidence(self._weights, each[asked])
        return combined

    def _smaller(self, runs: Runs, step: int, place: int, exact: Floats, scaled: Floats) -> Floats:
        stage = self._stages[step]
        spreads = step_spread(1.0, stage.canary, stage.stable) * self._spread.tau[runs, place]
        widest = self._widest[runs, place] if isinstance(self._metric, HistogramMetric) else np.full(len(runs), OPEN)
        alike: dict[tuple[FuzzyNull, float], list[int]] = {}
        for row, (band, spread) in enumerate(zip(widest, spreads, strict=True)):
            margin = self._design.margins.tolerance[band]
            if spread > 0:
                alike.setdefault((fuzzy_null(margin.ratio, spread), relief(margin)), []).append(row)
        smaller, phi = exact.copy(), self._spread.phi[runs, place]
        for (null, absolute), same in alike.items():
            totals = self._canary_total[runs[same]], self._stable_total[runs[same]]
            sides = slack(self._metric, absolute, totals, phi[same])
            smaller[same] = np.minimum(exact[same], null.nats(scaled[same][:, self._design.effect_part], sides))
        return smaller


class GaugeCourt:
    """A gauge metric, where up is worse."""

    def __init__(self, metric: GaugeMetric, played: PlayedGauge, noises: Sequence[Noise]) -> None:
        self._metric, self._played = metric, played
        self._within = BATCH_SECONDS / BLOCK * np.maximum([one.within_pod for one in noises], LEAST_WITHIN) ** 2
        self._tau = np.array([one.pod_spread for one in noises])
        self._weight, self._drift = np.zeros(len(noises)), np.zeros(len(noises))
        self._worst, self._best = np.full(len(noises), -np.inf), np.full(len(noises), np.inf)

    def enter(self, runs: Runs, step: int) -> None:  # noqa: ARG002 - evidence of every step starts from nothing
        """Start anew."""
        self._weight[runs] = self._drift[runs] = 0.0
        self._worst[runs], self._best[runs] = -np.inf, np.inf

    def hear(self, runs: Runs, step: int, block: int) -> Nats:
        """Add a block; weights of a step's blocks are the same, as its pods are."""
        stage = self._played.stages[step]
        even = 1 / stage.canary + 1 / stage.stable
        d = self._played.canary[runs, block] - self._played.stable[runs, block]
        each = 1 / (self._within[runs] * even)
        self._weight[runs] += each
        self._drift[runs] += d * each
        self._worst[runs], self._best[runs] = np.maximum(self._worst[runs], d), np.minimum(self._best[runs], d)
        pods = self._tau[runs] ** 2 * even
        tolerated, margins = (
            math.log(self._metric.tolerance.ratio),
            (self._metric.promote_margin, self._metric.advance_margin),
        )
        promote, advance = (self._towards(runs, each, math.log(margin.ratio)) for margin in margins)
        return Nats(self._against(runs, each, tolerated, pods), np.full(len(runs), -math.inf), promote, advance)

    def _against(self, runs: Runs, each: Floats, tolerated: float, pods: Floats) -> Floats:
        """With and without the worst block; where the mean is below what is tolerated, there is no evidence."""
        mean, least = self._means(runs, each, self._worst)
        nats = np.full(len(runs), -1.0)
        for place in np.flatnonzero(np.minimum(mean, least) > tolerated):
            weight, one = self._weight[runs[place]], each[place]
            nats[place] = min(
                log_abort(_normal(mean[place], weight), tolerated, pods[place]),
                log_abort(_normal(least[place], weight - one), tolerated, pods[place]),
            )
        return nats

    def _towards(self, runs: Runs, each: Floats, margin: float) -> Floats:
        mean, least = self._means(runs, each, self._best)
        nats = np.full(len(runs), -1.0)
        for place in np.flatnonzero(np.maximum(mean, least) < margin):
            weight, one = self._weight[runs[place]], each[place]
            nats[place] = min(
                log_proof(_normal(mean[place], weight), margin), log_proof(_normal(least[place], weight - one), margin)
            )
        return nats

    def _means(self, runs: Runs, each: Floats, extreme: Floats) -> tuple[Floats, Floats]:
        """The mean of all blocks, and of all but the extreme one (of one block alone: no difference)."""
        weight, drift = self._weight[runs], self._drift[runs]
        rest = weight - each
        without = np.where(rest > each / 2, (drift - extreme[runs] * each) / np.maximum(rest, each / 2), 0.0)
        return drift / weight, without


def _normal(mean: float, weight: float) -> Normal:
    return Normal(mean, 1 / weight) if weight > 1e-9 else Normal(0.0, math.inf)


def _nats(grid: Grid, profile: Floats) -> Floats:
    return log_evidence(grid.log_weights, profile)
