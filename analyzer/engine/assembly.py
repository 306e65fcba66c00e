"""Puts the engine together. `bootstrap` calls it with adapters, tests with fakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from analyzer.engine.admission import Admissions
from analyzer.engine.checks import ReleaseChecks
from analyzer.engine.daemon import Daemon, Machinery, Settings
from analyzer.engine.outbox import Desk, Outbox
from analyzer.engine.publisher import EntryBuilder, Publisher, StatusBuilder
from analyzer.engine.schedule import Schedule
from analyzer.engine.sweep import Sweeper
from analyzer.engine.targets import Targets
from analyzer.engine.tick import Tick, TickContext
from analyzer.model.target import Target
from analyzer.ports import Clock, Lease, ReleaseStore, Reporter, Workloads


@dataclass(frozen=True, slots=True)
class Parts:
    """What stays the same while the daemon runs.

    `executor` runs ticks and queries, `couriers` deliveries of alerts, `surveyors` the checks of pending releases:
    neither a receiver nor a Prometheus that hangs may slow a tick down. `patience` is the longest wait for a slow
    target, query or receiver. `status_every`: a status whose phase did not change is written at most this often.
    """

    store: ReleaseStore
    workloads: Workloads
    clock: Clock
    lease: Lease
    executor: Executor
    couriers: Executor
    surveyors: Executor
    status_of: StatusBuilder
    history_entry: EntryBuilder
    reporters: Sequence[Reporter] = ()
    patience: timedelta = timedelta(seconds=15)
    status_every: timedelta = timedelta(seconds=15)


def assemble(settings: Settings, parts: Parts, watch: Callable[[], Settings | None] | None = None) -> Daemon:
    """A daemon that is ready to `start`."""
    targets = Targets()
    checks = ReleaseChecks(parts.surveyors, parts.clock, settings.metrics, settings.preflight)
    tick_context = TickContext(
        store=parts.store,
        workloads=parts.workloads,
        lease=parts.lease,
        clock=parts.clock,
        admissions=Admissions(targets, checks, settings.max_concurrent, freeze=settings.freeze),
        publisher=Publisher(
            parts.store, parts.status_of, parts.history_entry, tuple(parts.reporters), parts.status_every
        ),
    )
    desk = Desk(parts.store, parts.lease, parts.clock, targets)

    def begin(target: Target) -> Tick:
        return Tick(target, targets.of(target.name), tick_context)

    machinery = Machinery(
        tick_context=tick_context,
        targets=targets,
        sweeper=Sweeper(begin, settings.metrics, targets, parts.executor, parts.patience),
        outbox=Outbox(desk, settings.flush, parts.couriers, parts.patience),
        executors=(parts.executor, parts.couriers, parts.surveyors),
        schedule=Schedule(),
    )
    return Daemon(settings, machinery, watch)
