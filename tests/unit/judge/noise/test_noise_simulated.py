"""How often the estimates of noise do what is said of them, simulated (seeded)."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.judge.noise.dispersion import Cells, between_batches, between_pods, few_pods
from tests.unit.judge.sample_histories import Shape, errors

RUNS = 200


@pytest.mark.parametrize("phi", [1.0, 5.0])
@pytest.mark.parametrize("shape", [Shape(4, 72), Shape(9, 12), Shape(9, 72, 6.0), Shape(9, 72, 0.6)])
def test_the_bound_of_phi_lies_above_the_truth_in_nine_of_ten_histories(phi: float, shape: Shape) -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(RUNS):
        events = errors(rng, shape, phi=phi, tau=0.1)
        found = between_batches(Cells(events, np.full(events.shape, 6000.0)))
        assert found is not None
        covered += found.upper >= phi
    assert covered / RUNS > 0.85


@pytest.mark.parametrize("tau", [0.1, 0.3])
def test_tau_is_right_at_the_median_with_many_pods(tau: float) -> None:
    rng = np.random.default_rng(6)
    found = []
    for _ in range(RUNS):
        events = errors(rng, Shape(20, 24), tau=tau)
        found.append(between_pods(Cells(events, np.full(events.shape, 6000.0)), 1.0))
    assert float(np.median(found)) == pytest.approx(tau, rel=0.1)


@pytest.mark.parametrize("pods", [4, 5, 6, 9, 20])
def test_a_canary_pod_lies_beyond_three_and_a_half_spreads_in_less_than_one_of_two_hundred_releases(pods: int) -> None:
    rng = np.random.default_rng(7)
    spread = np.sqrt(few_pods(pods) * rng.chisquare(pods - 1, 100_000) / (pods - 1))
    assert (rng.standard_normal(100_000) > 3.5 * spread).mean() < 0.006
