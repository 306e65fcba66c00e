"""The measured process: the daemon's real parts on a clock that goes as fast as the sweeps do.

`python -m benchmarks.scale.daemon JOB.json` prints one JSON object a line: one for the start, one for each sweep, one
for some quiet seconds. Only the clock of the engine and of Prometheus is the run's; Lease and watches live in real
time.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from analyzer.actuation.lease import LeaseAt, LeaseElector
from analyzer.actuation.workloads import KubeWorkloads
from analyzer.bootstrap.cluster import MANY_NAMESPACES
from analyzer.bootstrap.daemon import COURIERS, SURVEYORS, THREADS, patience
from analyzer.bootstrap.gc_tuning import tune_gc
from analyzer.bootstrap.settings import settings_of
from analyzer.bootstrap.watched_namespaces import Visiting, WatchedNamespaces
from analyzer.config import ConfigWatch
from analyzer.engine.assembly import Parts, assemble
from analyzer.engine.clock import SystemClock
from analyzer.engine.daemon import Daemon, Settings
from analyzer.kube.cache import Cache, may_watch_cluster
from analyzer.kube.client import KubeClient, RequestLimits
from analyzer.kube.rate_limit import Rate
from analyzer.kube.settings import find_access
from analyzer.observation import PrometheusConnection, PrometheusMetricSource
from analyzer.record import history_entry, status_of
from analyzer.record.configmaps import ConfigMapStore
from analyzer.record.configmaps.store import StoreContext
from analyzer.telemetry import EventReporter, LogReporter, OwnMetrics, configure
from benchmarks.scale.counting import CountingTransport, Tally
from benchmarks.scale.figures import is_whole
from benchmarks.scale.plan import CORE, HOME, INTERVAL, Standing
from benchmarks.scale.prometheus import told

SYNC_SECONDS = 120.0
MOST_SWEEPS = 200
"""Of a first start."""

EVERY = timedelta(seconds=INTERVAL)


@dataclass(frozen=True, slots=True)
class Job:
    """What to do: `install` makes the documents of targets that nobody has seen, without limits on requests."""

    standing: Standing
    kubeconfig: str
    configuration: str
    prometheus: str
    sweeps: int = 0
    install: bool = False
    quiet: float = 0.0
    core: int | None = None

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def installing(self, configuration: str) -> Job:
        """The same for the first start, with the idle targets alone."""
        return replace(self, configuration=configuration, install=True)

    def measuring(self, sweeps: int, quiet: float) -> Job:
        """The same for the start that is measured, on one core."""
        return replace(self, sweeps=sweeps, quiet=quiet, core=CORE)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read such a line."""
        found = json.loads(text)
        return cls(**{**found, "standing": Standing(**found["standing"])})


class RunClock:
    """A `Clock` whose time of day is the run's."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._now = standing.moment(0)

    def sweep(self, number: int) -> None:
        """It is time for this sweep."""
        self._now = self._standing.moment(number)

    def now(self) -> datetime:
        """The moment of the present sweep."""
        return self._now

    def monotonic(self) -> float:
        """The machine's."""
        return time.monotonic()


class RunPrometheus(PrometheusConnection):
    """Prometheus at the time of the run; it is asked for its own as always."""

    clock: RunClock

    def server_time(self) -> float:
        """The run's."""
        super().server_time()
        return self.clock.now().timestamp()


class Measured:
    """The daemon and the counters around it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.clock = RunClock(job.standing)
        self.tally = Tally()
        self.open = ExitStack()
        idle = frozenset(pair.name for pair in job.standing.pairs if not pair.in_release)
        self.transport = CountingTransport(find_access(Path(job.kubeconfig)), idle)
        unlimited = RequestLimits(requests=Rate(10_000.0, 10_000)) if job.install else RequestLimits()
        self.limits = unlimited
        self.api = KubeClient(self.transport, namespace=HOME, limits=unlimited)

    def start(self) -> dict[str, float]:
        """Make the daemon as `run` does, without its schedule; gives how long the parts took, in seconds."""
        began = time.monotonic()
        watch = ConfigWatch([Path(self.job.configuration)])
        read = time.monotonic()
        watched_namespaces = WatchedNamespaces(watch.current.targets)
        namespaces = watched_namespaces.namespaces
        wide = len(namespaces) > MANY_NAMESPACES and may_watch_cluster(self.api)
        cache = Cache(self.api, namespaces, cluster_wide=wide)
        cache.start()
        assert cache.wait_synced(SYNC_SECONDS), cache.problems()
        synced = time.monotonic()
        lease = LeaseElector(self.api, SystemClock(), LeaseAt(HOME))
        lease.start()
        self.open.callback(lease.stop)
        while lease.held() is None:
            time.sleep(0.05)
        leading = time.monotonic()
        self.daemon = self._assembled(watch, cache, lease, watched_namespaces)
        tune_gc()
        self.daemon.lead()
        parts = {"configuration": read - began, "lists": synced - read, "lease": leading - synced}
        return {**parts, "documents": time.monotonic() - leading}

    def _assembled(
        self, watch: ConfigWatch, cache: Cache, lease: LeaseElector, watched_namespaces: WatchedNamespaces
    ) -> Daemon:
        configuration = watch.current
        connection = RunPrometheus(configuration.prometheus.url, configuration.prometheus.timeout.total_seconds())
        connection.clock = self.clock
        delay = configuration.prometheus.delay
        source = PrometheusMetricSource(
            connection, configuration.prometheus.labels, None if delay is None else delay.total_seconds()
        )
        events = EventReporter(self.api, "benchmark")
        events.start()
        self.open.callback(events.stop)
        parts = Parts(
            store=ConfigMapStore(
                self.api, HOME, StoreContext(lease, self.clock, cache, watched_namespaces.namespace_of)
            ),
            workloads=Visiting(KubeWorkloads(self.api, cache, self.clock), watched_namespaces),
            clock=self.clock,
            lease=lease,
            executor=ThreadPoolExecutor(THREADS, thread_name_prefix="engine"),
            couriers=ThreadPoolExecutor(COURIERS, thread_name_prefix="courier"),
            surveyors=ThreadPoolExecutor(SURVEYORS, thread_name_prefix="surveyor"),
            status_of=status_of,
            history_entry=history_entry,
            reporters=(LogReporter(), OwnMetrics("benchmark"), events, self.tally),
            patience=patience(configuration),
        )

        def changed() -> Settings | None:
            assert watch.changed() is None
            return None

        return assemble(replace(settings_of(configuration), metrics=source), parts, changed)

    def sweep(self, number: int) -> dict[str, Any]:
        """One sweep and what else the daemon does in its 15 s."""
        self.clock.sweep(number)
        requests, ticks = self.transport.counts.copy(), self.tally.counts.copy()
        asked_before = told(self.job.prometheus)
        wall, cpu = _timed(lambda: self.daemon.sweep(EVERY))
        _, chores = _timed(self._chores)
        asked = _grown(self.transport.counts, requests)
        queries = {name: count - asked_before[name] for name, count in told(self.job.prometheus).items()}
        rest = asked.get("requests", 0) / self.limits.requests.per_second - wall
        return {
            "sweep": number,
            "seconds": wall,
            "cpu": cpu,
            "chores": chores,
            "rss": memory("VmRSS"),
            "requests": asked,
            "ticks": _grown(self.tally.counts, ticks),
            "load": os.getloadavg()[0],
            **queries,
            "pause": max(0.0, min(rest, INTERVAL - wall)),
        }

    def quiet(self, seconds: float) -> dict[str, Any]:
        """What goes on between sweeps."""
        requests = self.transport.counts.copy()
        _, cpu = _timed(lambda: time.sleep(seconds))
        return {"quiet": seconds, "cpu": cpu, "requests": _grown(self.transport.counts, requests)}

    def _chores(self) -> None:
        """The jobs that have an interval of their own, as often as 15 s have room for them."""
        for _ in range(15):
            self.daemon.lead()
            self.daemon.deliver()
        for _ in range(7):
            self.daemon.keep_moving()
        for _ in range(3):
            self.daemon.follow()


def memory(field: str) -> float:
    """MiB of this process: `VmRSS` now, `VmHWM` at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - cpu


def _grown(now: Counter[str], before: Counter[str]) -> dict[str, int]:
    return dict(now.copy() - before)


def main() -> None:
    """Do the job."""
    job = Job.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    every = range(os.cpu_count() or 1)
    os.sched_setaffinity(0, every if job.core is None else {job.core})
    configure(sys.stderr, logging.WARNING, json=True)
    measured = Measured(job)
    with measured.open:
        parts = measured.start()
        _say({"start": parts, "rss": memory("VmRSS"), "peak": memory("VmHWM")})
        if job.install:
            _install(measured)
        else:
            _run(measured)
        _say({"end": True, "peak": memory("VmHWM"), "errors": dict(measured.tally.errors.most_common(5))})
    sys.stdout.flush()
    os._exit(0)  # threads of watches would keep it for half a minute


def _install(measured: Measured) -> None:
    """Until nothing is left to be written: what is said at first sight is said otherwise later, some at a time."""
    standing = measured.job.standing
    for number in range(MOST_SWEEPS):
        found = measured.sweep(number - MOST_SWEEPS)
        _say(found)
        seen = found["ticks"].get("ticks", 0) == standing.targets - standing.in_release
        if number > 1 and seen and not found["requests"].get("writes"):
            return


def _run(measured: Measured) -> None:
    steady = False
    for number in range(1, measured.job.sweeps + 1):
        found = measured.sweep(number)
        # The sweeps come faster than in life: the allowance of requests is given the time to fill up again, and a
        # daemon that takes over has the whole time between two sweeps to catch up.
        steady = steady or is_whole(measured.job.standing, found)
        found["pause"] = found["pause"] if steady else max(0.0, INTERVAL - found["seconds"])
        _say(found)
        time.sleep(found["pause"])
    _say(measured.quiet(measured.job.quiet))


def _say(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
