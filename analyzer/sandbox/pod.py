"""The small web app that runs as one pod: `python -m analyzer.sandbox.pod`, started by `runner.PodRunner`.

It behaves, or misbehaves, as its environment says (see `PodSettings`). `/` and `/ready` are served on PORT,
`/metrics` on METRICS_PORT. It holds its parent's pipe as standard input: when that closes, the parent is
gone, however it went, and the pod leaves too.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from analyzer.sandbox.keepalive import Connection, Connections, HttpAnswer
from analyzer.sandbox.loopback import LOOPBACK

STARTED = time.time()
SPREAD = 0.3  # standard deviation of the logarithm of a request's latency
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LOOK_EVERY = 0.1  # seconds between two looks for CRASH_WHEN
STDIN = 0


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What the pod is called, where it listens and how it behaves. Rates are shares; delays are seconds.

    With `errors_when` the error rate holds only while that file exists; while `crash_when` exists the pod ends at once.
    """

    name: str
    namespace: str
    host: str
    port: int
    metrics_port: int
    version: str
    seed: str
    error_rate: float
    latency: float
    start_delay: float
    crash_after: float
    never_ready: bool
    errors_when: Path | None = None
    crash_when: Path | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> PodSettings:
        """Read the environment of the template. Raises ValueError for what is not a number."""
        return cls(
            name=env.get("POD_NAME", "pod"),
            namespace=env.get("POD_NAMESPACE", "default"),
            host=env.get("POD_IP", LOOPBACK),
            port=int(env.get("PORT", "8080")),
            metrics_port=int(env.get("METRICS_PORT", "9101")),
            version=env.get("VERSION", "v1"),
            seed=env.get("SEED", "0"),
            error_rate=float(env.get("ERROR_RATE", "0")),
            latency=float(env.get("LATENCY_MS", "5")) / 1000,
            start_delay=float(env.get("START_DELAY", "0")),
            crash_after=float(env.get("CRASH_AFTER", "inf")),
            never_ready=env.get("NEVER_READY", "") in ("1", "true"),
            errors_when=Path(file) if (file := env.get("ERRORS_WHEN")) else None,
            crash_when=Path(file) if (file := env.get("CRASH_WHEN")) else None,
        )

    @property
    def failing(self) -> float:
        """The share of requests that fail now."""
        return self.error_rate if self.errors_when is None or self.errors_when.exists() else 0.0


class PodMetrics:
    """What the pod exports, in the text exposition format; each series names namespace and pod itself."""

    def __init__(self, settings: PodSettings) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library left this one out
        self._registry = CollectorRegistry()
        own = {"namespace": settings.namespace, "pod": settings.name}
        labels = {"method": "GET", "version": settings.version, **own}
        requests = Counter("http_requests_total", "Requests.", ("code", *labels), registry=self._registry)
        # Both codes stand at 0 from the start: a counter that is born at 1 has lost its first event.
        self._requests = {code: requests.labels(code=str(code), **labels) for code in (200, 500)}
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Latency.",
            tuple(labels),
            buckets=BUCKETS,
            registry=self._registry,
        ).labels(**labels)
        start = Gauge("process_start_time_seconds", "Start.", tuple(own), registry=self._registry)
        start.labels(**own).set(STARTED)
        memory = Gauge("process_resident_memory_bytes", "Memory.", tuple(own), registry=self._registry)
        memory.labels(**own).set_function(resident_memory)

    def count(self, status: int, seconds: float) -> None:
        """Note one answered request."""
        self._requests[status].inc()
        self._duration.observe(seconds)

    def exposition(self) -> bytes:
        """The page that Prometheus scrapes."""
        return generate_latest(self._registry)


def resident_memory() -> float:
    """Bytes of memory in use; where there is no /proc, the most there ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
    return float(pages * os.sysconf("SC_PAGESIZE"))


class ShopApp:
    """What is answered to which path."""

    def __init__(self, settings: PodSettings) -> None:
        self.ready = False
        self.metrics = PodMetrics(settings)
        self._settings = settings
        # The pod's own name in the seed: pods of one template must not fail in step with each other.
        self._random = random.Random(f"{settings.seed}/{settings.name}")  # noqa: S311 - a simulation

    def serve(self, path: str) -> HttpAnswer:
        """Answer on the port that users reach."""
        if path == "/ready":
            return HttpAnswer(200, b"ready\n") if self.ready else HttpAnswer(503, b"not ready\n")
        if path != "/":
            return HttpAnswer(404)
        delay = self._settings.latency * math.exp(self._random.gauss(0.0, SPREAD))
        if self._random.random() < self._settings.failing:
            return HttpAnswer(500, b"out of stock\n", delay=delay)
        return HttpAnswer(200, f"{self._settings.version}\n".encode(), delay=delay)

    def expose(self, path: str) -> HttpAnswer:
        """Answer on the port that Prometheus reaches."""
        if path != "/metrics":
            return HttpAnswer(404)
        return HttpAnswer(200, self.metrics.exposition(), CONTENT_TYPE_LATEST)


async def run(settings: PodSettings) -> None:
    """Serve until SIGTERM has been obeyed. Raises OSError when an address cannot be had."""
    loop = asyncio.get_running_loop()
    app, connections, stop = ShopApp(settings), Connections(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(STDIN, _leave_with_parent)
    servers = [
        await loop.create_server(partial(Connection, connections, answer, app.metrics.count), settings.host, port)
        for answer, port in ((app.serve, settings.port), (app.expose, settings.metrics_port))
    ]
    if not settings.never_ready:
        loop.call_later(settings.start_delay, setattr, app, "ready", True)  # noqa: FBT003 - setattr's signature
    if math.isfinite(settings.crash_after):
        loop.call_later(settings.crash_after, os._exit, 1)
    if settings.crash_when is not None:
        _crash_when(settings.crash_when, loop)
    await stop.wait()
    app.ready = False
    for server in servers:
        server.close()
    connections.drain()
    await connections.idle.wait()


def _crash_when(file: Path, loop: asyncio.AbstractEventLoop) -> None:
    if file.exists():
        os._exit(1)
    loop.call_later(LOOK_EVERY, _crash_when, file, loop)


def _leave_with_parent() -> None:
    if not os.read(STDIN, 1024):
        os._exit(0)


def main() -> None:
    """Run one pod; says on standard error why it could not."""
    try:
        asyncio.run(run(PodSettings.from_env(os.environ)))
    except (OSError, ValueError) as error:
        sys.exit(f"pod {os.environ.get('POD_NAME', 'pod')} could not start: {error}")


if __name__ == "__main__":
    main()
