"""Error rates when one looks at every block, simulated at the worst case that each null allows (seeded)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analyzer.judge.sequential.design import EFFECT_POINTS, Grid, abort_grid, effect_grid, proof_grid
from analyzer.judge.sequential.profile import Floats, increment, log_evidence
from analyzer.judge.sequential.spread import Slack, fuzzy_null
from analyzer.model.metric import Margin

RUNS, LOOKS = 1000, 120


def evidence_over_time(grid: Grid, p_c: float, p_s: float, totals: tuple[int, int], seed: int) -> Floats:
    """The highest log evidence of each run over all looks."""
    rng = np.random.default_rng(seed)
    profile = np.zeros((RUNS, len(grid.log_weights)))
    best = np.full(RUNS, -np.inf)
    for _ in range(LOOKS):
        x_c, x_s = rng.binomial(totals[0], p_c, RUNS), rng.binomial(totals[1], p_s, RUNS)
        profile += increment(grid.on, x_c, totals[0], x_s, totals[1])
        best = np.maximum(best, log_evidence(grid.log_weights, profile))
    return best


def not_above(hits: int, level: float) -> bool:
    """Is the true rate not shown to be above `level` (one-sided Clopper-Pearson, 99.9 %)?"""
    return hits == 0 or float(stats.beta.ppf(0.001, hits, RUNS - hits + 1)) <= level


@pytest.mark.parametrize("p_s", [0.0, 0.0005, 0.01, 0.1])
@pytest.mark.parametrize("totals", [(50, 450), (250, 250)])
def test_false_aborts_stay_below_alpha_however_often_one_looks(p_s: float, totals: tuple[int, int]) -> None:
    tolerance = Margin(1.25, 0.0005)
    best = evidence_over_time(abort_grid(tolerance), 1.25 * p_s + 0.0005, p_s, totals, seed=11)
    assert not_above(int((best >= np.log(1 / 0.01)).sum()), 0.01)


@pytest.mark.parametrize("p_s", [0.0, 0.0005, 0.01])
def test_unlucky_pods_at_the_absolute_tolerance_abort_at_most_alpha(p_s: float) -> None:
    """The luck of the pods multiplies the absolute part of the tolerance too."""
    rng, spread, totals = np.random.default_rng(14), 0.3, (3000, 27_000)
    luck = np.exp(spread * rng.standard_normal(RUNS))
    profile, highest = np.zeros((RUNS, EFFECT_POINTS)), np.full(RUNS, -np.inf)
    for look in range(1, 11):
        x_c, x_s = rng.binomial(totals[0], (1.25 * p_s + 0.0005) * luck), rng.binomial(totals[1], p_s, RUNS)
        profile += increment(effect_grid().on, x_c, totals[0], x_s, totals[1])
        sides = (np.full(RUNS, float(look * total)) for total in totals)
        highest = np.maximum(highest, fuzzy_null(1.25, spread).nats(profile, Slack(0.0005 / 1.25, *sides)))
    assert not_above(int((highest >= np.log(1 / 0.01)).sum()), 0.01)


@pytest.mark.parametrize("p_s", [0.0, 0.01, 0.1])
def test_false_promotions_stay_below_beta_however_often_one_looks(p_s: float) -> None:
    margin = Margin(1.5, 0.001)
    best = evidence_over_time(proof_grid(margin), 1.5 * p_s + 0.001, p_s, (250, 250), seed=12)
    assert not_above(int((best >= np.log(1 / 0.05)).sum()), 0.05)


def test_intervals_miss_the_true_ratio_in_at_most_their_share_of_releases() -> None:
    grid, truth = effect_grid(), float(np.log(1.5))
    rng = np.random.default_rng(13)
    profile, at_truth = np.zeros((RUNS, len(grid.log_weights))), np.zeros(RUNS)
    missed = np.zeros(RUNS, dtype=bool)
    stake = np.log1p(0.2 * np.expm1(truth))
    for _ in range(LOOKS):
        x_c, x_s = rng.binomial(100, 0.015, RUNS), rng.binomial(400, 0.01, RUNS)
        profile += increment(grid.on, x_c, 100, x_s, 400)
        at_truth += x_c * truth - (x_c + x_s) * stake
        missed |= at_truth < log_evidence(grid.log_weights, profile) + np.log(0.05)
    assert not_above(int(missed.sum()), 0.05)
