"""When a proof will come, if the canary is as good as stable and traffic stays as it is.

Called by the verdicts of counts and gauges. A forecast decides nothing: it tells people how long to wait.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.sequential.design import Grid
from analyzer.judge.sequential.profile import Floats, increment, log_evidence
from analyzer.model.block import Counts

Places = NDArray[np.int64]

_TIMES = np.concatenate([[0.0], np.geomspace(1, 30 * 86400, 47)])
"""Seconds ahead at which evidence is foretold; what takes longer than 30 days will not come."""

POINTS = len(_TIMES)

_SPARSE = np.concatenate([[0], np.arange(7, POINTS, 8)])


def seconds_to_proof(
    grid: Grid, profile: Floats, canary: Counts, stable: Counts, *, per_second: float, target: float
) -> float | None:
    """Seconds until the evidence in `profile` is expected to reach `target`, None when it will not.

    `canary` and `stable` are counts so far, both with requests; times `per_second` they are the present traffic.
    Both sides are expected to have the same share of events from now on, the pooled one.
    """
    share = (canary.events + stable.events) / (canary.total + stable.total)
    drift = per_second * increment(grid.on, share * canary.total, canary.total, share * stable.total, stable.total)

    def foretold(places: Places) -> Floats:
        return log_evidence(grid.log_weights, profile + _TIMES[places, None] * drift)

    after = first_reached(foretold, target)
    if after is None or after == 0:
        return None if after is None else 0.0
    ends = np.array([after - 1, after])
    return float(np.interp(target, foretold(ends), _TIMES[ends]))


def first_reached(foretold: Callable[[Places], Floats], target: float) -> int | None:
    """The first of `POINTS` places whose foretold evidence reaches `target`, None without any.

    The log of a sum of exponentials that are linear in time is convex in time: unless it is there at once, it crosses
    the target once. So a few places are looked at first, then those between two of them.
    """
    reached = np.flatnonzero(foretold(_SPARSE) >= target)
    if len(reached) == 0:
        return None
    place = int(reached[0])
    if place == 0:
        return 0
    between = np.arange(_SPARSE[place - 1] + 1, _SPARSE[place] + 1)
    return int(between[np.argmax(foretold(between) >= target)])


def requests_to_proof(grid: Grid, target: float, dispersion: float = 1.0) -> float | None:
    """Canary requests that prove it when neither side has any event and stable serves as many."""
    return seconds_to_proof(
        grid, np.zeros_like(grid.log_weights), Counts(0, 1), Counts(0, 1), per_second=1 / dispersion, target=target
    )
