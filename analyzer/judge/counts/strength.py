"""What the evidence of counts comes to, in nats, with the metric's noise in it. Called by `count_verdict` and
`offline`.

Exactness needs independent requests. Real counts vary `dispersion` times more, so profiles are divided by it, on
every side (a quasi-likelihood: simulated, not proved). And real pods differ, so an abort needs the exact test and the
one against the fuzzy null (`spread`): the smaller evidence is taken, which is valid where either model holds.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.counts.evidence import CountEvidence, profiles
from analyzer.judge.observations.bands import OPEN, TAIL, bands_after
from analyzer.judge.observations.boundaries import Boundaries
from analyzer.judge.observations.observation import later_sum
from analyzer.judge.observations.window import SideTotals
from analyzer.judge.sequential.design import Design, Grid
from analyzer.judge.sequential.profile import Floats, log_evidence
from analyzer.judge.sequential.spread import FuzzyNull, Slack, fuzzy_null, step_spread
from analyzer.model.metric import CountMetric, Margin

_HALF = 0.5
_ONE = np.zeros(1)


def dispersions(one: CountEvidence) -> Floats:
    """phi of each boundary, shape (boundaries, 1)."""
    boundaries = one.state.boundaries
    if boundaries is None:
        return np.array([[one.noise.dispersion]])
    return np.array([[each.dispersion] for each in boundaries.noise])


def spreads(one: CountEvidence, canary: SideTotals, stable: SideTotals) -> tuple[float, ...]:
    """tau_step of each boundary, with the pods that served so far."""
    boundaries = one.state.boundaries
    taus = (one.noise.pod_spread,) if boundaries is None else tuple(each.pod_spread for each in boundaries.noise)
    if not any(taus):
        return (0.0,) * len(taus)
    luck = step_spread(1.0, canary.pods_alike, stable.pods_alike)
    return tuple(tau * luck for tau in taus)


def boundary_weights(boundaries: Boundaries | None) -> Floats:
    """Logs of the boundaries' parts in the abort's evidence: half for the objective's, the rest alike."""
    return _ONE if boundaries is None else _boundary_weights(len(boundaries.noise), boundaries.objective)


@lru_cache(maxsize=64)
def _boundary_weights(count: int, objective: int | None) -> Floats:
    if objective is None or count == 1:
        return np.full(count, -math.log(count))
    weights = np.full(count, _HALF / (count - 1))
    weights[objective] = _HALF
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


def tests_nats(design: Design, scaled: Floats) -> Floats:
    """Evidence of the exact tests (abort, promote, advance) at each boundary, shape (boundaries, 3), from profiles of
    all grids over the dispersion, shape (boundaries, points)."""
    tests, points = design.log_weights.shape
    return log_evidence(design.log_weights, scaled[:, : tests * points].reshape(-1, tests, points))


def softened(
    one: CountEvidence, exact: Floats, scaled: Floats, spread: tuple[float, ...], totals: tuple[float, float]
) -> Floats:
    """Evidence against the canary at each boundary, shape (boundaries,): the exact test's or, where it is less, that
    against the fuzzy null, with tau_step at each boundary and both sides' totals.

    Where the exact test says nothing, luck need not explain it: the fuzzy null is not asked.
    """
    if one.state.abort.counted == 0 or not any(spread) or combined(one, exact) <= 0:
        return exact
    phi, found = dispersions(one), exact.copy()
    alike: dict[tuple[FuzzyNull, float], list[int]] = {}
    for place, each in enumerate(spread):
        if each > 0 and found[place] > 0:
            null = null_margin(one, place)
            alike.setdefault((fuzzy_null(null.ratio, each), relief(null)), []).append(place)
    for (fuzzy, absolute), places in alike.items():
        sides = slack(one.metric, absolute, totals, phi[places, 0])
        against = fuzzy.nats(scaled[places, one.design.effect_part], sides)
        found[places] = np.minimum(found[places], against)
    return found


def slack(
    metric: CountMetric, absolute: float, totals: tuple[float | Floats, float | Floats], phi: float | Floats
) -> Slack:
    """The absolute tolerance for the fuzzy null, from (canary, stable) totals; sides change places as in `profiles`."""
    canary, stable = (np.asarray(side / phi) for side in (reversed(totals) if metric.less_is_worse else totals))
    return Slack(absolute, canary, stable)


def relief(margin: Margin) -> float:
    """The absolute tolerance as a share of stable's events: D0 / R0."""
    return margin.absolute / margin.ratio


def combined(one: CountEvidence, each: Floats) -> Floats:
    """The boundaries' evidence as one: the log of their weighted mean, shape (...)."""
    if each.shape[-1] == 1 and one.state.boundaries is None:
        return np.asarray(each[..., 0])
    return log_evidence(boundary_weights(one.state.boundaries), each)


def nats(grid: Grid, profile: Floats) -> Floats:
    """log e of a grid's mixture."""
    return log_evidence(grid.log_weights, profile)


def confirmed(one: CountEvidence, threshold: float) -> bool:
    """Does the abort also hold with the latest block's stable counters taken one slot later?

    The two sides are scraped at different moments, so a shared incident may reach the canary's counters
    first.
    """
    recheck, state = one.state.recheck, one.state
    later = None if recheck is None else later_sum(one.metric, recheck.stable, recheck.later, state.boundaries)
    if recheck is None or later is None:
        return False
    bands = None if recheck.bands is None else np.array([recheck.bands], dtype=np.intp)
    block = profiles(one.metric, one.design, [(recheck.canary, later)], bands)[0]
    scaled = (recheck.before.values + block) / dispersions(one)
    exact = tests_nats(one.design, scaled)[:, 0]
    totals = state.abort.canary.total, recheck.stable_before + later.total
    against = softened(one, exact, scaled, spreads(one, state.abort.canary, state.abort.stable), totals)
    return float(combined(one, against)) >= threshold


def null_margin(one: CountEvidence, place: int) -> Margin:
    """R0 and D0 of a boundary: of the loosest band that it has been in."""
    widest = one.state.widest
    return one.design.margins.tolerance[widest[place] if widest else OPEN]
