"""A node's part in the life of a pod: start it, probe it, restart it with back-off, drain it on deletion.

`controller` steps every pod about ten times a second; the pod's status can be read from any thread.
Independent of Deployments, so that anything that knows which pods should exist can use it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from analyzer.model.backoff import backoff

CRASH_LOOP = "CrashLoopBackOff"
NO_START = "RunContainerError"
_SIGNAL_BASE = 128  # shells and Kubernetes report a death by signal n as exit code 128 + n


class Process(Protocol):
    """What is needed of a `runner.PodProcess`."""

    def start(self) -> None:
        """Start it, the first time or again."""
        ...

    def exit_status(self) -> int | None:
        """How it ended, or None."""
        ...

    def is_ready(self) -> bool:
        """Its readiness check."""
        ...

    def terminate(self) -> None:
        """Ask it to leave."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class PodTempo:
    """How fast a pod's life goes, in seconds; everything is shorter than on a real node.

    `unrouted` is how long a pod that is being deleted goes on serving, so that everyone who sends requests
    has heard that it leaves before it closes its port. Back-off doubles from `backoff` to `backoff_most`.
    A ready pod stops being so after `misses` probes in a row have failed; an exit is seen without a probe.
    """

    probe: float = 0.2
    misses: int = 3
    unrouted: float = 0.3
    grace: float = 5.0
    backoff: float = 1.0
    backoff_most: float = 30.0


@dataclass(frozen=True, slots=True)
class PodStatus:
    """What there is to know about a pod now. `gone`: its process has ended and will not be started again."""

    created_at: datetime
    ready: bool = False
    ready_at: datetime | None = None
    restarts: int = 0
    waiting: str | None = None
    last_termination: str | None = None
    deleted_at: datetime | None = None
    gone: bool = False

    @property
    def serving(self) -> bool:
        """Whether a Service sends requests to it."""
        return self.ready and self.deleted_at is None


class PodLife:
    """Keeps one pod as it should be. All methods are for one thread; `status` is for all."""

    def __init__(self, process: Process, tempo: PodTempo, now: datetime) -> None:
        self.status = PodStatus(created_at=now)
        self._process = process
        self._tempo = tempo
        self._begun = False
        self._start_at = now
        self._probe_at = now
        self._terminate_at = now
        self._terminated = False
        self._missed = 0

    def delete(self, now: datetime) -> None:
        """Begin to take it away; repeated calls change nothing."""
        if self.status.deleted_at is not None:
            return
        lag = self._tempo.unrouted if self.status.ready else 0.0
        self._terminate_at = now + timedelta(seconds=lag)
        self.status = replace(self.status, deleted_at=now)

    def step(self, now: datetime) -> None:
        """Do what is due, without waiting for anything but a probe."""
        if self.status.gone:
            return
        exit_status = self._process.exit_status()
        running = self._begun and exit_status is None
        if self.status.deleted_at is not None:
            self._drain(now, running=running)
        elif not self._begun:
            self._begun = self._started(now)
        elif exit_status is not None:
            self._restart(exit_status, now)
        elif now >= self._probe_at:
            self._probe(now)

    def _drain(self, now: datetime, *, running: bool) -> None:
        if not running:
            self.status = replace(self.status, ready=False, gone=True)
        elif now >= self._terminate_at + timedelta(seconds=self._tempo.grace):
            self._process.kill()
        elif now >= self._terminate_at and not self._terminated:
            self._terminated = True
            self._process.terminate()
            self.status = replace(self.status, ready=False)

    def _restart(self, exit_status: int, now: datetime) -> None:
        if self.status.waiting is None:
            wait = backoff(self.status.restarts + 1, self._tempo.backoff, self._tempo.backoff_most)
            self._start_at = now + timedelta(seconds=wait)
            self.status = replace(
                self.status,
                ready=False,
                ready_at=None,
                waiting=CRASH_LOOP,
                last_termination=termination(exit_status),
            )
        elif self._started(now):
            self.status = replace(self.status, restarts=self.status.restarts + 1)

    def _started(self, now: datetime) -> bool:
        if now < self._start_at:
            return False
        try:
            self._process.start()
        except OSError as error:
            self._start_at = now + timedelta(seconds=self._tempo.backoff)
            self.status = replace(self.status, waiting=NO_START, last_termination=f"could not start: {error}")
            return False
        self.status = replace(self.status, waiting=None)
        return True

    def _probe(self, now: datetime) -> None:
        self._probe_at = now + timedelta(seconds=self._tempo.probe)
        answered = self._process.is_ready()
        self._missed = 0 if answered else self._missed + 1
        if answered and not self.status.ready:
            self.status = replace(self.status, ready=True, ready_at=now)
        elif self._missed >= self._tempo.misses and self.status.ready:
            self.status = replace(self.status, ready=False, ready_at=None)


def termination(exit_status: int) -> str:
    """How a container ended, in the words of Kubernetes."""
    code = exit_status if exit_status >= 0 else _SIGNAL_BASE - exit_status
    return f"{'Completed' if code == 0 else 'Error'} (exit code {code})"
