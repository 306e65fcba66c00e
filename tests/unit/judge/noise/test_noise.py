"""What the judge takes a metric's noise to be: from history, as stated, or by default, and in which words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analyzer.judge.noise.dispersion import upper_bound
from analyzer.judge.noise.estimate import estimate
from analyzer.model.block import Arrivals, Buckets, Counts, History, NoData, PodLevel, Restarts, Sample, SideBlock
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    NoiseSetting,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    TestedMetric,
)
from analyzer.model.noise import EXACT
from tests.unit.judge.sample_histories import BATCH, Shape, errors, history, of_errors, wandering

ERRORS = RatioMetric("errors", "e", "t")
LATENCY = HistogramMetric("latency", "b", objective=0.25)
MEMORY = GaugeMetric("memory", "m")
AUTO = NoiseSetting()
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, math.inf)


def rng(seed: int = 2) -> np.random.Generator:
    return np.random.default_rng(seed)


def latencies(wobble: float, seed: int = 1) -> History[Sample]:
    """Requests of log-normal latency with a median of 100 ms that wobbles from batch to batch in each pod."""
    random = rng(seed)

    def cell() -> Buckets:
        seen = np.sort(0.1 * np.exp(0.5 * random.standard_normal(3000) + wobble * random.standard_normal()))
        return Buckets(tuple(float(each) for each in np.searchsorted(seen, BOUNDS, side="right")))

    return History(BATCH, tuple(SideBlock({f"p{pod}": cell() for pod in range(6)}, bounds=BOUNDS) for _ in range(24)))


def test_alike_pods_and_independent_requests_are_taken_for_what_they_are() -> None:
    found = estimate(ERRORS, of_errors(errors(rng(), Shape(batches=72))), AUTO)
    assert found.dispersion == pytest.approx(1.08, abs=0.08)
    assert found.pod_spread < 0.03
    assert found.source == "from 6h of 9 pods"


def test_errors_in_batches_of_five_are_five_times_as_noisy() -> None:
    found = estimate(ERRORS, of_errors(errors(rng(), Shape(), phi=5)), AUTO)
    assert 4.5 < found.dispersion < 7
    assert found.pod_spread < 0.06


def test_pods_that_differ_are_found_to_and_the_shared_drift_is_no_noise() -> None:
    found = estimate(ERRORS, of_errors(errors(rng(), Shape(pods=20), tau=0.3)), AUTO)
    assert found.pod_spread == pytest.approx(0.3, abs=0.1)
    assert found.dispersion < 1.25


def test_an_incident_that_all_pods_share_is_no_noise() -> None:
    calm = errors(rng(), Shape())
    calm[:, 10:14] *= 30
    found = estimate(ERRORS, of_errors(np.floor(calm)), AUTO)
    assert found.pod_spread < 0.05


def test_one_pod_s_own_bursts_are_noise() -> None:
    events = errors(rng(), Shape())
    events[3, ::6] *= 8
    assert estimate(ERRORS, of_errors(events), AUTO).dispersion > 10


def test_pods_that_come_and_go_change_nothing() -> None:
    events = errors(rng(), Shape(batches=72), phi=5, tau=0.3)
    there = history(
        lambda pod, batch: Counts(float(events[pod, batch]), 6000.0) if (batch // 8 + pod) % 4 else None, 9, 72
    )
    whole, found = estimate(ERRORS, of_errors(events), AUTO), estimate(ERRORS, there, AUTO)
    assert found.dispersion == pytest.approx(whole.dispersion, rel=0.2)
    assert found.pod_spread == pytest.approx(whole.pod_spread, rel=0.3)


def test_pods_that_never_met_are_not_compared() -> None:
    events = errors(rng(), Shape(pods=8, batches=40))
    events[4:] *= 3
    apart = history(lambda pod, batch: Counts(events[pod, batch], 6000.0) if (pod < 4) == (batch < 25) else None, 8, 40)
    found = estimate(ERRORS, apart, AUTO)
    assert found.pod_spread < 0.1
    assert found.source == "from 3h20m of 4 pods"


def test_batches_with_few_events_are_pooled_not_dropped() -> None:
    found = estimate(ERRORS, of_errors(errors(rng(), Shape(batches=72, events=0.5))), AUTO)
    assert 1.0 <= found.dispersion < 1.6
    assert found.source == "from 6h of 9 pods"


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (of_errors(np.zeros((9, 72))), "default: 0 events in 6h of 9 pods are too few"),
        (of_errors(np.full((3, 4), 60.0)), "default: 20m of 3 pods are too little history"),
        (of_errors(np.full((1, 72), 60.0)), "default: 6h of 1 pod are too little history"),
        (History(BATCH), "default: 0s of 0 pods are too little history"),
        (NoData("Prometheus has no series before 10:00"), "default: Prometheus has no series before 10:00"),
    ],
)
def test_with_too_little_to_go_by_it_falls_back_to_defaults_and_says_why(
    past: History[Sample] | NoData, words: str
) -> None:
    found = estimate(ERRORS, past, AUTO)
    assert (found.dispersion, found.pod_spread, found.source) == (1.5, 0.1, words)


@pytest.mark.parametrize(
    ("metric", "phi"),
    [(ERRORS, 1.5), (LATENCY, 3.0), (RateMetric("orders", "o"), 3.0), (RestartsMetric("restarts"), 1.5), (MEMORY, 1.0)],
)
def test_each_kind_has_its_default(metric: TestedMetric, phi: float) -> None:
    found = estimate(metric, NoData("new service"), AUTO)
    assert (found.dispersion, found.pod_spread, found.within_pod) == (phi, 0.1, 0.1)


def test_stated_numbers_are_used_as_they_are() -> None:
    past = of_errors(errors(rng(), Shape(), phi=5, tau=0.3))
    assert estimate(ERRORS, past, NoiseSetting(dispersion=1.0, pod_spread=0.0)) == EXACT
    found = estimate(ERRORS, past, NoiseSetting(pod_spread=0.02))
    assert found.pod_spread == 0.02
    assert found.dispersion > 4
    assert found.source == "podSpread stated, the rest from 3h of 9 pods"


def test_three_pods_are_never_taken_to_be_more_alike_than_the_default() -> None:
    alike = estimate(ERRORS, of_errors(errors(rng(), Shape(pods=3, batches=72))), AUTO)
    unlike = estimate(ERRORS, of_errors(errors(rng(3), Shape(pods=3, batches=72), tau=0.5)), AUTO)
    assert alike.pod_spread == 0.1
    assert unlike.pod_spread > 0.3
    assert alike.dispersion < 1.3


def test_counts_that_cannot_be_true_are_absent() -> None:
    good = errors(rng(), Shape())
    bad = history(
        lambda pod, batch: (
            Counts([math.nan, -1.0, 9e9, math.inf][pod % 4], 6000.0)
            if batch == pod
            else Counts(float(good[pod, batch]), 6000.0)
        ),
        9,
        36,
    )
    assert estimate(ERRORS, bad, AUTO).dispersion == pytest.approx(
        estimate(ERRORS, of_errors(good), AUTO).dispersion, rel=0.1
    )


def test_rates_and_restarts_are_counts_over_their_exposure() -> None:
    events = errors(rng(), Shape(), phi=5)
    orders = history(lambda pod, batch: Arrivals(float(events[pod, batch]), BATCH), 9, 36)
    crashes = history(lambda pod, batch: Restarts(float(events[pod, batch]), BATCH / 3600), 9, 36)
    phi = estimate(ERRORS, of_errors(events), AUTO).dispersion
    assert estimate(RateMetric("orders", "o"), orders, AUTO).dispersion == pytest.approx(phi)
    assert estimate(RestartsMetric("restarts"), crashes, AUTO).dispersion == pytest.approx(phi)


def test_a_histogram_has_noise_for_each_bound_and_the_worst_of_them_as_its_own() -> None:
    found = estimate(LATENCY, latencies(wobble=0.1), AUTO)
    assert len(found.bounds) == len(BOUNDS) - 1
    middle, tail = found.bounds[1], found.bounds[3]
    assert middle.dispersion > 3 * tail.dispersion > 3
    assert found.dispersion == max(one.dispersion for one in found.bounds)
    assert found.pod_spread == max(one.pod_spread for one in found.bounds)


def test_latencies_without_wobble_are_hardly_noisy() -> None:
    assert estimate(LATENCY, latencies(wobble=0.0), AUTO).dispersion < 1.6


def test_a_bound_that_is_hardly_ever_passed_is_as_noisy_as_its_neighbour() -> None:
    found = estimate(LATENCY, latencies(wobble=0.1), AUTO)
    assert found.bounds[4] == found.bounds[3]


def test_a_histogram_s_stated_number_holds_for_every_bound() -> None:
    found = estimate(LATENCY, latencies(wobble=0.1), NoiseSetting(dispersion=2.0))
    assert {one.dispersion for one in found.bounds} == {2.0}
    assert estimate(LATENCY, latencies(wobble=0.1), NoiseSetting(dispersion=2.0, pod_spread=0.0)).bounds == ()


def test_buckets_of_another_layout_are_left_out() -> None:
    past = latencies(wobble=0.0)
    odd: SideBlock[Sample] = SideBlock({"p0": Buckets((1.0, 2.0))}, bounds=(0.1, math.inf))
    assert estimate(LATENCY, History(BATCH, (odd, *past.batches)), AUTO).bounds == estimate(LATENCY, past, AUTO).bounds


def test_a_gauge_has_its_wander_within_pods_and_its_spread_between_them() -> None:
    found = estimate(MEMORY, wandering(rng(), Shape(pods=20, batches=72), tau=0.3), AUTO)
    assert found.within_pod == pytest.approx(0.105, abs=0.02)
    assert found.pod_spread == pytest.approx(0.3, abs=0.1)
    assert found.dispersion == 1.0
    assert found.source == "from 6h of 20 pods"


def test_a_gauge_that_wanders_slowly_is_noisier_than_its_batches_show() -> None:
    shape = Shape(batches=72)
    quick, slow = (estimate(MEMORY, wandering(rng(), shape, rho=rho), AUTO).within_pod for rho in (0.0, 0.8))
    assert slow > 1.8 * quick


def test_levels_without_a_logarithm_are_absent() -> None:
    past = history(lambda pod, batch: PodLevel([0.0, -1.0, math.nan, math.inf][(pod + batch) % 4]), 9, 36)
    found = estimate(MEMORY, past, AUTO)
    assert found.source == "default: 3h of 0 pods are too little history"
    assert (found.within_pod, found.pod_spread) == (0.1, 0.1)


def test_means_of_another_length_are_brought_to_five_minutes() -> None:
    past = wandering(rng(), Shape(batches=72))
    longer = estimate(MEMORY, History(4 * BATCH, past.batches), AUTO).within_pod
    assert longer == pytest.approx(2 * estimate(MEMORY, past, AUTO).within_pod)


NUMBERS = st.one_of(st.floats(), st.integers(0, 9).map(float), st.just(1e300), st.just(5e-324))
ODD = st.one_of(
    st.builds(Counts, NUMBERS, NUMBERS), st.builds(PodLevel, NUMBERS), st.builds(Buckets, st.tuples(NUMBERS))
)
KINDS: list[tuple[TestedMetric, st.SearchStrategy[Sample]]] = [
    (ERRORS, st.builds(Counts, NUMBERS, NUMBERS)),
    (RateMetric("orders", "o"), st.builds(Arrivals, NUMBERS, NUMBERS)),
    (RestartsMetric("restarts"), st.builds(Restarts, NUMBERS, NUMBERS)),
    (MEMORY, st.builds(PodLevel, NUMBERS)),
    (LATENCY, st.builds(Buckets, st.tuples(NUMBERS, NUMBERS, NUMBERS))),
]


@pytest.mark.parametrize(("metric", "samples"), KINDS, ids=lambda one: getattr(one, "kind", ""))
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.data())
def test_whatever_a_history_holds_the_noise_can_be_used(
    metric: TestedMetric, samples: st.SearchStrategy[Sample], data: st.DataObject
) -> None:
    pods = st.dictionaries(st.sampled_from("abcde"), st.one_of(samples, samples, samples, ODD), min_size=4)
    batches = data.draw(st.lists(pods, min_size=8, max_size=12))
    bounds = (0.1, 0.5, math.inf)
    found = estimate(metric, History(BATCH, tuple(SideBlock(batch, bounds=bounds) for batch in batches)), AUTO)
    for phi, tau in ((found.dispersion, found.pod_spread), *((one.dispersion, one.pod_spread) for one in found.bounds)):
        assert 1 <= phi < math.inf
        assert 0 <= tau < math.inf
    assert 0 <= found.within_pod < math.inf


def test_a_gauge_needs_only_its_own_two_numbers_to_be_stated() -> None:
    found = estimate(MEMORY, NoData("not asked"), NoiseSetting(pod_spread=0.03, within_pod=0.05))
    assert (found.within_pod, found.pod_spread, found.source) == (0.05, 0.03, "stated")


def test_a_bound_stays_finite_with_next_to_no_degrees_of_freedom() -> None:
    assert upper_bound(2.0, 1e-12) == upper_bound(2.0, 1.0)
    assert 2.0 < upper_bound(2.0, 1.0) < 200.0
