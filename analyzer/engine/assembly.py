"""Puts the engine together from what it is given. `bootstrap` calls it with adapters, tests with fakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from analyzer.engine.admission import Admissions
from analyzer.engine.daemon import Daemon, Machinery, Settings
from analyzer.engine.evidence import EvidenceMemory
from analyzer.engine.fenced_epochs import FencedEpochs
from analyzer.engine.idle_cache import IdleCache
from analyzer.engine.outbox import Desk, Outbox
from analyzer.engine.publisher import EntryBuilder, Publisher, StatusBuilder
from analyzer.engine.release_checks import Preflights, Surveys
from analyzer.engine.schedule import Schedule
from analyzer.engine.state_cache import StateCache
from analyzer.engine.sweep import Sweeper
from analyzer.engine.target_locks import TargetLocks
from analyzer.engine.tick import Tick, TickContext
from analyzer.ports import Clock, Lease, ReleaseStore, Reporter, Workloads


@dataclass(frozen=True, slots=True)
class Parts:
    """What stays the same while the daemon runs.

    `executor` carries ticks and queries, `couriers` deliveries, `surveyors` what a release needs to know before it
    begins: neither a receiver nor a Prometheus that hangs may slow a tick down.
    `patience`: nobody waits longer than this for a slow target, query or receiver. `status_every`: a status whose
    phase did not change is written this often at most.
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
    state_cache, claims = StateCache(), TargetLocks()
    surveys = Surveys(parts.surveyors, parts.clock, settings.metrics, Preflights(parts.clock, settings.preflight))
    surroundings = TickContext(
        store=parts.store,
        workloads=parts.workloads,
        lease=parts.lease,
        clock=parts.clock,
        state_cache=state_cache,
        memory=EvidenceMemory(),
        fenced_epochs=FencedEpochs(),
        idle_cache=IdleCache(),
        admissions=Admissions(state_cache, surveys, settings.max_concurrent, freeze=settings.freeze),
        publisher=Publisher(
            parts.store, parts.status_of, parts.history_entry, tuple(parts.reporters), parts.status_every
        ),
    )
    desk = Desk(parts.store, parts.lease, parts.clock, state_cache, claims)
    machinery = Machinery(
        surroundings=surroundings,
        claims=claims,
        sweeper=Sweeper(
            lambda target: Tick(target, surroundings), settings.metrics, claims, parts.executor, parts.patience
        ),
        outbox=Outbox(desk, settings.flush, parts.couriers, parts.patience),
        executors=(parts.executor, parts.couriers, parts.surveyors),
        schedule=Schedule(),
    )
    return Daemon(settings, machinery, watch)
