from __future__ import annotations

import math

from analyzer.model.block import Counts, NoData
from analyzer.observation.counts import PodCounters
from tests.unit.observation.counter_stories import POD, counters, target

A = target()


def first_block(found: PodCounters) -> Counts | NoData:
    return found.between(POD, 0, 10_000)


def reason(found: PodCounters) -> str:
    answer = first_block(found)
    assert isinstance(answer, NoData)
    return answer.reason


def test_counts_are_differences_of_raw_counters() -> None:
    assert first_block(counters({A: [100, 140]}, {A: [3, 5]})) == Counts(2, 40)


def test_a_pod_without_requests_in_the_block_has_counted_nothing() -> None:
    assert first_block(counters({A: [100, 100]}, {A: [3, 3]})) == Counts(0, 0)


def test_errors_that_never_happened_are_zero_and_not_absent() -> None:
    assert first_block(counters({A: [100, 140]}, {})) == Counts(0, 40)


def test_the_first_errors_count_from_zero() -> None:
    assert first_block(counters({A: [100, 140]}, {A: [None, 4]})) == Counts(4, 40)


def test_the_first_requests_count_from_zero_on_a_target_that_was_already_scraped() -> None:
    assert first_block(counters({A: [None, 40]}, {A: [None, 4]})) == Counts(4, 40)


def test_a_total_that_is_new_on_a_new_target_is_absent() -> None:
    found = counters({A: [None, 4000]}, {}, starts={A: [None, -1000]})
    assert reason(found) == "first scraped after the block began"


def test_a_new_total_is_absent_when_nothing_tells_whether_its_target_was_scraped() -> None:
    assert "first scrape" in reason(counters({A: [None, 4000]}, {}, starts={}))


def test_a_total_that_vanished_makes_the_pod_absent() -> None:
    assert "series of total ended in this block" in reason(counters({A: [100, None]}, {A: [3, None]}))


def test_errors_that_vanished_make_the_pod_absent() -> None:
    assert "series of events ended in this block" in reason(counters({A: [100, 140]}, {A: [3, None]}))


def test_a_fall_without_a_restart_is_a_vanished_series_and_not_a_reset() -> None:
    told = reason(counters({A: [100, 40]}, {}))
    assert told == "its total fell from 100 to 40 without a restart: a series ended"
    assert "events fell from 9 to 4" in reason(counters({A: [100, 140]}, {A: [9, 4]}))


def test_a_fall_is_absent_too_where_no_start_time_is_exported() -> None:
    assert "process_start_time_seconds is missing" in reason(counters({A: [100, 40]}, {}, starts={}))


def test_nothing_is_counted_across_a_restart_not_even_when_the_counter_rose() -> None:
    assert reason(counters({A: [10, 40]}, {}, starts={A: [-1000, 4]})) == "container restarted in this block"
    just_before = counters({A: [10, 40]}, {}, starts={A: [-1000, -0.5]})
    assert reason(just_before) == "container restarted in this block"


def test_a_start_time_that_wobbles_with_the_clock_is_no_restart() -> None:
    assert first_block(counters({A: [100, 140]}, {}, starts={A: [-1000, -999.99]})) == Counts(0, 40)


def test_samples_left_over_from_before_a_gap_are_not_taken_for_silence() -> None:
    stale_end = counters({A: [100, 100]}, {}, ages={A: [1, 11]})
    assert reason(stale_end) == "not scraped shortly before the end of the block"
    stale_begin = counters({A: [100, 300]}, {}, ages={A: [60, 1]})
    assert reason(stale_begin) == "not scraped shortly before the start of the block"


def test_more_events_than_total_are_absent_and_say_what_is_wrong() -> None:
    assert "`events` must select a part of `total`" in reason(counters({A: [0, 10]}, {A: [0, 11]}))


def test_rounding_of_fractions_is_not_taken_for_a_mistake() -> None:
    found = first_block(counters({A: [0, 10.1]}, {A: [0, 10.1 + 1e-9]}))
    assert found == Counts(10.1, 10.1)


def test_what_is_not_a_number_makes_the_pod_absent() -> None:
    assert "not a finite number" in reason(counters({A: [0, math.nan]}, {}))
    assert "not a finite number" in reason(counters({A: [0, 10]}, {A: [0, math.inf]}))


def test_containers_of_one_pod_are_added_up() -> None:
    web, side = target(container="web"), target(container="side", instance="10.0.0.1:81")
    assert first_block(counters({web: [0, 10], side: [5, 6]}, {side: [0, 1]})) == Counts(1, 11)


def test_one_container_without_data_makes_the_whole_pod_absent() -> None:
    web, side = target(container="web"), target(container="side", instance="10.0.0.1:81")
    assert "ended in this block" in reason(counters({web: [0, 10], side: [5, None]}, {}))


def test_a_container_that_is_scraped_twice_counts_once() -> None:
    one, two = target(job="first"), target(job="second")
    assert first_block(counters({two: [0, 11], one: [0, 10]}, {two: [0, 3], one: [0, 2]})) == Counts(2, 10)


def test_the_other_scrape_of_a_container_steps_in_where_the_first_has_no_data() -> None:
    one, two = target(job="first"), target(job="second")
    assert first_block(counters({one: [0, None], two: [0, 11]}, {two: [0, 3]})) == Counts(3, 11)


def test_events_from_another_scrape_than_the_total_are_refused() -> None:
    other = target(instance="10.0.0.1:99")
    assert "'10.0.0.1:99', which has no `total`" in reason(counters({A: [0, 10]}, {other: [0, 1]}))


def test_a_pod_that_is_scraped_without_the_series_says_so() -> None:
    found = counters({}, {}, starts={A: [-1000, -1000]})
    assert "scraped, but has no series hits_total" in reason(found)


def test_a_pod_that_prometheus_does_not_know_says_so() -> None:
    assert "not scraped, or other labels" in reason(counters({}, {}))
