"""The whole sandbox: a flaky little shop as two Deployments, its users, a Prometheus and an alert receiver.

The demo and the integration tests enter it as a context manager. Whatever it starts is registered for clean-up
before it is started, so that nothing is left behind wherever it is interrupted, start-up and clean-up included.
"""

from __future__ import annotations

import atexit
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from analyzer.model.errors import SandboxError
from analyzer.model.numbers import seconds
from analyzer.model.target import Roles
from analyzer.sandbox.addresses import claim_addresses
from analyzer.sandbox.controller import DeploymentSpec, Tempo
from analyzer.sandbox.deployments import SandboxWorkloads
from analyzer.sandbox.prometheus import PrometheusServer, find_prometheus
from analyzer.sandbox.receiver import AlertReceiver
from analyzer.sandbox.runner import PodRunner
from analyzer.sandbox.service import Service
from analyzer.sandbox.template import pod_template

APP = "shop"
ROLES = Roles(stable="shop-stable", canary="shop-canary")
START_TIMEOUT = 60.0  # seconds until stable's pods must be available; a machine may be busy
_POLL = 0.05

Part = TypeVar("Part")


class ReleaseKind(StrEnum):
    """How the next version of the shop behaves; the words of `canary-analyzer demo --release`."""

    GOOD = "good"
    BAD = "bad"
    SLOW = "slow"
    BROKEN = "broken"
    SLOW_START = "slow-start"
    CRASH_LOOP = "crash-loop"
    NO_TRAFFIC = "no-traffic"


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """The shop at rest: users per second, pods, share of failed requests, median latency in milliseconds.

    `scrape_interval` in seconds; `cache` is where a Prometheus is kept between runs, None for the usual place.
    """

    seed: int = 0
    rps: float = 400.0
    replicas: int = 10
    error_rate: float = 0.04
    latency_ms: float = 5.0
    scrape_interval: float = 1.0
    cache: Path | None = None
    tempo: Tempo | None = None

    def behaviour(self, kind: ReleaseKind) -> dict[str, str | None]:
        """The environment that makes a version behave so; None where it must not be set."""
        error_rate = {ReleaseKind.BAD: 3 * self.error_rate, ReleaseKind.BROKEN: 0.8}.get(kind, self.error_rate)
        latency_ms = 3 * self.latency_ms if kind is ReleaseKind.SLOW else self.latency_ms
        return {
            "ERROR_RATE": f"{error_rate:g}",
            "LATENCY_MS": f"{latency_ms:g}",
            "SEED": str(self.seed),
            "START_DELAY": "8" if kind is ReleaseKind.SLOW_START else None,
            "CRASH_AFTER": "1" if kind is ReleaseKind.CRASH_LOOP else None,
        }


class Shop:
    """Runs all of it. `start` blocks until stable's pods serve; `stop` until everything is gone.

    Release versions are v2, v3, ... in order; what runs at first is v1.
    """

    def __init__(self, settings: ShopSettings) -> None:
        self.settings = settings
        self.directory = Path(tempfile.gettempdir()) / f"canary-analyzer-{secrets.token_hex(6)}"
        self.receiver = AlertReceiver()
        self.service = Service(0.0, settings.seed)
        self._stack = ExitStack()
        self._version = 1
        self._workloads: SandboxWorkloads | None = None
        self._prometheus: PrometheusServer | None = None

    @property
    def workloads(self) -> SandboxWorkloads:
        """The Deployments, once started."""
        return _started(self._workloads)

    @property
    def prometheus(self) -> PrometheusServer:
        """The Prometheus that scrapes them, once started."""
        return _started(self._prometheus)

    def start(self) -> None:
        """Start everything, or nothing. Raises SandboxError."""
        # Not every interruption meets an `except`: one that comes just before it is dealt with at exit.
        atexit.register(self.stop)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process and remove every file; Ctrl-C has to wait for it. May be called at any time."""
        with _uninterrupted():
            self._stack.close()
        atexit.unregister(self.stop)

    def release(self, kind: ReleaseKind) -> str:
        """Give the canary Deployment a new template, as a user would; returns the version in it."""
        self._version += 1
        version = f"v{self._version}"
        self.service.rate(0.0 if kind is ReleaseKind.NO_TRAFFIC else self.settings.rps)
        self.workloads.set_template(ROLES.canary, {"VERSION": version, **self.settings.behaviour(kind)})
        return version

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        settings, stack = self.settings, self._stack
        binary = find_prometheus(settings.cache)
        stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        logs, database = self.directory / "pods", self.directory / "prometheus"
        for folder in (self.directory, logs, database):
            folder.mkdir(mode=0o700)
        pool = claim_addresses(2 * settings.replicas + 5)
        stack.callback(pool.close)
        self._workloads = SandboxWorkloads(
            PodRunner(logs).prepare,
            pool,
            service={"app": APP},
            route=self.service.route,
            tempo=settings.tempo,
            seed=settings.seed,
        )
        targets = [address.metrics for address in pool.addresses]
        self._prometheus = PrometheusServer(binary, database, targets, settings.scrape_interval)
        stack.callback(self.receiver.stop)
        stack.callback(self._prometheus.stop)
        stack.callback(self._workloads.stop)
        stack.callback(self.service.stop)
        self.receiver.start()
        self.service.start()
        self._create_deployments(self._workloads)
        self._workloads.start()
        self._prometheus.start()
        self._await_stable(self._workloads)
        self.service.rate(settings.rps)

    def _create_deployments(self, workloads: SandboxWorkloads) -> None:
        behaviour = self.settings.behaviour(ReleaseKind.GOOD)
        for name, track, replicas in (
            (ROLES.stable, "stable", self.settings.replicas),
            (ROLES.canary, "canary", 0),
        ):
            labels = {"app": APP, "track": track}
            template = pod_template(labels, {"VERSION": "v1", **behaviour})
            workloads.create(DeploymentSpec(name, replicas, labels, template))

    def _await_stable(self, workloads: SandboxWorkloads) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while (stable := workloads.workload(ROLES.stable)) is not None and not stable.settled:
            if time.monotonic() > deadline:
                ends = {pod.last_termination for pod in stable.pods if pod.last_termination} or "none ended"
                raise SandboxError(
                    f"expected {stable.replicas} available pods of {stable.name} within {seconds(START_TIMEOUT)}, "
                    f"found {stable.available} ({ends}); is the machine very busy?"
                )
            time.sleep(_POLL)


def _started(part: Part | None) -> Part:
    if part is None:
        raise SandboxError("the sandbox is not started")
    return part


@contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous or signal.SIG_DFL)
