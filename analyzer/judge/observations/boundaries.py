"""Which bounds of a histogram are tested, and with which noise. Called by `observed` for a step's first block.

The choice follows from the bounds alone, never from the counts, and stays for the whole step.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

from analyzer.model.metric import HistogramMetric
from analyzer.model.noise import BoundNoise, Noise

MOST_BOUNDARIES = 12
"""With more bounds, so many of them are tested, evenly spread."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The bounds that are tested, ascending, with their noise; `objective` is the place of the one that matters
    most (None: none does)."""

    bounds: tuple[float, ...]
    noise: tuple[BoundNoise, ...]
    objective: int | None = None


@lru_cache(maxsize=1024)
def bounds_mistake(bounds: tuple[float, ...]) -> str | None:
    """Why these cannot be a histogram's upper bounds, None when they can."""
    shown = ", ".join(f"{bound:g}" for bound in bounds)
    if not bounds:
        return "no buckets"
    if any(math.isnan(bound) for bound in bounds) or any(low >= high for low, high in itertools.pairwise(bounds)):
        return f"bounds out of order: {shown} (expected ascending ones)"
    if bounds[-1] != math.inf:
        return f"bounds without +Inf: {shown} (the last bucket must hold all requests)"
    return None


def choose(
    metric: HistogramMetric, noise: Noise, canary: tuple[float, ...], stable: tuple[float, ...]
) -> Boundaries | None:
    """The bounds to test: those that both sides have. None when there is none, or a side's bounds are wrong."""
    if bounds_mistake(canary) or bounds_mistake(stable):
        return None
    shared = [bound for bound in stable if bound in set(canary) and math.isfinite(bound)]
    if not shared:
        return None
    objective = None
    if metric.objective is not None:
        objective = min(shared, key=lambda bound: _apart(bound, metric.objective or 0.0))
    chosen = _spread(shared, objective)
    return Boundaries(
        bounds=tuple(chosen),
        noise=tuple(_noise(noise, stable, bound) for bound in chosen),
        objective=None if objective is None else chosen.index(objective),
    )


def _apart(bound: float, objective: float) -> float:
    """Bounds grow by factors, so what is nearest is told on the log scale where there is one."""
    if bound > 0 and objective > 0:
        return abs(math.log(bound / objective))
    return math.inf if objective > 0 else abs(bound - objective)


def _spread(bounds: list[float], objective: float | None) -> list[float]:
    if len(bounds) <= MOST_BOUNDARIES:
        return bounds
    last, parts = len(bounds) - 1, MOST_BOUNDARIES - 1
    places = {round(part * last / parts) for part in range(MOST_BOUNDARIES)}
    if objective is not None and bounds.index(objective) not in places:
        wanted = bounds.index(objective)
        places.remove(min(places, key=lambda place: abs(place - wanted)))
        places.add(wanted)
    return [bounds[place] for place in sorted(places)]


def _noise(noise: Noise, bounds: tuple[float, ...], bound: float) -> BoundNoise:
    if len(noise.bounds) == len(bounds) - 1:
        return noise.bounds[bounds.index(bound)]
    return BoundNoise(noise.dispersion, noise.pod_spread)
