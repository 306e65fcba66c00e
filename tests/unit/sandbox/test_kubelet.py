"""The life of one pod: ready, crash loop, drain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analyzer.sandbox.kubelet import CRASH_LOOP, NO_START, PodLife, PodTempo, termination
from tests.fakes.pod_process import FakePodProcess

START = datetime(2025, 1, 1, tzinfo=UTC)
TEMPO = PodTempo(probe=0.2, misses=3, unrouted=0.3, grace=5.0, backoff=1.0, backoff_most=3.0)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def process() -> FakePodProcess:
    return FakePodProcess()


@pytest.fixture
def life(process: FakePodProcess) -> PodLife:
    return PodLife(process, TEMPO, START)


def serve(life: PodLife) -> None:
    life.step(at(0))
    life.step(at(0.1))
    assert life.status.serving


def test_becomes_ready_at_the_first_answered_probe(life: PodLife) -> None:
    life.step(at(0))
    assert not life.status.ready
    life.step(at(0.1))
    assert (life.status.ready, life.status.ready_at) == (True, at(0.1))


def test_stays_ready_over_single_missed_probes(life: PodLife, process: FakePodProcess) -> None:
    serve(life)
    process.ready = False
    life.step(at(1.0))
    life.step(at(2.0))
    process.ready = True
    life.step(at(3.0))
    process.ready = False
    life.step(at(4.0))
    assert (life.status.ready, life.status.ready_at) == (True, at(0.1))


def test_is_unready_after_three_missed_probes(life: PodLife, process: FakePodProcess) -> None:
    serve(life)
    process.ready = False
    for second in (1, 2, 3):
        life.step(at(second))
    assert (life.status.ready, life.status.ready_at) == (False, None)


def test_probes_no_more_often_than_told(life: PodLife, process: FakePodProcess) -> None:
    process.ready = False
    life.step(at(0))
    life.step(at(0.1))
    process.ready = True
    life.step(at(0.2))
    assert not life.status.ready
    life.step(at(0.3))
    assert life.status.ready


def test_backs_off_after_an_exit_and_then_restarts(life: PodLife, process: FakePodProcess) -> None:
    serve(life)
    process.exit(1)
    life.step(at(10))
    assert life.status.waiting == CRASH_LOOP
    assert life.status.last_termination == "Error (exit code 1)"
    assert not life.status.ready
    life.step(at(10.9))
    assert life.status.restarts == 0
    life.step(at(11))
    assert life.status == replace(life.status, waiting=None, restarts=1)


def test_backoff_doubles_up_to_its_limit(life: PodLife, process: FakePodProcess) -> None:
    life.step(at(0))
    waits = []
    for crash in range(4):
        process.exit(1)
        began = 100 * crash
        life.step(at(began))
        tenths = next(n for n in range(1, 100) if _restarted(life, at(began + n / 10)))
        waits.append(tenths / 10)
    assert waits == [1.0, 2.0, 3.0, 3.0]


def _restarted(life: PodLife, now: datetime) -> bool:
    life.step(now)
    return life.status.waiting is None


def test_tries_again_when_it_can_not_be_started(life: PodLife, process: FakePodProcess) -> None:
    process.refuses = True
    life.step(at(0))
    assert life.status.waiting == NO_START
    assert "no more processes" in (life.status.last_termination or "")
    process.refuses = False
    life.step(at(1))
    assert life.status == replace(life.status, waiting=None, restarts=0)


def test_deleted_pod_leaves_the_service_before_it_is_told_to_end(life: PodLife, process: FakePodProcess) -> None:
    serve(life)
    life.delete(at(10))
    life.step(at(10.2))
    assert not life.status.serving
    assert process.calls == ["start"]
    life.step(at(10.3))
    assert process.calls == ["start", "terminate"]
    life.step(at(10.4))
    assert life.status.gone


def test_deleted_pod_that_never_served_ends_at_once(life: PodLife, process: FakePodProcess) -> None:
    life.step(at(0))
    life.delete(at(1))
    life.step(at(1))
    assert process.calls == ["start", "terminate"]


def test_deleted_pod_is_killed_after_its_grace(life: PodLife, process: FakePodProcess) -> None:
    serve(life)
    process.stubborn = True
    life.delete(at(10))
    for second in (11, 12, 15):
        life.step(at(second))
    assert "kill" not in process.calls
    life.step(at(15.3))
    life.step(at(15.4))
    assert life.status.gone
    assert process.calls == ["start", "terminate", "kill"]


def test_pod_deleted_while_backing_off_is_not_started_again(life: PodLife, process: FakePodProcess) -> None:
    serve(life)
    process.exit(1)
    life.step(at(10))
    life.delete(at(10.5))
    life.step(at(20))
    assert life.status.gone
    assert process.calls == ["start"]


def test_pod_deleted_before_its_start_never_starts(life: PodLife, process: FakePodProcess) -> None:
    life.delete(at(0))
    life.step(at(0))
    assert life.status.gone
    assert process.calls == []


@pytest.mark.parametrize(
    ("status", "text"),
    [(0, "Completed (exit code 0)"), (1, "Error (exit code 1)"), (-9, "Error (exit code 137)")],
)
def test_says_how_a_container_ended_as_kubernetes_does(status: int, text: str) -> None:
    assert termination(status) == text
