"""The daemon starts, follows its configuration and stops; the schedule keeps going whatever a job does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from analyzer.engine.assembly import Parts, assemble
from analyzer.engine.clock import SystemClock
from analyzer.engine.daemon import Daemon, Settings
from analyzer.engine.lease import SoleHolder
from analyzer.engine.schedule import Schedule
from analyzer.model.alert import AlertEvent
from analyzer.model.errors import ConfigError, Problem
from analyzer.model.report import Report
from analyzer.ports import Lease
from analyzer.record import history_entry, status_of
from tests.fakes.lease import FakeLease
from tests.scenarios.stage import DEMO_TARGET, Stage

TICK = timedelta(seconds=0.02)
LONG = 10.0


def test_job_that_fails_runs_again() -> None:
    schedule, ran = Schedule(), threading.Semaphore(0)

    def fail() -> None:
        ran.release()
        raise ValueError("a bug in a job")

    schedule.start()
    schedule.every(TICK, "failing", fail)
    assert all(ran.acquire(timeout=LONG) for _ in range(3))
    schedule.stop()


def test_dropped_job_is_gone_and_one_of_the_same_name_replaces_it() -> None:
    schedule, new = Schedule(), threading.Event()
    schedule.start()
    schedule.every(timedelta(hours=1), "job", lambda: None)
    schedule.every(TICK, "job", new.set)
    assert new.wait(LONG)
    schedule.drop("job")
    schedule.drop("job")
    assert schedule.names() == frozenset()
    schedule.stop()


class _Bell:
    """A `Reporter` that rings when it hears of a target."""

    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)

    def report(self, report: Report) -> None:
        self.rung.release()


def _daemon_in_real_time(stage: Stage, bell: _Bell, lease: Lease) -> Daemon:
    parts = Parts(
        store=stage.store,
        workloads=stage.cluster,
        clock=SystemClock(),
        lease=lease,
        executor=ThreadPoolExecutor(4),
        couriers=ThreadPoolExecutor(1),
        surveyors=ThreadPoolExecutor(1),
        status_of=status_of,
        history_entry=history_entry,
        reporters=(bell,),
    )
    return assemble(Settings((DEMO_TARGET,), stage.metrics, lambda entries, _: entries, max_concurrent=20), parts)


def test_daemon_ticks_in_real_time_until_it_is_stopped() -> None:
    stage, bell = Stage(), _Bell()
    daemon = _daemon_in_real_time(stage, bell, SoleHolder())
    daemon.start()
    assert bell.rung.acquire(timeout=LONG)
    daemon.stop()
    while bell.rung.acquire(blocking=False):
        pass
    assert not bell.rung.acquire(timeout=0.05)
    assert (stage.store.status("shop") or {})["phase"] == "IDLE"


def test_standby_begins_as_soon_as_it_wins_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.engine.daemon.LEAD_EVERY", TICK)
    stage, bell, lease = Stage(), _Bell(), FakeLease(None)
    daemon = _daemon_in_real_time(stage, bell, lease)
    daemon.start()
    assert not bell.rung.acquire(timeout=0.1)
    lease.win(3)
    assert bell.rung.acquire(timeout=LONG)
    daemon.stop()


def test_refused_configuration_keeps_the_old_one() -> None:
    stage = Stage()

    def refuse() -> Settings | None:
        raise ConfigError((Problem("a.yaml", 3, "canaries", "expected a list"),))

    stage.daemon = assemble(stage.settings((DEMO_TARGET,)), stage.parts, refuse)
    stage.daemon.follow()
    ticks = len(stage.notebook.reports)
    stage.run(1)
    assert len(stage.notebook.reports) == ticks + 1


def test_a_refused_configuration_is_told_once_with_its_mistakes() -> None:
    stage = Stage()
    answers: list[Settings | ConfigError | None] = [
        ConfigError((Problem("a.yaml", 3, "canaries", "expected a list"), Problem("b.yaml", 1, "", "not YAML"))),
        None,
    ]

    def changed() -> Settings | None:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    stage.daemon = assemble(stage.settings((DEMO_TARGET,)), stage.parts, changed)
    stage.sink.break_down(retryable=True)
    stage.daemon.follow()
    stage.run(1)
    stage.sink.repair()
    stage.daemon.follow()
    stage.run(10)
    (told,) = [alert for alert in stage.sink.alerts if alert.event is AlertEvent.CONFIGURATION]
    assert told.summary.endswith("stays in use: a.yaml:3: canaries: expected a list (and 1 more)")
    assert told.details["problems"] == ["a.yaml:3: canaries: expected a list", "b.yaml:1: not YAML"]


def test_a_mended_configuration_takes_back_what_nobody_was_told_yet() -> None:
    stage = Stage()
    answers: list[Settings | None] = [stage.settings((DEMO_TARGET,))]

    def changed() -> Settings | None:
        if not broken:
            return answers.pop(0)
        broken.pop()
        raise ConfigError((Problem("a.yaml", 3, "canaries", "expected a list"),))

    broken = [True]
    stage.daemon = assemble(stage.settings((DEMO_TARGET,)), stage.parts, changed)
    stage.daemon.follow()
    stage.daemon.follow()
    stage.run(5)
    assert not [alert for alert in stage.sink.alerts if alert.event is AlertEvent.CONFIGURATION]


def test_changed_configuration_is_followed() -> None:
    stage = Stage()
    changes: list[Settings | None] = [None, stage.settings(())]
    stage.daemon = assemble(stage.settings((DEMO_TARGET,)), stage.parts, lambda: changes.pop(0))
    stage.daemon.follow()
    stage.run(1)
    ticks = len(stage.notebook.reports)
    stage.daemon.follow()
    stage.run(1)
    assert len(stage.notebook.reports) == ticks
