from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import pytest

from analyzer.model.block import NoData, Timing
from analyzer.model.metric import GaugeMetric, RatioMetric, RestartsMetric
from analyzer.observation import PrometheusConnection, PrometheusMetricSource
from analyzer.observation.measure import rounded_interval
from tests.fakes.prometheus_http import Asked, FakePrometheus, Reply, matrix, vector

ERRORS = RatioMetric("errors", "errors_total", "hits_total")
Times = Mapping[str, Sequence[float]]


def prometheus(starts: Times, totals: Times, longest: str | None = "0.4") -> FakePrometheus:
    """Raw samples of each pod's start time and total at these times; `longest` of its scrapes in seconds."""

    def raw(times: Times) -> Reply:
        return matrix(
            *(({"pod": pod, "job": "j", "instance": pod}, [(when, "1") for when in at]) for pod, at in times.items())
        )

    def answer(asked: Asked) -> Reply:
        query = asked.form["query"]
        if "scrape_duration_seconds" in query:
            return vector() if longest is None else vector(({}, (0.0, longest)))
        return raw(starts if "process_start" in query else totals)

    return FakePrometheus(answer)


@contextmanager
def measuring(fake: FakePrometheus, delay: float | None = None) -> Iterator[PrometheusMetricSource]:
    with fake, closing(PrometheusConnection(fake.url)) as connection:
        yield PrometheusMetricSource(connection, delay=delay)


def test_time_is_cut_by_the_slowest_scrape_of_any_pod() -> None:
    with measuring(prometheus({"a": [0, 5, 10.002, 15], "b": [3, 18, 33]}, {})) as source:
        assert source.measure("shop", ["a", "b"], [ERRORS], 15.0) == Timing(block=30.0, slot=15.0, delay=2.0)


def test_a_missed_scrape_does_not_stretch_the_interval() -> None:
    with measuring(prometheus({"a": [0, 5, 10, 30, 35, 40]}, {}, longest="1.2")) as source:
        assert source.measure("shop", ["a"], [ERRORS], 15.0) == Timing(block=15.0, slot=5.0, delay=3.0)


def test_pods_without_a_start_time_are_measured_by_the_total() -> None:
    with measuring(prometheus({}, {"a": [0, 1, 2]})) as source:
        assert source.measure("shop", ["a"], [ERRORS], 1.0) == Timing(block=2.0, slot=1.0, delay=2.0)


def test_pods_without_a_start_time_are_measured_by_any_kind_of_metric() -> None:
    with measuring(prometheus({}, {"a": [0, 1, 2]})) as source:
        metrics = (RestartsMetric("restarts"), GaugeMetric("queue", "queue_length"))
        assert source.measure("shop", ["a"], metrics, 1.0) == Timing(block=2.0, slot=1.0, delay=2.0)


def test_it_waits_for_two_scrapes_of_every_pod() -> None:
    with measuring(prometheus({"a": [0, 1, 2], "b": [1.5]}, {})) as source:
        assert source.measure("shop", ["a", "b"], [ERRORS], 1.0) == NoData("waiting for two scrapes of b")


def test_pods_that_prometheus_does_not_know_point_to_the_labels() -> None:
    with measuring(prometheus({}, {})) as source:
        waiting = source.measure("shop", ["a", "b", "c", "d", "e"], [ERRORS], 1.0)
    assert isinstance(waiting, NoData)
    assert "a, b, c and 2 more" in waiting.reason
    assert "prometheus.labels" in waiting.reason


def test_without_pods_there_is_nothing_to_measure() -> None:
    with measuring(prometheus({}, {})) as source:
        assert source.measure("shop", [], [ERRORS], 1.0) == NoData("waiting for a pod of stable")


def test_a_fixed_delay_is_taken_as_it_is() -> None:
    with measuring(prometheus({"a": [0, 1, 2]}, {}), delay=0.5) as source:
        assert source.measure("shop", ["a"], [ERRORS], 1.0) == Timing(block=2.0, slot=1.0, delay=0.5)


def test_where_scrape_durations_are_not_stored_a_scrape_may_last_its_interval() -> None:
    with measuring(prometheus({"a": [0, 15, 30]}, {}, longest=None)) as source:
        assert source.measure("shop", ["a"], [ERRORS], 15.0) == Timing(block=30.0, slot=15.0, delay=16.0)


@pytest.mark.parametrize(
    ("measured", "configured"),
    [(0.998, 1.0), (1.003, 1.0), (0.25, 0.3), (0.2, 0.2), (14.97, 15.0), (15.03, 15.0), (60.0, 60.0), (12.5, 12.5)],
)
def test_the_configured_interval_is_found_behind_the_jitter(measured: float, configured: float) -> None:
    assert rounded_interval(measured) == configured
