"""The rules of others, as the benchmarks run them for many releases at once, are what their sources say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from benchmarks.peers import Series, failed_checks, first, kayenta, mann_whitney, pooled_z, standing, tuned_limit
from benchmarks.tables import above, holm, interval
from benchmarks.worlds import Counts, Floats

RNG = np.random.default_rng(1)
SERIES = Series(
    (RNG.integers(0, 9, (20, 15)) + RNG.integers(0, 4, (20, 1))).astype(np.float64),
    RNG.integers(0, 9, (20, 15)).astype(np.float64),
)


@pytest.mark.parametrize("minutes", [3, 8, 15])
def test_mann_whitney_statistic_is_scipys(minutes: int) -> None:
    z = standing(SERIES).z[:, minutes - 1]
    for run in range(len(z)):
        canary, stable = SERIES.canary[run, :minutes], SERIES.stable[run, :minutes]
        expected = stats.mannwhitneyu(canary, stable, alternative="two-sided", method="asymptotic").pvalue
        assert 2 * stats.norm.sf(abs(z[run])) == pytest.approx(expected, abs=1e-9)


def test_mann_whitney_aborts_at_the_first_minute_below_one_percent() -> None:
    series = Series(np.arange(10.0)[None] + 100, np.arange(10.0)[None])
    assert mann_whitney(standing(series)) == [5]


def test_kayenta_is_high_when_its_interval_lies_above_a_quarter_of_the_shift() -> None:
    last = SERIES.canary.shape[1]
    ended = kayenta(SERIES, standing(SERIES))
    high_and_not = [*np.flatnonzero(ended > 0)[:2], *np.flatnonzero(ended == 0)[:2]]
    assert len(high_and_not) == 4
    for run in high_and_not:
        high = [_high(SERIES.canary[run, :minute], SERIES.stable[run, :minute]) for minute in range(1, last + 1)]
        assert ended[run] == (high.index(True) + 1 if any(high) else 0)


def _high(canary: Floats, stable: Floats) -> bool:
    """By the interval itself: where the shifted statistic passes the 99 % quantile."""

    def excess(shift: float) -> float:
        z = standing_of(canary - shift, stable)
        return z - float(stats.norm.ppf(0.99))

    low, high = float(canary.min() - stable.max()) - 1, float(canary.max() - stable.min()) + 1
    if excess(low) <= 0:
        return False
    lower = optimize.brentq(excess, low, high, xtol=1e-9)
    estimate = float(np.median(canary[:, None] - stable[None, :]))
    return bool(lower > 0.25 * abs(estimate) and canary.mean() >= stable.mean())


def standing_of(canary: Floats, stable: Floats) -> float:
    """The statistic on these values."""
    return float(standing(Series(canary[None], stable[None])).z[0, -1])


def test_pooled_z_aborts_on_counts_so_far() -> None:
    events, total = np.array([[10.0, 30.0]]), np.array([[1000.0, 1000.0]])
    assert pooled_z(Counts(events, total, np.array([[10.0, 10.0]]), total)) == [2]


def test_failed_checks_counts_all_failures_not_only_consecutive_ones() -> None:
    canary = np.array([[2.0, 0, 2, 0, 2, 0, 2, 0, 2, 0], [2.0, 2, 2, 2, 0, 0, 0, 0, 0, 0]])
    assert failed_checks(Series(canary, canary), 1.0).tolist() == [9, 0]


def test_oracles_limit_fails_one_percent_of_the_healthy() -> None:
    healthy = np.random.default_rng(2).random((1000, 60))
    limit = tuned_limit(Series(healthy, healthy))
    assert (failed_checks(Series(healthy, healthy), limit) > 0).mean() == pytest.approx(0.01, abs=0.002)


def test_first_minute_counts_from_one() -> None:
    assert first(np.array([[False, True], [False, False], [True, True]])).tolist() == [2, 0, 1]


def test_holm_adjusts_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_shares_have_exact_intervals() -> None:
    assert interval(0, 100) == pytest.approx((0.0, 0.0362), abs=1e-4)
    assert above(0, 100, 0.01) == 1.0
    assert above(5, 100, 0.01) == pytest.approx(0.0034, abs=1e-4)
