"""Which pods a Deployment adds and removes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sandbox.rollout import MAX_SURGE, PodChanges, PodView, pod_changes

START = datetime(2025, 1, 1, tzinfo=UTC)


def pods(count: int, version: str = "v1", *, available: bool = True, first: int = 0) -> list[PodView]:
    return [
        PodView(f"{version}-{number}", version, START + timedelta(seconds=number), available, available)
        for number in range(first, first + count)
    ]


def test_creates_what_is_missing() -> None:
    assert pod_changes(3, "v1", pods(1)) == PodChanges(create=2)


def test_does_nothing_when_the_spec_is_met() -> None:
    assert pod_changes(3, "v1", pods(3)) == PodChanges()


def test_scales_down_unready_pods_before_ready_ones() -> None:
    present = [*pods(2), *pods(1, available=False, first=-1)]
    assert pod_changes(2, "v1", present).delete == ("v1--1",)


def test_scales_down_the_newest_of_equal_pods() -> None:
    assert pod_changes(1, "v1", pods(3)).delete == ("v1-2", "v1-1")


def test_scales_to_nothing_at_once_even_with_former_pods() -> None:
    changes = pod_changes(0, "v2", [*pods(2), *pods(1, "v2")])
    assert set(changes.delete) == {"v1-0", "v1-1", "v2-0"}


def test_rolling_update_adds_one_pod_before_it_removes_any() -> None:
    assert pod_changes(3, "v2", pods(3)) == PodChanges(create=1)


def test_rolling_update_removes_a_former_pod_when_another_is_available() -> None:
    changes = pod_changes(3, "v2", [*pods(3), *pods(1, "v2", first=5)])
    assert changes == PodChanges(create=0, delete=("v1-2",))


def test_rolling_update_waits_while_the_new_pod_is_not_available() -> None:
    assert pod_changes(3, "v2", [*pods(3), *pods(1, "v2", available=False)]) == PodChanges()


@pytest.mark.parametrize("replicas", [1, 4])
def test_rolling_update_removes_former_pods_that_serve_nobody(replicas: int) -> None:
    assert len(pod_changes(replicas, "v2", pods(replicas, available=False)).delete) == replicas


@given(
    replicas=st.integers(0, 6),
    former=st.lists(st.booleans(), max_size=7),
    present=st.lists(st.booleans(), max_size=7),
)
def test_never_takes_availability_below_the_spec_nor_pods_above_the_surge(
    replicas: int, former: list[bool], present: list[bool]
) -> None:
    views = [
        PodView(f"{version}-{number}", version, START, up, up)
        for version, side in (("v1", former), ("v2", present))
        for number, up in enumerate(side)
    ]
    changes = pod_changes(replicas, "v2", views)
    available = sum(view.available for view in views)
    left = sum(view.available for view in views if view.name not in changes.delete)
    assert left >= min(available, replicas)
    assert len(set(changes.delete)) == len(changes.delete)
    if changes.create:
        assert len(views) + changes.create <= replicas + MAX_SURGE
