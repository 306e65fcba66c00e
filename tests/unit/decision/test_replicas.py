"""What a weight means in pods, against worked examples."""

from __future__ import annotations

import pytest

from analyzer.decision.replicas import Bounds, bounds_of, split, weight_error
from analyzer.model.plan import Amount, Capacity, CapacityMode
from analyzer.model.workload import Replicas

PRESERVE = Capacity()
SURGE = Capacity(mode=CapacityMode.SURGE)


@pytest.mark.parametrize(
    ("total", "weight", "stable", "canary"),
    [
        (10, 10, 9, 1),
        (10, 25, 7, 3),  # 2.5 rounds up
        (10, 24.9, 8, 2),
        (10, 50, 5, 5),
        (5, 20, 4, 1),
        (5, 50, 2, 3),
        (4, 10, 3, 1),  # 0.4 pods: at least one
        (4, 5, 3, 1),
        (3, 33, 2, 1),
        (7, 50, 3, 4),
        (1000, 0.1, 999, 1),
        (1000, 29.95, 700, 300),  # 299.5: in binary fractions this would be a little less
        (200, 14.25, 171, 29),
        (1, 10, 1, 1),  # stable keeps its pod
        (1, 99, 1, 1),
    ],
)
def test_preserve_shares_the_total_with_halves_rounded_up(total: int, weight: float, stable: int, canary: int) -> None:
    assert split(PRESERVE, total, weight, stable_now=total) == Replicas(stable, canary)


@pytest.mark.parametrize(("total", "weight", "canary"), [(2, 75, 1), (5, 90, 4), (10, 95, 9), (2, 99, 1), (3, 84, 2)])
def test_a_high_weight_gives_the_canary_its_pods_and_leaves_one_to_compare_with(
    total: int, weight: float, canary: int
) -> None:
    for capacity in (PRESERVE, Capacity(max_surge=Amount(0), max_unavailable=Amount(1))):
        assert split(capacity, total, weight, stable_now=total) == Replicas(total - canary, canary)


@pytest.mark.parametrize(
    ("stable", "weight", "canary"),
    [(9, 10, 1), (10, 10, 1), (10, 20, 3), (10, 50, 10), (8, 20, 2), (2, 20, 1), (0, 20, 1), (30, 25, 10)],
)
def test_surge_adds_to_what_stable_has_now(stable: int, weight: float, canary: int) -> None:
    assert split(SURGE, 10, weight, stable_now=stable) == Replicas(stable, canary)


def test_surge_stops_at_the_most_canary_replicas_allowed() -> None:
    capacity = Capacity(mode=CapacityMode.SURGE, max_canary_replicas=4)
    assert split(capacity, 10, 50, stable_now=10).canary == 4


@pytest.mark.parametrize(
    ("surge", "unavailable", "total", "floor", "ceiling"),
    [
        (Amount(25, percent=True), Amount(0), 10, 10, 13),  # 2.5 up
        (Amount(0), Amount(25, percent=True), 10, 8, 10),  # 2.5 down
        (Amount(25, percent=True), Amount(25, percent=True), 3, 3, 4),
        (Amount(2), Amount(1), 5, 4, 7),
        (Amount(0), Amount(25, percent=True), 3, 2, 3),  # both come to 0: one may be missing
        (Amount(0), Amount(100, percent=True), 4, 0, 4),
        (Amount(0), Amount(9), 4, 0, 4),
        (Amount(1, percent=True), Amount(0), 200, 200, 202),
        (Amount(25, percent=True), Amount(0), 1, 1, 2),
        (Amount(0), Amount(25, percent=True), 1, 1, 2),  # one pod stays, and the canary is added
        (Amount(0), Amount(1), 1, 0, 2),
    ],
)
def test_bounds_round_as_kubernetes_does(
    surge: Amount, unavailable: Amount, total: int, floor: int, ceiling: int
) -> None:
    assert bounds_of(Capacity(max_surge=surge, max_unavailable=unavailable), total) == Bounds(floor, ceiling)


def test_weight_error_is_in_percentage_points() -> None:
    assert weight_error(Replicas(3, 1), 5) == pytest.approx(20)
    assert weight_error(Replicas(7, 3), 30) == pytest.approx(0)
