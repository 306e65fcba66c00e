"""Which pods Prometheus sees, how often, and by which clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import pytest

from analyzer.model.errors import ObservationError
from analyzer.model.metric import RatioMetric
from analyzer.observation import PrometheusConnection, PrometheusMetricSource
from tests.fakes.prometheus_http import Asked, FakePrometheus, Reply, matrix, vector

ERRORS = RatioMetric("errors", "errors_total", "hits_total")
NOW = 1000.0


@contextmanager
def source(samples: Mapping[str, Sequence[float]]) -> Iterator[PrometheusMetricSource]:
    """A Prometheus whose clock says 1000, with samples of each pod's start time at these times."""

    def answer(asked: Asked) -> Reply:
        query = asked.form["query"]
        if "process_start" in query:
            rows = (({"pod": pod, "namespace": "shop"}, [(when, "1") for when in at]) for pod, at in samples.items())
            return matrix(*rows)
        return matrix() if "hits_total" in query else vector(({}, (NOW, str(NOW))))

    fake = FakePrometheus(answer)
    with fake, closing(PrometheusConnection(fake.url)) as connection:
        yield PrometheusMetricSource(connection)


def test_pods_without_a_live_series_are_silent() -> None:
    with source({"a": [970, 985, 1000], "left-over": [700, 715, 730]}) as prometheus:
        seen = prometheus.sight("shop", ["b", "a", "left-over"], [ERRORS])
    assert seen.silent == ("b", "left-over")
    assert seen.interval == 15.0
    assert seen.clock == NOW


def test_one_sample_is_seen_and_tells_no_interval() -> None:
    with source({"a": [990]}) as prometheus:
        seen = prometheus.sight("shop", ["a"], [ERRORS])
    assert (seen.silent, seen.interval) == ((), None)


def test_without_pods_only_the_clock_is_told() -> None:
    with source({}) as prometheus:
        seen = prometheus.sight("shop", [], [ERRORS])
    assert (seen.silent, seen.interval, seen.clock) == ((), None, NOW)


def test_a_prometheus_out_of_reach_is_an_error() -> None:
    with (
        closing(PrometheusConnection("http://127.0.0.1:9")) as connection,
        pytest.raises(ObservationError),
    ):
        PrometheusMetricSource(connection).sight("shop", ["a"], [ERRORS])
