"""The daemon's own metrics, as Prometheus reads them. Names and meanings are part of what the program promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, PlatformCollector, ProcessCollector

from analyzer.model.report import Report
from analyzer.telemetry.report import made

_PREFIX = "canary_analyzer"


class OwnMetrics:
    """A `Reporter` that counts ticks and transitions, and the daemon's other numbers. `registry` holds all of them."""

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info(f"{_PREFIX}_build", "Version of the running program.", registry=registry).info({"version": version})
        self._ticks = Counter(
            f"{_PREFIX}_ticks", "Ticks (one pass over one canary target), by result.", ["result"], registry=registry
        )
        self._transitions = Counter(
            f"{_PREFIX}_transitions",
            "Phase changes of canary targets, by the phase entered.",
            ["phase"],
            registry=registry,
        )
        self._configured = Gauge(f"{_PREFIX}_targets", "Canary targets in the configuration.", registry=registry)
        self._reloaded = Gauge(
            f"{_PREFIX}_config_last_reload_successful",
            "1 if the configuration on disk is in use, 0 if it was rejected and the previous one stays in use.",
            registry=registry,
        )
        self._reloaded_at = Gauge(
            f"{_PREFIX}_config_last_reload_success_timestamp_seconds",
            "Unix time at which the configuration in use was loaded.",
            registry=registry,
        )
        self._leading = Gauge(
            f"{_PREFIX}_leading",
            "1 if this daemon holds the leader lease and acts, 0 if it stands by.",
            registry=registry,
        )
        self._dropped = Counter(
            f"{_PREFIX}_events_dropped", "Kubernetes Events that were not written.", registry=registry
        )
        self._cache_age = Gauge(
            f"{_PREFIX}_cache_age_seconds",
            "Age of the oldest cache of cluster objects: seconds since it was confirmed. NaN until all are synced.",
            registry=registry,
        )
        self._cache_age.set(math.nan)
        for result in ("ok", "failed"):
            self._ticks.labels(result)

    def report(self, report: Report) -> None:
        """Count one tick."""
        self._ticks.labels("ok" if report.error is None else "failed").inc()
        for transition in made(report):
            self._transitions.labels(transition.after.value).inc()

    def accepted(self, targets: int, at: datetime) -> None:
        """This many targets are configured from now on."""
        self._configured.set(targets)
        self._reloaded.set(1)
        self._reloaded_at.set(at.timestamp())

    def refused(self) -> None:
        """The configuration on disk was rejected."""
        self._reloaded.set(0)

    def event_dropped(self) -> None:
        """One more Kubernetes Event was not written."""
        self._dropped.inc()

    def ask(self, leading: Callable[[], bool]) -> None:
        """Where to look when these are read."""
        self._leading.set_function(lambda: float(leading()))

    def follow(self, age: Callable[[], float | None]) -> None:
        """Where to look how old the view of the cluster is; None: it was not listed yet."""
        self._cache_age.set_function(lambda: math.nan if (seconds := age()) is None else seconds)
