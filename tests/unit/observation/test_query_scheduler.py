"""All questions of a sweep share one deadline; whoever asks a slow one waits for it alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzer.model.block import Block, Timing
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import QueryMetric, RatioMetric
from analyzer.observation import PrometheusConnection, PrometheusMetricSource, query_scheduler
from analyzer.observation import source as source_module
from tests.fakes.prometheus_http import Asked, FakePrometheus, Reply, matrix
from tests.unit.observation.test_prometheus_source import ERRORS, LATENCY, World, one, request

HEAVY = QueryMetric("heavy", "sum(heavy)")
LIGHT = QueryMetric("light", "sum(light)")
NOW = 1_052.0


class SlowWorld(World):
    """Queries that contain a word of `held` get no answer before `gate` opens; `begun` has all that were asked."""

    def __init__(self, *pods: tuple[str, str]) -> None:
        super().__init__(NOW, *pods)
        self.gate = threading.Event()
        self.held: set[str] = {"heavy"}

    def __call__(self, asked: Asked) -> Reply:
        query = asked.form["query"]
        reply = matrix(({}, [(NOW - 2, "1")])) if query in (HEAVY.query, LIGHT.query) else super().__call__(asked)
        return replace(reply, until=self.gate) if any(word in query for word in self.held) else reply


@contextmanager
def asking(world: World, timeout: float) -> Iterator[tuple[FakePrometheus, PrometheusMetricSource]]:
    with FakePrometheus(world) as fake, closing(PrometheusConnection(fake.url, timeout)) as connection:
        yield fake, PrometheusMetricSource(connection)


def test_slow_guard_holds_up_only_the_targets_that_use_it() -> None:
    world = SlowWorld(("ns-a", "p"), ("ns-b", "q"), ("ns-c", "r"))
    with asking(world, timeout=10.0) as (_, metrics):
        answers = metrics.collect(
            [
                request("a", "p", after=103, metrics=(HEAVY, ERRORS)),
                request("b", "q", after=103, metrics=(ERRORS, LIGHT)),
                request("c", "r", after=103),
            ]
        )
        first = [next(answers)[0], next(answers)[0]]
        world.gate.set()
        last = list(answers)
    assert set(first) == {"b", "c"}
    ((target, answer),) = last
    assert target == "a"
    assert not isinstance(one(answer).metrics["heavy"], ObservationError)


def test_at_the_deadline_everybody_has_an_answer_and_only_what_was_slow_is_an_error() -> None:
    world = SlowWorld(("ns-a", "p"))
    with asking(world, timeout=0.3) as (_, metrics):
        begun = time.monotonic()
        answers = dict(metrics.collect([request("a", "p", after=103, metrics=(ERRORS, HEAVY))]))
        assert time.monotonic() - begun < 2
        world.gate.set()
    answer = one(answers["a"])
    assert isinstance(answer.metrics["heavy"], ObservationError)
    assert "300 ms" in str(answer.metrics["heavy"])
    (block,) = answer.metrics["errors"]  # type: ignore[misc]
    assert isinstance(block, Block)


def test_many_slow_guards_leave_room_for_the_rest_and_take_turns() -> None:
    guards = [QueryMetric(f"heavy{number}", f"heavy{number}") for number in range(3 * query_scheduler.THREADS)]
    world = SlowWorld(("ns-a", "p"), ("ns-b", "q"))
    asked = [request("a", "p", after=103, metrics=(*guards, ERRORS)), request("b", "q", after=103)]
    with asking(world, timeout=1.0) as (fake, metrics):
        dict(metrics.collect(asked))
        for _ in range(3):
            answers = metrics.collect(asked)
            target, answer = next(answers)
            assert target == "b"
            assert not isinstance(one(answer).metrics["errors"], ObservationError)
            list(answers)
        world.gate.set()
        tried = {query for query in fake.queries if query.startswith("heavy")}
    assert tried == {guard.query for guard in guards}


def test_question_that_became_quick_again_is_asked_with_the_others() -> None:
    pools = query_scheduler.Pools(10.0)
    question = ("query", "x")
    pools.carry(question, lambda: None, apart=True).result()
    assert pools.slow_since(question) is None


def test_query_that_is_not_even_begun_in_time_is_not_sent() -> None:
    with asking(World(NOW), timeout=5.0) as (fake, _):
        connection = PrometheusConnection(fake.url).until(time.monotonic() - 1)
        with pytest.raises(ObservationError, match="not sent"):
            connection.server_time()
        assert fake.asked == []


def test_answer_is_what_it_was_when_the_pods_were_seen_however_late_it_comes() -> None:
    seen = datetime.fromtimestamp(NOW - 5, UTC)
    for now in (NOW - 5, NOW, NOW + 60):
        with asking(World(now, ("ns-a", "p")), timeout=5.0) as (_, metrics):
            bounded = replace(request("a", "p", after=102, fast_after=206), until=seen)
            answer = one(dict(metrics.collect([bounded]))["a"])
        assert answer.upto == 103
        assert [block.index for block in answer.metrics["errors"]] == [103]  # type: ignore[union-attr]
        assert [slot.index for slot in answer.fast["errors"]] == [207, 208]


def test_releases_that_differ_in_their_delay_share_queries_and_all_are_confirmed() -> None:
    def asked(target: str, pod: str, delay: float) -> BlockRequest:
        timing = Timing(block=10.0, slot=5.0, delay=delay)
        return replace(request(target, pod, after=101, metrics=(ERRORS, LATENCY)), timing=timing)

    with asking(World(1_056.0, ("ns-a", "p"), ("ns-b", "q")), timeout=5.0) as (fake, metrics):
        together = dict(metrics.collect([asked("a", "p", 1.0), asked("b", "q", 7.0)]))
        assert len(fake.queries) == 7  # as for one, and one more confirmation
        alone = {
            target: dict(metrics.collect([asked(target, pod, delay)]))[target]
            for target, pod, delay in (("a", "p", 1.0), ("b", "q", 7.0))
        }
    assert together == alone
    assert [one(together[target]).upto for target in ("a", "b")] == [104, 103]


def test_targets_that_catch_up_are_read_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "PORTION", 2 * 16 * 100)
    names = [f"t{number}" for number in range(6)]
    with asking(World(NOW, *((f"ns-{name}", name) for name in names)), timeout=5.0) as (fake, metrics):
        answers = dict(metrics.collect([request(name, name, after=4) for name in names]))
        portions = [query for query in fake.queries if "500" in query]
    assert len(portions) == 3
    for answer in answers.values():
        assert len(one(answer).metrics["errors"]) == 100  # type: ignore[arg-type]


def test_sweep_of_500_releases_with_presets_takes_at_most_10_queries() -> None:
    errors = RatioMetric("errors", 'http_requests_total{code="500"}', "http_requests_total")
    names = [f"team-{number}-checkout" for number in range(500)]
    pods = {name: [f"{name}-v{1 + n % 2}-5d8f9c7b6d-{n:05d}" for n in range(10)] for name in names}
    world = World(NOW + 5, *((f"ns-{name}", own[0]) for name, own in pods.items()))  # the others are silent
    with asking(world, timeout=60.0) as (fake, metrics):
        asked = [
            replace(
                request(name, *pods[name], after=102 + n % 2, metrics=(errors, LATENCY), fast_after=207),
                timing=Timing(10.0, 5.0, 2.0 + n % 2),
            )
            for n, name in enumerate(names)
        ]
        answers = dict(metrics.collect(asked))
        queries = fake.queries
    assert len(queries) <= 10
    assert all(isinstance(answer, Collected) for answer in answers.values())
    assert max(map(len, queries)) < 1_000_000
