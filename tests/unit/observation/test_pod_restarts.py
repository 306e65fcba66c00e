from __future__ import annotations

from collections.abc import Mapping

from analyzer.model.block import NoData, Restarts
from analyzer.observation.edges import ScrapeTarget
from analyzer.observation.restarts import PodRestarts
from tests.unit.observation.counter_stories import POD, Points, counter, target

A = target()
KUBERNETES = target(container="web", job="kube-state-metrics", instance="ksm")
BLOCK_HOURS = 10 / 3600


def restarts(
    starts: Mapping[ScrapeTarget, Points],
    counted: Mapping[ScrapeTarget, Points] | None = None,
    ready: float = -900,
    ages: Mapping[ScrapeTarget, Points] | None = None,
) -> PodRestarts:
    return PodRestarts(counter(counted or {}, starts=starts, ages=ages), {POD: ready})


def first_block(found: PodRestarts) -> Restarts | NoData:
    return found.between(POD, 0, 10_000)


def test_a_pod_whose_process_stayed_has_its_hours_and_no_restart() -> None:
    assert first_block(restarts({A: [-1000, -1000]})) == Restarts(0, BLOCK_HOURS)


def test_a_start_time_that_wobbles_with_the_clock_is_no_restart() -> None:
    assert first_block(restarts({A: [-1000, -999.5]})) == Restarts(0, BLOCK_HOURS)


def test_a_new_process_is_a_restart_and_the_pod_is_not_absent() -> None:
    assert first_block(restarts({A: [-1000, 4]})) == Restarts(1, BLOCK_HOURS)


def test_it_asks_for_no_new_warmup() -> None:
    assert restarts({A: [-1000, 4]}).started(POD, 10_000) is None


def test_the_first_process_of_a_pod_is_no_restart() -> None:
    assert first_block(restarts({A: [None, -2]}, ready=-1)) == Restarts(0, BLOCK_HOURS)


def test_a_pod_that_is_down_is_absent_and_its_restart_counts_once_when_it_is_up_again() -> None:
    down = restarts({A: [-1000, None, None, 25]})
    assert isinstance(down.between(POD, 0, 10_000), NoData)
    assert isinstance(down.between(POD, 10_000, 20_000), NoData)
    assert down.between(POD, 20_000, 30_000) == Restarts(1, BLOCK_HOURS)


def test_a_restart_just_before_an_edge_counts_in_one_block_only() -> None:
    seen_late = restarts({A: [-1000, None, 9.5]})
    assert isinstance(seen_late.between(POD, 0, 10_000), NoData)
    assert seen_late.between(POD, 10_000, 20_000) == Restarts(1, BLOCK_HOURS)
    seen_at_once = restarts({A: [-1000, 9.5, 9.5]})
    assert first_block(seen_at_once) == Restarts(1, BLOCK_HOURS)
    assert seen_at_once.between(POD, 10_000, 20_000) == Restarts(0, BLOCK_HOURS)


def test_a_sample_left_over_from_before_the_crash_is_not_taken_for_a_pod_that_runs() -> None:
    left = restarts({A: [-1000, -1000]}, ages={A: [1, 11]})
    assert isinstance(first_block(left), NoData)


def test_kubernetes_own_count_is_taken_where_it_is_known() -> None:
    found = restarts({A: [-1000, 4]}, {KUBERNETES: [3, 5]})
    assert first_block(found) == Restarts(2, BLOCK_HOURS)
    assert first_block(restarts({}, {KUBERNETES: [3, 3]})) == Restarts(0, BLOCK_HOURS)


def test_a_count_of_kubernetes_that_fell_is_absent() -> None:
    assert isinstance(first_block(restarts({}, {KUBERNETES: [3, 0]})), NoData)


def test_a_count_that_is_known_at_one_edge_only_gives_way_to_start_times() -> None:
    assert first_block(restarts({A: [-1000, -1000]}, {KUBERNETES: [None, 7]})) == Restarts(0, BLOCK_HOURS)


def test_a_pod_that_nobody_knows_is_absent_and_says_what_is_missing() -> None:
    told = first_block(restarts({}))
    assert isinstance(told, NoData)
    assert "kube_pod_container_status_restarts_total" in told.reason
    assert "process_start_time_seconds" in told.reason
