"""Runs the daemon's jobs on time: the only home of APScheduler. The daemon starts, changes and stops it.

Its defaults would drop a job that is a second late, and log errors as plain text; both are changed here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

_THREADS = 16
_HINT_LATE = "this daemon is slower than its interval; if it lasts, give it more CPU or raise `analysis.interval`"

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Beat:
    """When a job ended last (before that: when it was set up), on the monotonic clock."""

    interval: float
    last: float


class Schedule:
    """Jobs by name, each run at a fixed interval and never twice at once."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._beats: dict[str, _Beat] = {}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_THREADS)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(_note, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._lock = threading.Lock()
        self._stopping = False

    def start(self) -> None:
        """Run jobs from now on."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop after the running jobs; changes of jobs that they still make have no effect.

        The library would wait for them while it holds a lock that they need for such a change.
        """
        with self._lock:
            self._stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def every(self, interval: timedelta, name: str, job: Callable[[], None]) -> None:
        """Run `job` now and at each `interval`; one of the same name is replaced."""
        beat = _Beat(interval.total_seconds(), self._monotonic())
        with self._lock:
            if self._stopping:
                return
            self._beats[name] = beat
            self._scheduler.add_job(
                lambda: self._run(job, beat),
                "interval",
                seconds=interval.total_seconds(),
                id=name,
                name=name,
                replace_existing=True,
                next_run_time=datetime.now(UTC),
            )

    def drop(self, name: str) -> None:
        """Run a job no more."""
        with self._lock:
            if self._stopping or self._beats.pop(name, None) is None:
                return
            self._scheduler.remove_job(name)

    def names(self) -> frozenset[str]:
        """The names of all jobs."""
        with self._lock:
            return frozenset(self._beats)

    def overdue(self, slack: timedelta) -> tuple[str, ...]:
        """Jobs that have not ended for three of their intervals and `slack`: something hangs."""
        now = self._monotonic() - slack.total_seconds()
        with self._lock:
            return tuple(sorted(name for name, beat in self._beats.items() if now - beat.last > 3 * beat.interval))

    def _run(self, job: Callable[[], None], beat: _Beat) -> None:
        """A job that fails has ended too; the failure is logged."""
        try:
            job()
        finally:
            beat.last = self._monotonic()


def _note(event: JobEvent) -> None:
    if event.code == EVENT_JOB_ERROR:
        error = getattr(event, "exception", None)
        _log.error("job_failed", job=event.job_id, exc_info=error, hint="a bug: please report it; the job goes on")
    elif event.code == EVENT_JOB_MISSED:
        _log.warning("job_missed", job=event.job_id, hint=_HINT_LATE)
    else:
        _log.warning("job_still_running", job=event.job_id, hint=_HINT_LATE)
