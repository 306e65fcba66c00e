"""Puts a daemon together from a configuration and the world that it works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from analyzer.bootstrap.settings import PreflightMaker, settings_of
from analyzer.config import Configuration
from analyzer.engine.assembly import Parts, assemble
from analyzer.engine.clock import SystemClock
from analyzer.engine.daemon import Daemon, Settings
from analyzer.engine.lease import SoleHolder
from analyzer.ports import Lease, ReleaseStore, Reporter, Workloads
from analyzer.record import history_entry, status_of

THREADS = 16
"""Ticks and queries that may run at once."""

COURIERS = 4
"""Targets whose alerts may be on their way at once."""

SURVEYORS = 4
"""Releases that may be prepared at once."""

_SLACK = timedelta(seconds=5)
"""A query that times out is seen to do so before the sweep stops waiting for it."""


@dataclass(frozen=True, slots=True)
class World:
    """What a daemon works on, and who hears of it.

    `lease`: without one it is the only daemon there is. `preflight`: without one nothing is checked before a release.
    A status is written at once when the phase changes and else at most every `status_every`.
    """

    workloads: Workloads
    store: ReleaseStore
    lease: Lease = field(default_factory=SoleHolder)
    preflight: PreflightMaker | None = None
    reporters: Sequence[Reporter] = ()
    status_every: timedelta = timedelta(seconds=15)


def daemon(configuration: Configuration, world: World, watch: Callable[[], Settings | None] | None = None) -> Daemon:
    """A daemon that is ready to `start`.

    `watch` gives changed settings, None without a change, or raises ConfigError. Raises ConfigError when a secret's
    file cannot be read.
    """
    parts = Parts(
        store=world.store,
        workloads=world.workloads,
        clock=SystemClock(),
        lease=world.lease,
        executor=ThreadPoolExecutor(THREADS, thread_name_prefix="engine"),
        couriers=ThreadPoolExecutor(COURIERS, thread_name_prefix="courier"),
        surveyors=ThreadPoolExecutor(SURVEYORS, thread_name_prefix="surveyor"),
        status_of=status_of,
        history_entry=history_entry,
        reporters=world.reporters,
        patience=patience(configuration),
        status_every=world.status_every,
    )
    return assemble(settings_of(configuration, world.preflight), parts, watch)


def patience(configuration: Configuration) -> timedelta:
    """How long a sweep waits for one slow thing."""
    return configuration.prometheus.timeout + _SLACK
