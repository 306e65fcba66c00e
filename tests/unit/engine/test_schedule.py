"""The schedule knows which of its jobs hang."""

from __future__ import annotations

import threading
from datetime import timedelta

from analyzer.engine.schedule import Schedule

SECOND = timedelta(seconds=1)
NO_SLACK = timedelta(0)


class Stopwatch:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_job_that_has_not_ended_for_three_intervals_is_overdue() -> None:
    clock, hangs, started = Stopwatch(), threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        hangs.wait()

    schedule = Schedule(clock)
    schedule.start()
    try:
        schedule.every(20 * SECOND, "slow", hang)
        assert started.wait(5)
        clock.seconds += 60
        assert schedule.overdue(NO_SLACK) == ()
        clock.seconds += 1
        assert schedule.overdue(NO_SLACK) == ("slow",)
        assert schedule.overdue(5 * SECOND) == ()
        schedule.drop("slow")
        assert schedule.overdue(NO_SLACK) == ()
    finally:
        hangs.set()
        schedule.stop()


def test_a_job_that_ran_is_not_overdue() -> None:
    clock, ran = Stopwatch(), threading.Event()
    schedule = Schedule(clock)
    schedule.every(20 * SECOND, "quick", ran.set)
    clock.seconds += 1000
    schedule.start()
    try:
        assert ran.wait(5)
    finally:
        schedule.stop()  # waits for the job's end
    assert schedule.overdue(NO_SLACK) == ()


def test_a_job_that_changes_jobs_does_not_hold_up_the_end() -> None:
    schedule, started, stopping = Schedule(), threading.Event(), threading.Event()

    def change() -> None:
        started.set()
        stopping.wait(5)
        for _ in range(100):
            schedule.names()
            schedule.every(SECOND, "new", started.set)
            schedule.drop("new")

    schedule.every(SECOND, "change", change)
    schedule.start()
    assert started.wait(5)
    end = threading.Thread(target=schedule.stop)
    end.start()
    stopping.set()
    end.join(10)
    assert not end.is_alive()
