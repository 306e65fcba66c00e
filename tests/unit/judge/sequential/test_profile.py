"""The promise behind every verdict: under a null, no bet has an expected factor above 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from analyzer.judge.sequential.design import abort_grid, proof_grid
from analyzer.judge.sequential.profile import Bets, Floats, Profile, increment, log_evidence
from analyzer.model.metric import Margin

MARGINS = [Margin(1.25), Margin(1.25, 0.0005), Margin(1.5, 0.001), Margin(2.0, 0.05), Margin(1.0, 0.3)]


def expected_factors(bets: Bets, canary: Floats, stable: Floats, n_c: int, n_s: int) -> Floats:
    """Sum over all outcomes of their probability times each bet's factor."""
    x_c, x_s = np.meshgrid(np.arange(len(canary)), np.arange(len(stable)), indexing="ij")
    factors = np.exp(increment(bets, x_c, np.full_like(x_c, n_c), x_s, np.full_like(x_s, n_s)))
    return np.asarray(np.einsum("i,j,ijk->k", canary, stable, factors))


@pytest.mark.parametrize("margin", MARGINS, ids=str)
@pytest.mark.parametrize("p_s", [0.0, 0.001, 0.05, 0.3])
@pytest.mark.parametrize(("n_c", "n_s"), [(1, 1), (3, 9), (8, 2)])
def test_no_bet_gains_on_average_at_the_boundary_of_its_null(margin: Margin, p_s: float, n_c: int, n_s: int) -> None:
    p_c = min(1.0, margin.ratio * p_s + margin.absolute)
    canary = stats.binom.pmf(np.arange(n_c + 1), n_c, p_c)
    stable = stats.binom.pmf(np.arange(n_s + 1), n_s, p_s)
    for grid in (abort_grid(margin), proof_grid(margin)):
        assert expected_factors(grid.on, canary, stable, n_c, n_s).max() <= 1 + 1e-12


@pytest.mark.parametrize("margin", MARGINS[:3], ids=str)
def test_rare_events_make_every_bet_exactly_fair_at_the_boundary(margin: Margin) -> None:
    n_c, n_s, p_s = 40, 160, 0.02
    canary = stats.poisson.pmf(np.arange(60), n_c * (margin.ratio * p_s + margin.absolute))
    stable = stats.poisson.pmf(np.arange(60), n_s * p_s)
    small = slice(0, 40)
    for grid in (abort_grid(margin), proof_grid(margin)):
        near = np.abs(grid.on.u) < 1.5
        assert expected_factors(grid.on, canary, stable, n_c, n_s)[near][small] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("p_c", [0.0, 0.05, 0.0625])
def test_no_abort_bet_gains_on_average_inside_the_null(p_c: float) -> None:
    canary, stable = stats.binom.pmf(np.arange(11), 10, p_c), stats.binom.pmf(np.arange(31), 30, 0.05)
    assert expected_factors(abort_grid(Margin(1.25)).on, canary, stable, 10, 30).max() <= 1 + 1e-12


def test_splitting_a_block_changes_nothing_when_both_sides_are_split_alike() -> None:
    bets = abort_grid(Margin(1.25, 0.0005)).on
    whole = increment(bets, 9, 300, 12, 900)
    parts = increment(bets, 4, 100, 3, 300) + increment(bets, 5, 200, 9, 600)
    assert parts == pytest.approx(whole, rel=1e-12, abs=1e-12)


def test_the_order_of_blocks_does_not_matter() -> None:
    grid = abort_grid(Margin(1.25, 0.0005))
    rng = np.random.default_rng(7)
    canary, stable = rng.poisson(3, 50), rng.poisson(9, 50)
    blocks = increment(grid.on, canary, 100, stable, rng.integers(200, 400, 50))
    forwards, backwards = blocks.sum(axis=0), blocks[::-1].sum(axis=0)
    assert log_evidence(grid.log_weights, forwards) == pytest.approx(log_evidence(grid.log_weights, backwards))


@pytest.mark.parametrize(
    "counts",
    [(0, 300, 0, 900), (9, 300, 6, 900), (30, 3000, 290, 27000), (60, 3000, 350, 27000), (3, 40, 0, 300)],
)
def test_64_points_give_the_evidence_of_256(counts: tuple[int, int, int, int]) -> None:
    for make in (abort_grid, proof_grid):
        coarse, fine = make(Margin(1.25, 0.0005)), make(Margin(1.25, 0.0005), 256)
        assert float(log_evidence(coarse.log_weights, increment(coarse.on, *counts))) == pytest.approx(
            float(log_evidence(fine.log_weights, increment(fine.on, *counts))), abs=0.01
        )


@pytest.mark.parametrize(
    "counts",
    [(0, 1, 0, 0), (0, 0, 0, 1), (0, 1, 0, 1), (10**9, 10**9, 0, 10**9), (0, 10**9, 10**9, 10**9)],
)
def test_evidence_stays_finite_from_no_request_to_a_billion(counts: tuple[int, int, int, int]) -> None:
    for grid in (abort_grid(Margin(1.25, 0.0005)), proof_grid(Margin(1.5, 0.001))):
        assert math.isfinite(float(log_evidence(grid.log_weights, increment(grid.on, *counts))))


def test_absolute_tolerance_keeps_a_few_errors_from_aborting_when_stable_has_none() -> None:
    strict, tolerant = abort_grid(Margin(1.25)), abort_grid(Margin(1.25, 0.0005))

    def e_value(grid_margin: Margin, errors: int) -> float:
        grid = abort_grid(grid_margin)
        return math.exp(float(log_evidence(grid.log_weights, increment(grid.on, errors, 500, 0, 9500))))

    assert strict.on.relief.max() == 0 < tolerant.on.relief.min()
    for errors in (2, 3, 4):
        assert e_value(Margin(1.25), errors) > 2 * e_value(Margin(1.25, 0.0005), errors)
    assert e_value(Margin(1.25, 0.0005), 3) < 20


def test_many_runs_at_once_are_the_same_as_each_alone() -> None:
    grid = abort_grid(Margin(1.25, 0.0005))
    events = np.array([0, 2, 7])
    together = increment(grid.on, events, 100, 3, 300)
    for row, count in enumerate(events):
        alone = Profile(increment(grid.on, count, 100, 3, 300))
        assert Profile(together[row]) == alone
        assert hash(Profile(together[row])) == hash(alone)
