"""Which bets a metric makes: grids and prior weights. Called by the evidence of counts and the benchmarks.

A prior decides how soon an effect of a given size is seen. It never touches the guarantee.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.sequential.profile import Bets, Floats, bets, joined
from analyzer.model.metric import Margin

Whole = NDArray[np.intp]

POINTS = 64
"""Points of a test's grid; four times as many change the evidence by less than 0.01 nats."""

EFFECT_POINTS = 96
"""Points of the effect's grid."""

WIDTH = 3 * POINTS + EFFECT_POINTS
"""Points of all grids of a metric together."""

SCALE = math.log(2)
"""Scale of the heavy-tailed priors on a log ratio."""

_EFFECT_LIMIT = 7.0


@dataclass(frozen=True, slots=True)
class Margins:
    """What a metric tolerates, and what it must prove to be promoted: one of each per band (`bands` says which band
    applies when); and the looser `advance`, which intermediate steps must prove."""

    tolerance: tuple[Margin, ...]
    promote: tuple[Margin, ...]
    advance: Margin


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Bets and the log of their prior weights (they sum to 1), both of shape (points,)."""

    on: Bets
    log_weights: Floats


def excess_density(u: Floats) -> Floats:
    """The abort side's prior on the log of the excess over the tolerance, for u > 0; 0 elsewhere.

    Most weight on an excess of 1.5 to 5 times (a gamma prior of shape 3 and scale 0.3 on its log), the rest on a
    half-Cauchy of scale log 2, for excesses close to the tolerance and far beyond.
    """
    above = np.maximum(u, 0.0)
    usual = above**2 * np.exp(-above / 0.3) / (2 * 0.3**3)
    any_size = 2 / (math.pi * SCALE) / (1 + (above / SCALE) ** 2)
    return np.asarray(np.where(u > 0, 0.8 * usual + 0.2 * any_size, 0.0))


def abort_grid(tolerance: Margin, points: int = POINTS) -> Grid:
    """Bets that the canary is worse than `tolerance`, with the prior of `excess_density`."""
    u = np.geomspace(0.02, math.log(200), points)
    weights = _normalised(u * excess_density(u))
    return Grid(bets(u, tolerance.ratio, tolerance.absolute), np.log(weights))


def proof_grid(margin: Margin, points: int = POINTS, centre: float | None = None) -> Grid:
    """Bets that the canary stays below `margin`.

    0.6 of the weight near a canary that is like stable (normal about -log R; `centre` is R where it is not the
    margin's own ratio), 0.25 on anything better (exponential of mean 2: with few events it is the absolute margin
    that counts), 0.15 on a canary without any event.
    """
    size = np.geomspace(5.0, 0.01, points)
    alike = np.exp(-0.5 * ((size - math.log(centre or margin.ratio)) / 0.35) ** 2) / (0.35 * math.sqrt(2 * math.pi))
    better = np.exp(-size / 2) / 2
    weights = _normalised(size * (0.6 * alike + 0.25 * better)) * 0.85
    weights[0] += 0.15
    return Grid(bets(-size, margin.ratio, margin.absolute), np.log(weights))


def effect_grid(points: int = EFFECT_POINTS) -> Grid:
    """The likelihood of each log ratio canary / stable up to 1,100-fold, with a Cauchy prior of scale log 2.

    Points are evenly spaced in asinh: dense where ratios are near 1.
    """
    place = np.linspace(-math.asinh(_EFFECT_LIMIT), math.asinh(_EFFECT_LIMIT), points)
    g = np.sinh(place)
    return Grid(bets(g, 1.0, 0.0), np.log(_normalised(np.cosh(place) / (1 + (g / SCALE) ** 2))))


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """All grids of one metric. `abort`, `promote` and `all` (every grid's bets as one) have one entry per band of
    its margins; bands share bets and weights and differ in the null. The slices find each grid's part in `all`.
    `log_weights` are those of the tests (abort, promote, advance), shape (3, POINTS).
    """

    margins: Margins
    abort: tuple[Grid, ...]
    promote: tuple[Grid, ...]
    advance: Grid
    effect: Grid
    all: Bets
    log_weights: Floats

    abort_part = slice(0, POINTS)
    promote_part = slice(POINTS, 2 * POINTS)
    advance_part = slice(2 * POINTS, 3 * POINTS)
    effect_part = slice(3 * POINTS, None)

    def bets_in(self, bands: Whole | None) -> Bets:
        """All bets, for bands of shape (...): nulls of shape (..., points). None: a metric of one band."""
        if bands is None or len(self.abort) == 1:
            return Bets(self.all.u, self.all.growth, self.all.ratio[0], self.all.relief[0])
        return Bets(self.all.u, self.all.growth, self.all.ratio[bands], self.all.relief[bands])


@lru_cache(maxsize=1024)
def design_for(margins: Margins) -> Design:
    """The grids for these margins, made once and shared by every metric that has them."""
    ratios = [one.ratio for one in margins.promote]
    centre = math.sqrt(min(ratios) * max(ratios)) if len(set(ratios)) > 1 else ratios[0]
    abort = tuple(abort_grid(one) for one in margins.tolerance)
    promote = tuple(proof_grid(one, centre=centre) for one in margins.promote)
    advance, effect = proof_grid(margins.advance), effect_grid()
    every = [joined(one.on, other.on, advance.on, effect.on) for one, other in zip(abort, promote, strict=True)]
    stacked = Bets(
        every[0].u,
        every[0].growth,
        np.stack([one.ratio for one in every]),
        np.stack([one.relief for one in every]),
    )
    weights = np.stack([one.log_weights for one in (abort[0], promote[0], advance)])
    return Design(margins, abort, promote, advance, effect, stacked, weights)


def _normalised(weights: Floats) -> Floats:
    """Weights per point of an evenly spaced grid that sum to 1, its ends counted half (trapezoid rule)."""
    ends = np.ones_like(weights)
    ends[[0, -1]] = 0.5
    return np.asarray(weights * ends / (weights * ends).sum())
