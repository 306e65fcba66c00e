"""When a proof will come, if the canary is as good as stable and traffic stays as it is.

Called by `count_verdict`. A forecast decides nothing: it tells people how long to wait.
"""

from __future__ import annotations

import numpy as np

from analyzer.judge.design import Grid
from analyzer.judge.profile import Floats, increment, log_evidence
from analyzer.model.block import Counts

_TIMES = np.concatenate([[0.0], np.geomspace(1, 30 * 86400, 47)])
"""Seconds ahead at which evidence is foretold; what takes longer than 30 days will not come."""


def seconds_to_proof(
    grid: Grid, profile: Floats, canary: Counts, stable: Counts, *, per_second: float, target: float
) -> float | None:
    """Seconds until the evidence in `profile` is expected to reach `target`, None when it will not.

    `canary` and `stable` are counts so far, both with requests; times `per_second` they are the present traffic.
    Both sides are expected to have the same share of events from now on, the pooled one.
    """
    share = (canary.events + stable.events) / (canary.total + stable.total)
    drift = per_second * increment(grid.on, share * canary.total, canary.total, share * stable.total, stable.total)
    foretold = log_evidence(grid.log_weights, profile + _TIMES[:, None] * drift)
    reached = np.flatnonzero(foretold >= target)
    if len(reached) == 0:
        return None
    after = int(reached[0])
    if after == 0:
        return 0.0
    ends = foretold[after - 1 : after + 1]
    return float(np.interp(target, ends, _TIMES[after - 1 : after + 1]))


def requests_to_proof(grid: Grid, target: float, dispersion: float = 1.0) -> float | None:
    """Canary requests that prove it when neither side has any event and stable serves as many."""
    return seconds_to_proof(
        grid, np.zeros_like(grid.log_weights), Counts(0, 1), Counts(0, 1), per_second=1 / dispersion, target=target
    )
