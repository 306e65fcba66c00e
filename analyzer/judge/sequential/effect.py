"""How much worse the canary is: point estimate and confidence sequence, read from the effect's profile.

The confidence sequence holds at every look, for ever: the chance that it ever misses a constant true ratio
is at most its error rate. Called by `count_reading` and the benchmarks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analyzer.judge.sequential.design import Grid
from analyzer.judge.sequential.profile import Floats, log_evidence

LEVEL = 0.05
"""Error rate of the intervals that are shown."""

_FINE = 32


@dataclass(frozen=True, slots=True)
class Effect:
    """Canary / stable. `ratio` is None where stable had no events; an unbounded end is 0 or infinity."""

    ratio: float | None
    low: float
    high: float


def effect_of(grid: Grid, profile: Floats, level: float = LEVEL) -> Effect:
    """Estimate from a profile of shape (points,) on the effect's grid."""
    relative = profile - profile.max()
    cut = float(log_evidence(grid.log_weights, relative)) + math.log(level)
    inside = np.flatnonzero(relative > cut)
    first, last = int(inside[0]), int(inside[-1])
    end = len(relative) - 1
    low = 0.0 if first == 0 else _crossing(grid, relative, first - 1, cut)
    high = math.inf if last == end else _crossing(grid, relative, last, cut)
    best = int(np.argmax(relative))
    if best == end or relative.min() == 0:
        return Effect(None, low, high)
    return Effect(0.0 if best == 0 else _peak(grid, relative, best), low, high)


def _crossing(grid: Grid, profile: Floats, left: int, cut: float) -> float:
    """The ratio at which the profile passes `cut` between points `left` and `left + 1`."""
    g, values = _refined(grid.on.u, left), _refined(profile, left)
    if values[0] > values[-1]:
        g, values = g[::-1], values[::-1]
    return math.exp(float(np.interp(cut, values, g)))


def _peak(grid: Grid, profile: Floats, best: int) -> float:
    """The ratio at which the profile is highest, next to its highest point."""
    g = np.concatenate([_refined(grid.on.u, best - 1), _refined(grid.on.u, best)])
    values = np.concatenate([_refined(profile, best - 1), _refined(profile, best)])
    return math.exp(float(g[int(np.argmax(values))]))


def _refined(values: Floats, left: int) -> Floats:
    """Values between points `left` and `left + 1` of an evenly spaced grid, by a cubic through four points.

    A profile is smooth on the scale of 1 in log ratio whatever the counts, so this is exact for all purposes.
    """
    start = min(max(left - 1, 0), len(values) - 4)
    return np.asarray(_CUBIC[left - start] @ values[start : start + 4])


def _cubic(offset: int) -> Floats:
    at = offset + np.linspace(0, 1, _FINE + 1)
    columns = []
    for node in range(4):
        others = [other for other in range(4) if other != node]
        columns.append(np.prod([(at - other) / (node - other) for other in others], axis=0))
    return np.stack(columns, axis=1)


_CUBIC = tuple(_cubic(offset) for offset in range(3))
