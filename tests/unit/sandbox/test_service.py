"""What users met, added up."""

from __future__ import annotations

from datetime import UTC, datetime

from analyzer.sandbox.counts import PodTraffic, TrafficCounts
from analyzer.sandbox.service import Tally, tally

COUNTS = TrafficCounts(
    at=1_700_000_010.0,
    offered=330,
    unrouted=2,
    pods=[
        PodTraffic("a", "shop-stable", "v1", requests=200, errors=8, failures=0, first_served=1_700_000_000.0),
        PodTraffic("b", "shop-canary", "v2", requests=100, errors=12, failures=3, first_served=1_700_000_005.0),
        PodTraffic("c", "shop-canary", "v2", requests=28, errors=1, failures=0, first_served=1_700_000_004.0),
        PodTraffic("d", "shop-canary", "v3"),
    ],
)


def test_counts_survive_the_pipe() -> None:
    assert TrafficCounts.from_json(COUNTS.to_json()) == COUNTS


def test_adds_up_the_pods_of_a_version() -> None:
    assert tally(COUNTS, version="v2") == Tally(128, 13, 3, datetime.fromtimestamp(1_700_000_004, UTC))


def test_users_are_hurt_by_errors_and_by_silence() -> None:
    assert tally(COUNTS, version="v2").hurt == 16


def test_adds_up_the_pods_of_a_deployment() -> None:
    assert tally(COUNTS, deployment="shop-stable").requests == 200


def test_a_version_that_never_served_has_no_first_request() -> None:
    assert tally(COUNTS, version="v3") == Tally()
