"""Point estimate and interval are what people act on: they must be the likelihood's, and say where they
end."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analyzer.judge.sequential.design import effect_grid
from analyzer.judge.sequential.effect import Effect, effect_of
from analyzer.judge.sequential.profile import increment

GRID = effect_grid()


def effect(x_c: float, n_c: float, x_s: float, n_s: float) -> Effect:
    return effect_of(GRID, increment(GRID.on, x_c, n_c, x_s, n_s))


@pytest.mark.parametrize(
    "counts", [(41, 1204, 18, 3590), (30, 3000, 30, 3000), (3, 900, 500, 1000), (3e5, 1e7, 2e5, 1e7)]
)
def test_point_is_the_ratio_of_the_two_shares(counts: tuple[float, float, float, float]) -> None:
    x_c, n_c, x_s, n_s = counts
    assert effect(*counts).ratio == pytest.approx(x_c / n_c * n_s / x_s, rel=0.01)


def test_interval_ends_where_the_likelihood_falls_to_the_cut() -> None:
    x_c, n_c, x_s, n_s = 41, 1204, 18, 3590
    found = effect(x_c, n_c, x_s, n_s)

    def likelihood(g: float) -> float:
        return x_c * g - (x_c + x_s) * math.log(n_c * math.exp(g) + n_s)

    fine = np.linspace(-7, 7, 20001)
    prior = 1 / (1 + (fine / math.log(2)) ** 2)
    values = np.array([likelihood(float(g)) for g in fine])
    top = values.max()
    cut = top + math.log(float((prior / prior.sum() * np.exp(values - top)).sum())) + math.log(0.05)
    inside = fine[values > cut]
    assert found.low == pytest.approx(math.exp(inside[0]), rel=0.01)
    assert found.high == pytest.approx(math.exp(inside[-1]), rel=0.01)


def test_swapping_the_sides_turns_the_interval_over() -> None:
    one, other = effect(20, 1000, 9, 2000), effect(9, 2000, 20, 1000)
    assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low), rel=1e-6)


def test_says_so_when_the_data_do_not_bound_the_ratio() -> None:
    nothing, only_canary, only_stable = effect(0, 100, 0, 100), effect(9, 100, 0, 100), effect(0, 100, 9, 100)
    assert nothing == Effect(None, 0.0, math.inf)
    assert only_canary.ratio is None
    assert only_canary.low > 1
    assert only_canary.high == math.inf
    assert (only_stable.ratio, only_stable.low) == (0.0, 0.0)
    assert only_stable.high < 1


def test_more_data_of_the_same_kind_narrow_the_interval() -> None:
    found = [effect(20 * k, 1000 * k, 10 * k, 1000 * k) for k in (1, 4, 16)]
    widths = [math.log(one.high / one.low) for one in found]
    assert widths[0] > widths[1] > widths[2]
