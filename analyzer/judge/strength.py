"""What the evidence of counts comes to, in nats, with the metric's noise in it. Called by `count_verdict` and
`offline`.

Exactness needs independent requests. Real counts vary `dispersion` times more, so profiles are divided by it, on
every side (a quasi-likelihood: simulated, not proved). And real pods differ, so an abort needs the exact test and the
one against the fuzzy null (`spread`): the smaller evidence is taken, which is valid where either model holds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.bands import OPEN, TAIL, bands_after
from analyzer.judge.boundaries import Boundaries
from analyzer.judge.count_evidence import CountEvidence, profiles
from analyzer.judge.design import Grid
from analyzer.judge.profile import Floats, log_evidence
from analyzer.judge.spread import FuzzyNull, fuzzy_null, step_spread
from analyzer.judge.window import Served

_HALF = 0.5


def dispersions(one: CountEvidence) -> Floats:
    """phi of each boundary, shape (boundaries, 1)."""
    boundaries = one.state.boundaries
    if boundaries is None:
        return np.array([[one.noise.dispersion]])
    return np.array([[each.dispersion] for each in boundaries.noise])


def spreads(one: CountEvidence, canary: Served, stable: Served) -> tuple[float, ...]:
    """tau_step of each boundary, with the pods that served so far."""
    boundaries = one.state.boundaries
    taus = (one.noise.pod_spread,) if boundaries is None else tuple(each.pod_spread for each in boundaries.noise)
    pods = canary.pods_alike, stable.pods_alike
    return tuple(step_spread(tau, *pods) for tau in taus)


def boundary_weights(boundaries: Boundaries | None) -> Floats:
    """Logs of the boundaries' parts in the abort's evidence: half for the objective's, the rest alike."""
    count = 1 if boundaries is None else len(boundaries.noise)
    if boundaries is None or boundaries.objective is None or count == 1:
        return np.full(count, -math.log(count))
    weights = np.full(count, _HALF / (count - 1))
    weights[boundaries.objective] = _HALF
    return np.asarray(np.log(weights))


def proof_places(boundaries: Boundaries | None, events: Floats, total: Floats) -> NDArray[np.bool_]:
    """Which boundaries must be proven, shape (..., boundaries), by stable's events above them (same shape) of all
    requests (...): the objective's and all of the tail; without any, the highest one.

    A boundary that nobody crossed is proven by requests that did not, like a metric without errors.
    """
    if boundaries is None or not boundaries.bounds:
        return np.ones(events.shape, dtype=np.bool_)
    needed = np.asarray(bands_after(events, total) == TAIL)
    if boundaries.objective is not None:
        needed[..., boundaries.objective] = True
    needed[..., -1] |= ~needed.any(axis=-1)
    return needed


def resolved(canary: Floats, stable: Floats, total: Floats) -> NDArray[np.bool_]:
    """Does any boundary have requests on either side of it? Events have shape (..., boundaries), `total` (...)."""
    above = canary + stable
    return np.asarray(((above > 0) & (above < total[..., None])).any(axis=-1))


def abort_nats(one: CountEvidence, values: Floats) -> Floats:
    """Evidence against the canary at each boundary, shape (..., boundaries), from profiles of all grids of shape
    (..., boundaries, points)."""
    scaled = values / dispersions(one)
    found = nats(one.design.abort[0], scaled[..., one.design.abort_part])
    alike: dict[FuzzyNull, list[int]] = {}
    for place, spread in enumerate(spreads(one, one.state.abort.canary, one.state.abort.stable)):
        if spread > 0:
            alike.setdefault(fuzzy_null(null_ratio(one, place), spread), []).append(place)
    for fuzzy, places in alike.items():
        against = fuzzy.nats(scaled[..., places, one.design.effect_part])
        found[..., places] = np.minimum(found[..., places], against)
    return found


def combined(one: CountEvidence, each: Floats) -> Floats:
    """The boundaries' evidence as one: the log of their weighted mean, shape (...)."""
    return log_evidence(boundary_weights(one.state.boundaries), each)


def proof_nats(one: CountEvidence, grid: Grid, part: slice) -> Floats:
    """Evidence for the canary at each boundary."""
    return nats(grid, one.state.proof.profile.values[:, part] / dispersions(one))


def nats(grid: Grid, profile: Floats) -> Floats:
    """log e of a grid's mixture."""
    return log_evidence(grid.log_weights, profile)


def confirmed(one: CountEvidence, threshold: float) -> bool:
    """Does the abort also hold with the latest block's stable counters taken one slot later?

    The two sides are scraped at different moments, so a shared incident may reach the canary's counters
    first.
    """
    recheck = one.state.recheck
    if recheck is None or recheck.later is None:
        return False
    bands = None if recheck.bands is None else np.array([recheck.bands], dtype=np.intp)
    block = profiles(one.metric, one.design, [(recheck.canary, recheck.later)], bands)[0]
    return float(combined(one, abort_nats(one, recheck.before.values + block))) >= threshold


def null_ratio(one: CountEvidence, place: int) -> float:
    """R0 of a boundary: of the loosest band that it has been in."""
    widest = one.state.widest
    return one.design.margins.tolerance[widest[place] if widest else OPEN].ratio
