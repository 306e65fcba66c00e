"""The daemon on a cluster: the API server's adapters around the engine, started and stopped in the right order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import structlog

from analyzer.actuation.lease import LeaseAt, LeaseElector
from analyzer.actuation.preflight import ClusterPreflight
from analyzer.actuation.workloads import KubeWorkloads
from analyzer.bootstrap.daemon import World, daemon, patience
from analyzer.bootstrap.gc_tuning import tune_gc
from analyzer.bootstrap.rbac_check import check_rbac
from analyzer.bootstrap.settings import PreflightMaker, settings_of
from analyzer.bootstrap.watched_namespaces import Visiting, WatchedNamespaces
from analyzer.config import Configuration, ConfigWatch
from analyzer.engine.clock import SystemClock
from analyzer.engine.daemon import Settings
from analyzer.kube.cache import Cache, may_watch_cluster
from analyzer.kube.objects import Api
from analyzer.model.errors import ConfigError
from analyzer.record.configmaps import ConfigMapStore
from analyzer.record.configmaps.store import StoreContext
from analyzer.telemetry import EventReporter, LogReporter, OwnMetrics
from analyzer.web import Health, ProbeServer

MANY_NAMESPACES = 20
"""From here on whole kinds are watched over all namespaces, where that is allowed: fewer connections."""

MANY_WATCHES = 100
"""Namespaces from which on single watches are worth a warning: five connections each."""

LONGEST_SYNC = 30.0
"""Seconds that a start waits for the first lists. Targets that were not listed by then hold, and say why."""

FORGIVING_SYNC = 5.0
"""The same where something cannot be listed at all: one namespace without permission must not hold up the others."""

_SYNC_LOOK = 0.2
_SYNC_HINT = "targets in these namespaces hold until their objects can be listed; check RBAC and the API server"
_ELECTION_SLACK = timedelta(seconds=60)
_LATE = 3
"""A sweep waits at most so many times for one slow thing; later than that it hangs."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Where the daemon keeps its documents, who it is there, and the address to answer probes on (None: nowhere)."""

    at: LeaseAt
    listen: tuple[str, int] | None = None
    version: str = ""


class ClusterDaemon:
    """One daemon on one cluster. `watch` is the configuration in files."""

    def __init__(self, api: Api, watch: ConfigWatch, options: ClusterOptions) -> None:
        """Makes no request. Raises ConfigError when the address cannot be used."""
        configuration = watch.current
        self._api = api
        self._watch = watch
        self._at = options.at
        self._clock = SystemClock()
        self._synced = False
        self._open = ExitStack()
        self._watched_namespaces = WatchedNamespaces(configuration.targets)
        self._meters = OwnMetrics(options.version)
        self._lease = LeaseElector(api, self._clock, options.at)
        self._events = EventReporter(api, options.at.identity, self._meters.event_dropped)
        self._meters.ask(lambda: self._lease.held() is not None)
        self._slack = _LATE * patience(configuration)
        self._hanging: Callable[[timedelta], tuple[str, ...]] = lambda _: ()
        self._probes = self._probe_server(options.listen)
        self._use(configuration)

    @property
    def port(self) -> int | None:
        """Where probes are answered."""
        return self._probes.port if self._probes else None

    def start(self, stopping: threading.Event) -> None:
        """Begin, unless `stopping` is set meanwhile. After an error, `stop` cleans up.

        Raises KubeError when the cluster cannot be worked with at all, ConfigError when a secret's file cannot be read.
        """
        if self._probes:
            self._probes.start()
        check_rbac(self._api, self._at.namespace)
        cache = self._started_cache()
        self._await_sync(cache, stopping)
        if stopping.is_set():
            return
        world = self._world(cache)
        engine = daemon(self._watch.current, world, lambda: self._changed(world.preflight))
        self._events.start()
        self._open.callback(self._events.stop)
        self._lease.start()
        self._open.callback(self._lease.stop)
        tune_gc()
        engine.start()
        self._open.callback(engine.stop)
        self._hanging = engine.overdue

    def stop(self) -> None:
        """End cleanly, in the reverse order: ticks finish, the Lease is given back, Events are written."""
        self._open.close()

    def _started_cache(self) -> Cache:
        namespaces = self._watched_namespaces.namespaces
        wide = len(namespaces) > MANY_NAMESPACES and may_watch_cluster(self._api)
        if len(namespaces) > MANY_WATCHES and not wide:
            _log.warning(
                "watches_not_cluster_wide",
                namespaces=len(namespaces),
                hint="allow list and watch in all namespaces (ClusterRole): one watch per kind instead of one per "
                "kind and namespace",
            )
        cache = Cache(self._api, namespaces, cluster_wide=wide)
        self._meters.follow(cache.age)
        self._watched_namespaces.tell(cache.follow)
        cache.start()
        self._open.callback(cache.stop)
        return cache

    def _await_sync(self, cache: Cache, stopping: threading.Event) -> None:
        began = time.monotonic()
        while not cache.wait_synced(_SYNC_LOOK):
            if stopping.is_set():
                return
            problems = list(cache.problems())
            if time.monotonic() - began > (FORGIVING_SYNC if problems else LONGEST_SYNC):
                _log.warning("caches_not_synced", problems=problems, hint=_SYNC_HINT)
                break
        self._synced = True

    def _world(self, cache: Cache) -> World:
        around = StoreContext(self._lease, self._clock, cache, self._watched_namespaces.namespace_of)
        return World(
            workloads=Visiting(KubeWorkloads(self._api, cache, self._clock), self._watched_namespaces),
            store=ConfigMapStore(self._api, self._at.namespace, around),
            lease=self._lease,
            preflight=lambda sightings: ClusterPreflight(self._api, cache, sightings, self._clock),
            reporters=(LogReporter(), self._meters, self._events),
        )

    def _changed(self, preflight: PreflightMaker | None) -> Settings | None:
        """What the engine is to follow from now on, if the files have changed. Raises ConfigError."""
        try:
            configuration = self._watch.changed()
            settings = None if configuration is None else settings_of(configuration, preflight)
        except ConfigError:
            self._meters.refused()
            raise
        if configuration is not None:
            self._watched_namespaces.configure(configuration.targets)
            self._use(configuration)
        return settings

    def _use(self, configuration: Configuration) -> None:
        for warning in configuration.warnings:
            _log.warning("config_deprecated", reason=str(warning), hint="it is accepted by this version")
        self._meters.accepted(len(configuration.targets), self._clock.now())

    def _probe_server(self, listen: tuple[str, int] | None) -> ProbeServer | None:
        if listen is None:
            return None
        health = Health(
            hanging=lambda: (
                *(f"{job} hangs" for job in self._hanging(self._slack)),
                *(f"{job} hangs" for job in self._lease.overdue(_ELECTION_SLACK)),
            ),
            unready=lambda: () if self._synced else ("waiting for the first list of cluster objects",),
        )
        server = ProbeServer(listen, health, self._meters.registry)
        self._open.callback(server.stop)
        return server
