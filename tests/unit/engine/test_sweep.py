"""One target's slowness or failure never delays another beyond a bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from analyzer.engine.sweep import Sweeper
from analyzer.engine.targets import Targets
from analyzer.engine.tick import Tick
from analyzer.model.block import NoData, Timing
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric
from analyzer.model.target import Target
from tests.scenarios.stage import DEMO_TARGET

PATIENCE = timedelta(seconds=0.2)


def _target(name: str) -> Target:
    return replace(DEMO_TARGET, name=name)


class PlainTick:
    """A tick that notes its answer; waits in `prepare` until it may go on. One called `idle...` is idle and one
    called `back...` is rolled back: they ask for nothing. One called `still...` is idle, and did not change. A name in
    `broken` can't be concluded."""

    broken: frozenset[str] = frozenset()

    def __init__(self, target: Target, answers: dict[str, object], gates: Mapping[str, threading.Event]) -> None:
        self.target = target
        self.in_release = not target.name.startswith("idle")
        self._answers = answers
        self._gate = gates.get(target.name)

    def repeat_idle(self) -> bool:
        return self.target.name.startswith("still")

    def prepare(self) -> BlockRequest | None:
        if self._gate is not None:
            self._gate.wait(10)
        if self.target.name.startswith(("idle", "back")):
            return None
        return BlockRequest(self.target.name, "default", (), (), Timing(2, 1, 2), 0, 2)

    def conclude(self, answer: object) -> None:
        if self.target.name in self.broken:
            raise KeyError(self.target.name)
        self._answers[self.target.name] = answer

    def abandon(self) -> None:
        self._answers[f"{self.target.name} abandoned"] = None


class GatedSource:
    """A `MetricSource` that answers once its gate is open, and without waiting for `early` targets; counts its
    calls."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[list[str]] = []
        self.early: set[str] = set()
        self.error: Exception | None = None

    def collect(self, requests: Sequence[BlockRequest]) -> Iterator[tuple[str, Collected | ObservationError]]:
        self.calls.append(sorted(request.target for request in requests))
        for request in sorted(requests, key=lambda one: one.target not in self.early):
            if request.target not in self.early:
                self.gate.wait(10)
            if self.error is not None:
                raise self.error
            yield request.target, Collected(0, {})

    def measure(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric], interval: float
    ) -> Timing | NoData:
        return NoData("not asked for here")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


class Hall:
    """A sweeper with its surroundings."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.answers: dict[str, object] = {}
        self.gates: dict[str, threading.Event] = {}
        self.source = GatedSource()
        self.targets = Targets()
        self.sweeper = Sweeper(self._begin, self.source, self.targets, pool, PATIENCE)

    def _begin(self, target: Target) -> Tick:
        return PlainTick(target, self.answers, self.gates)  # type: ignore[return-value]

    def sweep(self, *names: str) -> float:
        start = time.monotonic()
        self.sweeper.run([_target(name) for name in names])
        return time.monotonic() - start


def test_one_question_is_put_for_all_targets(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.sweep("a", "b", "c")
    assert hall.source.calls == [["a", "b", "c"]]
    assert set(hall.answers) == {"a", "b", "c"}


def test_slow_target_delays_the_others_once_and_is_then_left_out(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.gates["slow"] = threading.Event()
    assert hall.sweep("slow", "b") < 5
    assert set(hall.answers) == {"b"}
    hall.answers.clear()
    assert hall.sweep("slow", "b") < 0.15
    assert set(hall.answers) == {"b"}
    hall.gates.pop("slow").set()
    assert hall.targets.wait_until_free(5)
    assert "slow abandoned" in hall.answers
    hall.answers.clear()
    hall.sweep("slow", "b")
    assert set(hall.answers) == {"slow", "b"}


def test_hanging_prometheus_is_an_error_for_each_target_and_is_not_asked_twice(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.source.gate.clear()
    hall.sweep("a", "b")
    assert all(isinstance(answer, ObservationError) for answer in hall.answers.values())
    hall.sweep("a", "b")
    assert len(hall.source.calls) == 1
    assert all(isinstance(answer, ObservationError) for answer in hall.answers.values())
    hall.source.gate.set()


def test_bug_in_the_metric_source_is_an_error_for_each_target(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.source.error = KeyError("oops")
    hall.sweep("a", "b")
    assert {str(answer) for answer in hall.answers.values()} == {"KeyError: 'oops' (a bug in the metric source)"}
    hall.source.error = None
    hall.sweep("a", "b")
    assert all(isinstance(answer, Collected) for answer in hall.answers.values())


def test_target_is_concluded_as_soon_as_it_has_its_answer(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.source.gate.clear()
    hall.source.early = {"a"}
    sweep = pool.submit(hall.sweep, "a", "b")
    while "a" not in hall.answers:
        time.sleep(0.001)
    assert not sweep.done()
    assert "b" not in hall.answers
    sweep.result()
    assert isinstance(hall.answers["a"], Collected)
    assert isinstance(hall.answers["b"], ObservationError)
    hall.source.gate.set()


def test_hung_write_of_the_outbox_blocks_no_sweep(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.engine.sweep.MARKING", 0.05)
    hall = Hall(pool)
    assert hall.targets.take_for_outbox("a", 0)
    assert hall.sweep("a", "b") < 0.5
    assert set(hall.answers) == {"b"}
    hall.targets.release("a")
    hall.sweep("a", "b")
    assert set(hall.answers) == {"a", "b"}


def test_tick_follows_as_soon_as_the_outbox_has_marked(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    assert hall.targets.take_for_outbox("a", 0)
    sweep = pool.submit(hall.sweep, "a")
    hall.targets.release("a")
    sweep.result()
    assert set(hall.answers) == {"a"}


def test_tick_between_sweeps_makes_no_sweep_leave_its_target_out(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    assert hall.targets.take_between("a")
    sweep = pool.submit(hall.sweep, "a")
    hall.targets.release("a")
    sweep.result()
    assert set(hall.answers) == {"a"}


def test_target_that_a_sweep_works_on_is_not_ticked_between(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.targets.take_for_ticks(("a",), 0)
    hall.sweeper.run_between([_target("a"), _target("b")])
    assert hall.answers == {"b": None}
    assert hall.source.calls == []
    hall.targets.release("a")


def test_those_in_release_are_concluded_before_idle_ones(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.source.gate.clear()
    hall.source.early = {"a"}
    sweep = pool.submit(hall.sweep, "idle-1", "a", "b", "back", "idle-2")
    deadline = time.monotonic() + 10
    while not {"a", "back"} <= hall.answers.keys() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not {"idle-1", "idle-2"} & hall.answers.keys()
    hall.source.gate.set()
    sweep.result()
    assert hall.answers.keys() == {"a", "b", "back", "idle-1", "idle-2"}


def test_an_idle_target_that_did_not_change_is_not_ticked_and_free_for_others(pool: ThreadPoolExecutor) -> None:
    hall = Hall(pool)
    hall.sweep("still-1", "idle-1", "still-2")
    assert hall.answers == {"idle-1": None}
    assert hall.targets.take_between("still-1")


def test_thousands_of_idle_targets_do_not_keep_prometheus_from_being_asked() -> None:
    with ThreadPoolExecutor(1) as pool:
        hall = Hall(pool)
        hall.sweep(*(f"idle-{number}" for number in range(2000)), "a", "back")
    assert set(list(hall.answers)[:2]) == {"a", "back"}
    assert isinstance(hall.answers["a"], Collected)


def test_prometheus_is_not_blamed_where_it_was_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as pool:
        hall, busy = Hall(pool), threading.Event()
        prepare = PlainTick.prepare

        def and_then_others_come(tick: PlainTick) -> BlockRequest | None:
            pool.submit(busy.wait, 10)
            return prepare(tick)

        monkeypatch.setattr(PlainTick, "prepare", and_then_others_come)
        sweep = threading.Thread(target=hall.sweep, args=("a",))
        sweep.start()
        time.sleep(2 * PATIENCE.total_seconds())
        busy.set()
        sweep.join()
    assert "Prometheus was not queried" in str(hall.answers["a"])
    assert hall.source.calls == []


def test_a_bug_in_a_tick_between_sweeps_is_told(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlainTick, "broken", frozenset({"a"}))
    hall = Hall(pool)
    with capture_logs() as lines:
        hall.sweeper.run_between([_target("a")])
    assert [line["event"] for line in lines] == ["tick_crashed"]
