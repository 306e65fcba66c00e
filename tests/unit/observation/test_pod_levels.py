"""Gauges and rates."""

from __future__ import annotations

from math import inf

import pytest

from analyzer.model.block import Arrivals, NoData, PodLevel
from analyzer.observation.arrivals import PodArrivals
from analyzer.observation.levels import PodLevels, PodSpeeds
from tests.unit.observation.counter_stories import POD, counter, target

A = target()
KUBELET = target(container="web", job="kubelet", instance="node-1")


def level(found: PodLevels | PodSpeeds) -> PodLevel | NoData:
    return found.between(POD, 0, 10_000)


def reason(answer: object) -> str:
    assert isinstance(answer, NoData)
    return answer.reason


def test_a_level_is_the_mean_that_stands_at_the_end_of_the_block() -> None:
    assert level(PodLevels(counter({A: [7, 5]}))) == PodLevel(5)
    assert level(PodLevels(counter({A: [None, 5]}))) == PodLevel(5)


def test_a_level_of_zero_is_a_measurement() -> None:
    assert level(PodLevels(counter({A: [7, 0]}))) == PodLevel(0)


def test_levels_of_containers_are_added_up_and_a_second_scrape_of_one_is_not() -> None:
    side, again = target(container="side"), target(job="other")
    assert level(PodLevels(counter({A: [0, 5], side: [0, 2], again: [0, 5]}))) == PodLevel(7)


def test_a_level_without_a_sample_in_the_block_is_absent() -> None:
    assert "no sample of x in this block" in reason(level(PodLevels(counter({A: [5, None]}))))


@pytest.mark.parametrize("value", [inf, float("nan"), -1.0])
def test_a_level_that_can_not_be_compared_is_absent(value: float) -> None:
    reason(level(PodLevels(counter({A: [5, value]}))))


def test_a_level_across_a_restart_is_absent_whoever_saw_it() -> None:
    assert "restarted" in reason(level(PodLevels(counter({A: [5, 5]}, starts={A: [-1000, 4]}))))
    assert "restarted" in reason(level(PodLevels(counter({KUBELET: [5, 5]}, starts={A: [-1000, 4]}))))


def test_a_pod_measured_by_its_node_still_warms_up_by_its_own_start() -> None:
    assert PodLevels(counter({KUBELET: [5, 5]}, starts={A: [-1000, 4]})).started(POD, 10_000) == 4


def test_a_counter_as_a_gauge_is_what_it_grew_by_per_second() -> None:
    assert level(PodSpeeds(counter({A: [100, 105]}))) == PodLevel(0.5)
    assert "fell" in reason(level(PodSpeeds(counter({A: [100, 5]}))))


def test_arrivals_come_with_the_seconds_that_they_took() -> None:
    assert PodArrivals(counter({A: [100, 140]})).between(POD, 0, 10_000) == Arrivals(40, 10)


def test_no_arrivals_are_a_measurement_but_no_series_is_none() -> None:
    assert PodArrivals(counter({A: [100, 100]})).between(POD, 0, 10_000) == Arrivals(0, 10)
    silent = PodArrivals(counter({}, starts={A: [-1000, -1000]})).between(POD, 0, 10_000)
    assert "scraped, but has no series x" in reason(silent)
    assert "ended in this block" in reason(PodArrivals(counter({A: [100, None]})).between(POD, 0, 10_000))
