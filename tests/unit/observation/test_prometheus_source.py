from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from analyzer.model.block import (
    Arrivals,
    Block,
    Buckets,
    Counts,
    GuardReading,
    History,
    NoData,
    PodLevel,
    Restarts,
    Sample,
    Timing,
)
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    Metric,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    SeriesLabels,
)
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.observation import PrometheusConnection, PrometheusMetricSource
from tests.fakes.prometheus_http import Asked, FakePrometheus, Reply, failure, matrix, scalar, success, vector

TIMING = Timing(block=10.0, slot=5.0, delay=2.0)
ERRORS = RatioMetric("errors", 'hits_total{code="500"}', "hits_total")
GUARD = QueryMetric("guard", "avg(load)")
LATENCY = HistogramMetric("latency", "seconds_bucket", objective=0.1)
QUEUE = GaugeMetric("queue", "queue_length")
CPU = GaugeMetric("cpu", "cpu_seconds_total", counter=True)
ORDERS = RateMetric("orders", "orders_total")
CRASHES = RestartsMetric("restarts")
Answer = Callable[[Asked], Reply]


class World:
    """Pods that serve 10 requests a second, as Prometheus would answer at `now`: 1 of them an error, 5 of them within
    0.1 s; with a queue of 7 each, and started at 3 s."""

    def __init__(self, now: float, *pods: tuple[str, str]) -> None:
        self.now = now
        self.pods = pods
        self.labels = SeriesLabels()
        self.special: dict[str, Reply] = {}

    def __call__(self, asked: Asked) -> Reply:
        query = asked.form["query"]
        if query == "time()":
            return scalar(self.now)
        for part, reply in self.special.items():
            if part in query:
                return reply
        times = self._times(asked)
        answers = [
            (self._labels(namespace, pod) | told, self._values(about, times))
            for namespace, pod in self.pods
            for told, about in self._series(query)
        ]
        if asked.path.endswith("query_range"):
            return matrix(*answers)
        return vector(*((labels, values[0]) for labels, values in answers if values))

    def _series(self, query: str) -> list[tuple[dict[str, str], str]]:
        if "label_replace" in query:
            return [({}, query), ({"analyzer_reads": "time"}, "timestamp")]
        if "seconds_bucket" in query:
            return [({"le": "+Inf"}, query), ({"le": "0.1"}, "half")]
        return [({}, query)]

    def _labels(self, namespace: str, pod: str) -> dict[str, str]:
        return {self.labels.namespace: namespace, self.labels.pod: pod, "instance": pod}

    def _times(self, asked: Asked) -> list[float]:
        if "time" in asked.form:
            return [float(asked.form["time"])]
        start, end, step = (float(asked.form[name]) for name in ("start", "end", "step"))
        return [start + index * step for index in range(round((end - start) / step) + 1)]

    def _values(self, query: str, times: list[float]) -> list[tuple[float, str]]:
        if query == "timestamp":
            return [(when, str(when - 1)) for when in times]
        if "process_start" in query:
            return [(when, "3") for when in times]
        if "kube_pod" in query:
            return []
        if "avg_over_time" in query:
            return [(when, "7") for when in times]
        speed = 1 if "500" in query else 5 if query == "half" else 10
        return [(when, str(when * speed)) for when in times]


def request(
    target: str, *pods: str, after: int, metrics: tuple[Metric, ...] = (ERRORS,), fast_after: int | None = None
) -> BlockRequest:
    ready = datetime.fromtimestamp(5, UTC)
    roster = tuple(RosterEntry(pod, Side.CANARY if "canary" in pod else Side.STABLE, ready) for pod in pods)
    return BlockRequest(target, f"ns-{target}", metrics, roster, TIMING, after, warmup=0.0, fast_after=fast_after)


@contextmanager
def source(answer: Answer, **settings: float) -> Iterator[tuple[FakePrometheus, PrometheusMetricSource]]:
    with FakePrometheus(answer) as fake, closing(PrometheusConnection(fake.url, timeout=5.0)) as connection:
        yield fake, PrometheusMetricSource(connection, delay=settings.get("delay"))


def one(answers: object) -> Collected:
    assert isinstance(answers, Collected), answers
    return answers


def test_blocks_closed_on_prometheus_clock_are_answered_without_a_gap() -> None:
    with source(World(1_052.0, ("ns-a", "canary"), ("ns-a", "stable"))) as (_, metrics):
        answer = one(dict(metrics.collect([request("a", "canary", "stable", after=99)]))["a"])
    assert answer.upto == 104
    blocks = answer.metrics["errors"]
    assert not isinstance(blocks, ObservationError)
    assert [block.index for block in blocks] == [100, 101, 102, 103, 104]
    first = blocks[0]
    assert isinstance(first, Block)
    assert (first.canary.pods, first.stable.pods) == ({"canary": Counts(10, 100)}, {"stable": Counts(10, 100)})


def test_nothing_is_asked_and_nothing_moves_while_no_block_has_closed() -> None:
    with source(World(1_011.9)) as (fake, metrics):
        assert dict(metrics.collect([request("a", "canary", after=99)]))["a"] == Collected(99, {"errors": ()})
        assert dict(metrics.collect([request("a", "canary", after=105)]))["a"] == Collected(105, {"errors": ()})
        assert fake.queries == ["time()", "time()"]


def test_the_latest_block_is_confirmed_once_the_next_samples_are_stored() -> None:
    world = World(1_016.9, ("ns-a", "stable"))
    with source(world) as (_, metrics):
        (early,) = one(dict(metrics.collect([request("a", "stable", after=99)]))["a"]).metrics["errors"]  # type: ignore[misc]
        world.now = 1_017.0
        (late,) = one(dict(metrics.collect([request("a", "stable", after=99)]))["a"]).metrics["errors"]  # type: ignore[misc]
    assert isinstance(early, Block)
    assert isinstance(late, Block)
    assert early.stable_later is None
    assert late.stable_later is not None
    assert late.stable_later.pods == {"stable": Counts(15, 150)}
    assert replace(late, stable_later=None) == early


def test_many_targets_with_equal_metrics_cost_as_many_queries_as_one() -> None:
    names = [f"t{number}" for number in range(30)]
    with source(World(1_052.0, *((f"ns-{name}", f"{name}-canary") for name in names))) as (fake, metrics):
        answers = dict(metrics.collect([request(name, f"{name}-canary", after=103) for name in names]))
        assert len(fake.queries) == 4  # the time; events, total, and start times with sample times
    for name in names:
        (block,) = one(answers[name]).metrics["errors"]  # type: ignore[misc]
        assert isinstance(block, Block)
        assert block.canary.pods == {f"{name}-canary": Counts(10, 100)}


def test_a_question_about_long_ago_is_asked_by_itself() -> None:
    then = datetime.fromtimestamp(1_052, UTC)
    with source(World(11_052.0, ("ns-a", "x"), ("ns-b", "y"))) as (fake, metrics):
        earlier = replace(request("b", "y", after=103), until=then)
        answers = dict(metrics.collect([request("a", "x", after=1_103), earlier]))
        spans = {
            (pod, asked.form["start"], asked.form["end"])
            for asked in fake.asked
            for pod in ("x", "y")
            if f'pod=~"{pod}"' in asked.form["query"] and "start" in asked.form
        }
    assert spans == {("x", "11040.000", "11050.000"), ("y", "1040.000", "1050.000")}
    assert (one(answers["a"]).upto, one(answers["b"]).upto) == (1_104, 104)


def test_a_target_that_catches_up_does_not_make_the_others_read_as_much() -> None:
    with source(World(11_052.0, ("ns-a", "x"), ("ns-b", "y"))) as (fake, metrics):
        dict(metrics.collect([request("a", "x", after=1_103), request("b", "y", after=2)]))
        starts = {asked.form["start"] for asked in fake.asked if 'pod=~"x"' in asked.form["query"]}
    assert starts == {"11040.000"}


def test_pods_of_the_same_name_elsewhere_are_left_out() -> None:
    world = World(1_052.0, ("ns-a", "p"), ("ns-b", "q"), ("ns-a", "q"))
    with source(world) as (_, metrics):
        answers = dict(metrics.collect([request("a", "p", after=103), request("b", "q", after=103)]))
    (block,) = one(answers["b"]).metrics["errors"]  # type: ignore[misc]
    assert isinstance(block, Block)
    assert block.stable.pods == {"q": Counts(10, 100)}


def test_a_query_that_fails_is_the_error_of_the_metrics_that_need_it_only() -> None:
    world = World(1_052.0, ("ns-a", "p"))
    world.special = {"avg(load)": failure("bad_data", "no such thing", 400)}
    with source(world) as (fake, metrics):
        answers = dict(
            metrics.collect(
                [request("a", "p", after=103, metrics=(ERRORS, GUARD)), request("b", "q", after=103, metrics=(GUARD,))]
            )
        )
        assert sum("avg(load)" in query for query in fake.queries) == 1
    assert not isinstance(one(answers["a"]).metrics["errors"], ObservationError)
    for target in ("a", "b"):
        error = one(answers[target]).metrics["guard"]
        assert isinstance(error, ObservationError)
        assert "no such thing" in str(error)


def test_a_selector_that_is_none_is_the_error_of_its_metric() -> None:
    bad = RatioMetric("bad", "rate(x[5m])", "x")
    with source(World(1_052.0)) as (_, metrics):
        error = one(dict(metrics.collect([request("a", "p", after=103, metrics=(bad,))]))["a"]).metrics["bad"]
    assert isinstance(error, ObservationError)
    assert "plain series selector" in str(error)


def test_when_prometheus_is_down_each_target_has_the_error() -> None:
    with source(lambda _: failure("unavailable", "starting", 503)) as (_, metrics):
        answers = dict(metrics.collect([request("a", "p", after=1), request("b", "q", after=1)]))
    assert {target: type(answer) for target, answer in answers.items()} == {
        "a": ObservationError,
        "b": ObservationError,
    }


def readings(reply: Reply) -> list[float | NoData]:
    world = World(1_052.0)
    world.special = {"avg(load)": reply}
    with source(world) as (_, metrics):
        found = one(dict(metrics.collect([request("a", after=102, metrics=(GUARD,))]))["a"]).metrics["guard"]
    assert not isinstance(found, ObservationError)
    assert [reading.index for reading in found] == [103, 104]
    return [reading.value for reading in found if isinstance(reading, GuardReading)]


def test_a_query_is_read_at_the_end_of_each_block() -> None:
    assert readings(matrix(({}, [(1_040.0, "0.5"), (1_050.0, "+Inf")]))) == [0.5, math.inf]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (matrix(), "returned nothing"),
        (matrix(({}, [(1_040.0, "NaN"), (1_050.0, "NaN")])), "NaN"),
        (
            matrix(({"a": "1"}, [(1_040.0, "1"), (1_050.0, "1")]), ({}, [(1_040.0, "1"), (1_050.0, "1")])),
            "expected one series, found 2",
        ),
    ],
)
def test_no_number_or_several_are_no_data_with_the_reason(reply: Reply, told: str) -> None:
    for value in readings(reply):
        assert isinstance(value, NoData)
        assert told in value.reason


def test_the_labels_of_namespace_and_pod_are_those_that_were_configured() -> None:
    world = World(1_052.0, ("ns-a", "p"))
    world.labels = SeriesLabels("exported_namespace", "exported_pod")
    with FakePrometheus(world) as fake, closing(PrometheusConnection(fake.url)) as connection:
        metrics = PrometheusMetricSource(connection, world.labels)
        (block,) = one(dict(metrics.collect([request("a", "p", after=103)]))["a"]).metrics["errors"]  # type: ignore[misc]
    assert isinstance(block, Block)
    assert block.stable.pods == {"p": Counts(10, 100)}


def blocks_of(answer: Collected, metric: str) -> list[Block[Sample]]:
    found = answer.metrics[metric]
    assert not isinstance(found, ObservationError), found
    return [cast("Block[Sample]", block) for block in found]


@pytest.mark.parametrize(
    ("metric", "sample", "later"),
    [
        (LATENCY, Buckets((50, 100)), Buckets((75, 150))),
        (QUEUE, PodLevel(7), PodLevel(7)),
        (CPU, PodLevel(10), PodLevel(10)),
        (ORDERS, Arrivals(100, 10), Arrivals(150, 15)),
        (CRASHES, Restarts(0, 10 / 3600), Restarts(0, 15 / 3600)),
    ],
)
def test_every_kind_of_metric_is_read_as_blocks_of_its_kind(metric: Metric, sample: Sample, later: Sample) -> None:
    with source(World(1_058.0, ("ns-a", "canary"), ("ns-a", "stable"))) as (_, metrics):
        answer = one(dict(metrics.collect([request("a", "canary", "stable", after=102, metrics=(metric,))]))["a"])
    first, second = blocks_of(answer, metric.name)
    assert (first.index, second.index) == (103, 104)
    assert (first.canary.pods, first.stable.pods) == ({"canary": sample}, {"stable": sample})
    assert first.stable_later is None
    assert second.stable_later is not None
    assert second.stable_later.pods == {"stable": later}
    assert answer.fast == {}


def test_a_histogram_tells_its_bounds_and_takes_1_for_1_0() -> None:
    world = World(1_052.0, ("ns-a", "p"))
    old, new = ({"namespace": "ns-a", "pod": "p", "instance": "p", "le": le} for le in ("1", "1.0"))
    everything = {**new, "le": "+Inf"}
    world.special = {
        "seconds_bucket": matrix(
            (old, [(1_040.0, "5")]),
            (new, [(1_050.0, "8")]),
            (everything, [(1_040.0, "6"), (1_050.0, "9")]),
        )
    }
    with source(world) as (_, metrics):
        answer = one(dict(metrics.collect([request("a", "p", after=103, metrics=(LATENCY,))]))["a"])
    (block,) = blocks_of(answer, "latency")
    assert block.stable.bounds == (1.0, math.inf)
    assert block.stable.pods == {"p": Buckets((3, 3))}


@pytest.mark.parametrize(
    "series",
    [
        {"histograms": [[1_040.0, {"count": "1", "sum": "1"}], [1_050.0, {"count": "2", "sum": "2"}]]},
        {"values": [[1_040.0, "5"], [1_050.0, "6"]]},
    ],
)
def test_native_histograms_and_plain_counters_are_refused_as_histograms(series: dict[str, object]) -> None:
    world = World(1_052.0, ("ns-a", "p"), ("ns-b", "q"))
    labels = {"namespace": "ns-a", "pod": "p", "instance": "p"}
    result = {"resultType": "matrix", "result": [{"metric": labels, **series}]}
    world.special = {"seconds_bucket": success(result)}
    with source(world) as (_, metrics):
        answers = dict(
            metrics.collect([request(t, p, after=103, metrics=(LATENCY,)) for t, p in (("a", "p"), ("b", "q"))])
        )
    error = one(answers["a"]).metrics["latency"]
    assert isinstance(error, ObservationError)
    assert "native histograms are not supported" in str(error)
    assert len(blocks_of(one(answers["b"]), "latency")) == 1  # the others are not touched by it


def test_a_guard_that_gives_a_histogram_is_an_error() -> None:
    world = World(1_052.0)
    result = {"resultType": "matrix", "result": [{"metric": {}, "histograms": [[1_040.0, {"count": "1"}]]}]}
    world.special = {"avg(load)": success(result)}
    with source(world) as (_, metrics):
        error = one(dict(metrics.collect([request("a", after=102, metrics=(GUARD,))]))["a"]).metrics["guard"]
    assert isinstance(error, ObservationError)
    assert "histogram_quantile" in str(error)


def test_slots_are_answered_up_to_now_even_where_no_block_has_closed() -> None:
    with source(World(1_057.0, ("ns-a", "p"))) as (fake, metrics):
        asked = request("a", "p", after=104, metrics=(ERRORS, LATENCY), fast_after=208)
        answer = one(dict(metrics.collect([asked]))["a"])
        assert len(fake.queries) == 4  # nothing is asked for latency
    assert answer.upto == 104
    assert answer.metrics == {"errors": (), "latency": ()}
    assert [slot.index for slot in answer.fast["errors"]] == [209, 210]
    assert answer.fast["errors"][0].stable.pods == {"p": Counts(5, 50)}
    assert answer.fast["errors"][0].stable_later is not None


def test_slots_and_blocks_come_from_the_same_queries_and_agree() -> None:
    with source(World(1_057.0, ("ns-a", "p"))) as (fake, metrics):
        answer = one(dict(metrics.collect([request("a", "p", after=103, fast_after=207)]))["a"])
        assert len(fake.queries) == 4
    (block,) = blocks_of(answer, "errors")
    assert block.stable.pods == {"p": Counts(10, 100)}
    assert block.stable_later is not None
    assert [slot.stable.pods["p"] for slot in answer.fast["errors"]] == [Counts(5, 50)] * 3


def test_a_metric_that_can_not_be_asked_for_has_no_slots_either() -> None:
    world = World(1_057.0, ("ns-a", "p"))
    world.special = {"hits_total": failure("execution", "too many samples", 422)}
    with source(world) as (_, metrics):
        answer = one(dict(metrics.collect([request("a", "p", after=103, fast_after=207)]))["a"])
    assert isinstance(answer.metrics["errors"], ObservationError)
    assert answer.fast == {}


def test_a_fleet_with_every_kind_of_metric_takes_few_queries() -> None:
    names = [f"t{number}" for number in range(50)]
    world = World(1_058.0, *((f"ns-{name}", f"{name}-{side}") for name in names for side in ("canary", "stable")))
    usual, every = (ERRORS, LATENCY, QUEUE), (ERRORS, LATENCY, QUEUE, CPU, ORDERS, CRASHES)
    for chosen, most in ((usual, 8), (every, 14)):
        with source(world) as (fake, metrics):
            # Not all are at the same place: one has just entered a step, one has the latest block to come.
            asked = [
                request(name, f"{name}-canary", f"{name}-stable", after=102 + n % 3, metrics=chosen, fast_after=207)
                for n, name in enumerate(names)
            ]
            answers = dict(metrics.collect(asked))
            assert len(fake.queries) == most
        assert all(isinstance(answer, Collected) for answer in answers.values())


LATE = 100_000.0


def test_history_holds_what_stable_pods_measured_in_batches_of_five_minutes() -> None:
    metrics = (ERRORS, LATENCY, QUEUE, ORDERS, CRASHES)
    with source(World(LATE, ("ns", "a"), ("ns", "b"), ("ns", "other"))) as (fake, prometheus):
        found = prometheus.history("ns", ["a", "b"], metrics, timedelta(hours=1))
        assert len(fake.queries) == 8
    expected = {
        "errors": Counts(300, 3_000),
        "latency": Buckets((1_500, 3_000)),
        "queue": PodLevel(7),
        "orders": Arrivals(3_000, 300),
        "restarts": Restarts(0, 1 / 12),
    }
    for name, sample in expected.items():
        history = found[name]
        assert isinstance(history, History)
        assert history.length == 300
        assert [side.pods for side in history.batches] == [{"a": sample, "b": sample}] * 12
    assert isinstance(found["latency"], History)
    assert found["latency"].batches[0].bounds == (0.1, math.inf)


def test_history_begins_with_the_first_pod_and_leaves_no_gap() -> None:
    world = World(LATE)
    label, new = ({"namespace": "ns", "pod": pod, "instance": pod} for pod in ("a", "b"))
    edge = LATE // 300 * 300
    points = [(edge - 300 * back, str(9_000 - back)) for back in (5, 4, 1, 0)]
    world.special = {"hits_total": matrix((label, points), (new, points[-2:]))}
    with source(world) as (_, prometheus):
        found = prometheus.history("ns", ["a", "b"], (ERRORS,), timedelta(hours=9))["errors"]
    assert isinstance(found, History)
    assert [set(side.pods) for side in found.batches] == [{"a"}, set(), set(), set(), {"a", "b"}]


def test_history_says_why_there_is_none() -> None:
    with source(World(LATE)) as (_, prometheus):
        found = prometheus.history("ns", ["a"], (ERRORS,), timedelta(hours=1))["errors"]
    assert isinstance(found, NoData)
    assert "no history of 5m yet" in found.reason
    assert "hits_total" in found.reason


def test_history_is_read_for_a_week_at_most() -> None:
    with source(World(LATE * 10, ("ns", "a"))) as (fake, prometheus):
        prometheus.history("ns", ["a"], (ERRORS,), timedelta(days=30))
        spans = {float(asked.form["end"]) - float(asked.form["start"]) for asked in fake.asked if "start" in asked.form}
    assert spans == {7 * 86_400.0}


def test_history_of_native_histograms_is_none_and_leaves_the_other_metrics_alone() -> None:
    world = World(LATE, ("ns", "a"))
    labels = {"namespace": "ns", "pod": "a", "instance": "a"}
    native = {"metric": labels, "histograms": [[LATE - 400, {"count": "1"}]]}
    world.special = {"seconds_bucket": success({"resultType": "matrix", "result": [native]})}
    with source(world) as (_, prometheus):
        found = prometheus.history("ns", ["a"], (ERRORS, LATENCY), timedelta(hours=1))
    assert isinstance(found["errors"], History)
    assert isinstance(found["latency"], NoData)
    assert "native histograms" in found["latency"].reason


def test_history_of_a_prometheus_that_is_down_is_an_error() -> None:
    with (
        source(lambda _: failure("unavailable", "starting", 503)) as (_, prometheus),
        pytest.raises(ObservationError, match="starting"),
    ):
        prometheus.history("ns", ["a"], (ERRORS,), timedelta(hours=1))
