"""Which bets a ratio metric makes: grids and prior weights. Called by `ratio` and the benchmarks.

A prior decides how soon an effect of a given size is seen. It never touches the guarantee.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analyzer.judge.profile import Bets, Floats, bets, joined
from analyzer.model.metric import Margin

POINTS = 64
"""Points of a test's grid; four times as many change the evidence by less than 0.01 nats."""

EFFECT_POINTS = 96
"""Points of the effect's grid."""

WIDTH = 3 * POINTS + EFFECT_POINTS
"""Points of all grids of a metric together."""

ADVANCE_MARGIN = Margin(2.0, 0.005)
"""What an intermediate step must prove: a looser bound than promotion, so that a canary may get more
traffic."""

_SCALE = math.log(2)
_EFFECT_LIMIT = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Bets and the log of their prior weights (they sum to 1), both of shape (points,)."""

    on: Bets
    log_weights: Floats


def abort_grid(tolerance: Margin, points: int = POINTS) -> Grid:
    """Bets that the canary is worse than `tolerance`.

    Most weight on an excess of 1.5 to 5 times (a gamma prior of shape 3 and scale 0.3 on its log), the rest on a
    half-Cauchy of scale log 2, for excesses close to the tolerance and far beyond.
    """
    u = np.geomspace(0.02, math.log(200), points)
    usual = u**2 * np.exp(-u / 0.3) / (2 * 0.3**3)
    any_size = 2 / (math.pi * _SCALE) / (1 + (u / _SCALE) ** 2)
    weights = _normalised(u * (0.8 * usual + 0.2 * any_size))
    return Grid(bets(u, tolerance.ratio, tolerance.absolute), np.log(weights))


def proof_grid(margin: Margin, points: int = POINTS) -> Grid:
    """Bets that the canary stays below `margin`.

    0.6 of the weight near a canary that is like stable (normal about -log R), 0.25 on anything better (exponential
    of mean 2: with few events it is the absolute margin that counts), 0.15 on a canary without any event.
    """
    size = np.geomspace(5.0, 0.01, points)
    alike = np.exp(-0.5 * ((size - math.log(margin.ratio)) / 0.35) ** 2) / (0.35 * math.sqrt(2 * math.pi))
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
    return Grid(bets(g, 1.0, 0.0), np.log(_normalised(np.cosh(place) / (1 + (g / _SCALE) ** 2))))


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """All grids of one ratio metric, and `all`, their bets as one; the slices find each grid's part in it."""

    abort: Grid
    promote: Grid
    advance: Grid
    effect: Grid
    all: Bets

    abort_part = slice(0, POINTS)
    promote_part = slice(POINTS, 2 * POINTS)
    advance_part = slice(2 * POINTS, 3 * POINTS)
    effect_part = slice(3 * POINTS, None)


@lru_cache(maxsize=1024)
def design_for(tolerance: Margin, promote_margin: Margin) -> Design:
    """The grids for these margins, made once and shared by every metric that has them."""
    abort, promote = abort_grid(tolerance), proof_grid(promote_margin)
    advance, effect = proof_grid(ADVANCE_MARGIN), effect_grid()
    return Design(abort, promote, advance, effect, joined(abort.on, promote.on, advance.on, effect.on))


def _normalised(weights: Floats) -> Floats:
    """Weights per point of an evenly spaced grid that sum to 1, its ends counted half (trapezoid rule)."""
    ends = np.ones_like(weights)
    ends[[0, -1]] = 0.5
    return np.asarray(weights * ends / (weights * ends).sum())
