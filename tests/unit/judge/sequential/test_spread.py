"""The fuzzy null: its quadrature, and that pods which differ end a release only where luck can't explain it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import logsumexp

from analyzer.judge import begin, enter, fold, judge
from analyzer.judge.sequential.design import effect_grid, excess_density
from analyzer.judge.sequential.profile import Floats, increment
from analyzer.judge.sequential.spread import Slack, fuzzy_null, smallest_visible, step_spread
from analyzer.model.block import Block, Counts, SideBlock
from analyzer.model.metric import Analysis
from analyzer.model.noise import EXACT, Noise
from analyzer.model.verdict import MetricVerdict
from tests.unit.judge.sample_blocks import ERRORS, TIMING, block, run

COUNTS = [(3, 500, 0, 4500), (20, 1000, 10, 1000), (200, 10_000, 500, 90_000), (3000, 100_000, 12_000, 900_000)]


def by_quadrature(counts: tuple[int, int, int, int], ratio: float, spread: float, absolute: float = 0.0) -> float:
    """The same integrals on a fine grid, from their definition; with an absolute tolerance the harmonic mean."""
    spread = 1.02 ** math.ceil(math.log(spread) / math.log(1.02))
    x_c, n_c, x_s, n_s = counts
    g = np.linspace(-6.9, 6.9, 5_521 if absolute else 40_001)
    likelihood = x_c * g - (x_c + x_s) * np.log(n_c * np.exp(g) + n_s)
    null = -0.5 * ((g - math.log(ratio)) / spread) ** 2
    null -= logsumexp(null)
    excess = np.log(np.maximum(excess_moved(g - math.log(ratio), spread), 1e-300))
    excess -= logsumexp(excess)
    if absolute == 0:
        return float(logsumexp(excess + likelihood) - logsumexp(null + likelihood))
    reach = absolute / ratio * n_c * n_s / (n_c * np.exp(g) + n_s)
    near = np.flatnonzero(null > -60)
    against = [
        logsumexp(excess + likelihood - likelihood[at] - reach * (np.exp(g) - math.exp(g[at]))) - null[at]
        for at in near
    ]
    return float(-logsumexp(-np.array(against)))


def excess_moved(excess: Floats, spread: float) -> Floats:
    """The density of the canary's log ratio beyond R0: a normal about the usual excesses, and about 3 tau_step."""
    z = np.linspace(-4, 4, 33)
    normal = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    usual = sum(part * excess_density(excess - spread * at) for part, at in zip(normal, z, strict=True))
    just = np.exp(-0.5 * (excess / spread - 3) ** 2) / (spread * math.sqrt(2 * math.pi))
    share = min(0.5, 2.5 * spread)
    return np.asarray((1 - share) * usual + share * just)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_evidence_is_the_quotient_of_both_mixed_likelihoods(counts: tuple[int, int, int, int], spread: float) -> None:
    found = float(fuzzy_null(1.25, spread).nats(increment(effect_grid().on, *counts)))
    assert found == pytest.approx(by_quadrature(counts, 1.25, spread), abs=0.12)


@pytest.mark.parametrize("counts", [(5, 1000, 2, 9000), (20, 10_000, 3, 10_000), (200, 10_000, 500, 90_000)])
@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_with_an_absolute_tolerance_it_is_the_harmonic_mean_over_all_lucks(
    counts: tuple[int, int, int, int], spread: float
) -> None:
    """Each luck g tolerates e^g times as much, the absolute part too."""
    slack = Slack(0.0005 / 1.25, np.array(counts[1]), np.array(counts[3]))
    found = float(fuzzy_null(1.25, spread).nats(increment(effect_grid().on, *counts), slack))
    assert found == pytest.approx(by_quadrature(counts, 1.25, spread, 0.0005), abs=0.12)


def test_an_absolute_tolerance_only_takes_evidence_away_and_none_is_the_plain_quotient() -> None:
    null = fuzzy_null(1.25, 0.2)
    for counts in COUNTS:
        profile, sides = increment(effect_grid().on, *counts), (np.array(counts[1]), np.array(counts[3]))
        each = [float(null.nats(profile, Slack(relief, *sides))) for relief in (0.0, 1e-6, 0.0004, 0.01)]
        assert each[0] == float(null.nats(profile))
        assert each == sorted(each, reverse=True)


def test_rows_of_evidence_are_those_of_each_by_itself() -> None:
    null, counts = fuzzy_null(1.25, 0.2), np.array(COUNTS * 5, dtype=np.float64).T
    rows = increment(effect_grid().on, *counts)
    together = null.nats(rows, Slack(0.0004, counts[1], counts[3]))
    for place, row in enumerate(rows):
        alone = null.nats(row, Slack(0.0004, counts[1, place], counts[3, place]))
        assert float(alone) == pytest.approx(float(together[place]), abs=1e-9)


@pytest.mark.parametrize("spread", [1e-9, 1e-4, 0.7, 50.0])
def test_any_spread_and_any_traffic_stay_finite(spread: float) -> None:
    for counts in [(0, 1, 0, 1), (10**9, 10**9, 0, 10**9), (5 * 10**8, 10**9, 4 * 10**8, 10**9)]:
        assert math.isfinite(float(fuzzy_null(1.25, spread).nats(increment(effect_grid().on, *counts))))


def test_step_spread_falls_with_pods_on_both_sides() -> None:
    assert step_spread(0.1, 1, 9) == pytest.approx(0.1 * math.sqrt(1 + 1 / 9))
    assert smallest_visible(1.25, step_spread(0.1, 1, 9)) == pytest.approx(1.8, abs=0.03)
    assert smallest_visible(1.25, step_spread(0.3, 1, 9)) == pytest.approx(3.8, abs=0.1)


def verdict(blocks: list[Block], noise: Noise) -> MetricVerdict:
    begun = begin(Analysis((ERRORS,), fast_lane=None), 1, TIMING, {"errors": noise})
    return judge(fold(enter(begun, 0, abort_from=0), "errors", blocks)).metrics[0]


def abort(blocks: list[Block], noise: Noise) -> float:
    found = verdict(blocks, noise).evidence
    assert found is not None
    return found.abort


def test_dispersion_divides_the_evidence_of_every_side() -> None:
    bad, good = run((20, 1000), (10, 1000), range(9)), run((10, 1000), (10, 1000), range(30))
    assert abort(bad, Noise(dispersion=3)) < abort(bad, EXACT) / 2
    assert verdict(good, Noise(dispersion=3)).interval != verdict(good, EXACT).interval


def test_more_traffic_can_not_prove_what_luck_with_pods_explains() -> None:
    def of(scale: int) -> list[Block]:
        return run((16 * scale, 1000 * scale), (10 * scale, 1000 * scale), range(10))

    assert abort(of(100), EXACT) > 100
    assert abort(of(100), Noise(pod_spread=0.3)) < 1
    assert abort(of(10_000), Noise(pod_spread=0.3)) < 1


def test_what_luck_can_not_explain_is_still_seen() -> None:
    assert abort(run((200, 1000), (10, 1000), range(9)), Noise(pod_spread=0.3)) > math.log(100)


@pytest.mark.parametrize(("stable", "canary"), [(0, 6), (1, 8), (100, 131)])
def test_the_absolute_tolerance_protects_where_stable_has_next_to_no_errors(stable: int, canary: int) -> None:
    """p_s of 0, 0.01 % and 1 %: the fuzzy null alone knows no absolute tolerance, so the smaller evidence counts."""
    blocks = [block(0, (canary, 10_000), (stable, 10_000))]
    alone = float(fuzzy_null(1.25, 0.1 * math.sqrt(2)).nats(increment(effect_grid().on, canary, 1e4, stable, 1e4)))
    both = abort(blocks, Noise(pod_spread=0.1))
    assert both == pytest.approx(min(alone, abort(blocks, EXACT)), abs=1e-6)
    assert both < math.log(100)


def test_no_spread_is_the_exact_test() -> None:
    blocks = run((9, 1000), (6, 3000), range(3))
    assert abort(blocks, Noise()) == abort(blocks, Noise(source="from 6h of 9 pods"))


def test_summed_sides_count_for_the_pods_that_they_stand_for() -> None:
    def blocks(pods: int | None) -> list[Block]:
        canary, stable = (
            SideBlock({"all": Counts(20, 1000)}, merged=pods),
            SideBlock({"all": Counts(10, 1000)}, merged=9),
        )
        return [Block(k, canary, stable, stable) for k in range(9)]

    noise = Noise(pod_spread=0.2)
    assert abort(blocks(None), noise) < abort(blocks(9), noise)
    one, nine = verdict(blocks(None), noise).smallest_visible, verdict(blocks(9), noise).smallest_visible
    assert one == pytest.approx(smallest_visible(1.25, step_spread(0.2, 1, 9)))
    assert nine == pytest.approx(smallest_visible(1.25, step_spread(0.2, 9, 9)))


def test_a_pod_that_only_just_joined_does_not_halve_the_luck() -> None:
    def blocks(second: Counts) -> list[Block]:
        canary = SideBlock({"a": Counts(20, 1000), "b": second})
        stable = SideBlock({f"s{k}": Counts(2, 200) for k in range(9)})
        return [Block(0, canary, stable)]

    noise = Noise(pod_spread=0.2)
    joined, full = verdict(blocks(Counts(0, 1)), noise), verdict(blocks(Counts(20, 1000)), noise)
    assert joined.smallest_visible == pytest.approx(smallest_visible(1.25, step_spread(0.2, 1, 9)), rel=0.01)
    assert full.smallest_visible == pytest.approx(smallest_visible(1.25, step_spread(0.2, 2, 9)))


def test_the_noise_and_what_it_hides_are_said() -> None:
    noise = Noise(1.8, 0.07, source="from 6h of 9 pods")
    found = verdict(run((10, 1000), (10, 1000), range(2)), noise)
    assert found.noise == noise
    assert found.noise_note == (
        "with 1 canary pod, differences below 1.8x cannot be told from normal variation between pods"
    )
    assert found.query == "errors_total / requests_total"


@pytest.mark.parametrize("noise", [Noise(dispersion=0.5), Noise(pod_spread=-1.0), Noise(dispersion=math.nan)])
def test_refuses_noise_that_can_not_be(noise: Noise) -> None:
    with pytest.raises(ValueError, match="errors: noise of dispersion"):
        begin(Analysis((ERRORS,)), 1, TIMING, {"errors": noise})
