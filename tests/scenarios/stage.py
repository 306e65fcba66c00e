"""The whole engine on fakes and in fake time, with words to tell a scenario in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from analyzer import alerting
from analyzer.engine.assembly import Parts, assemble
from analyzer.engine.daemon import Daemon, Settings
from analyzer.model.metric import Analysis, NoiseSetting, RatioMetric
from analyzer.model.phase import Phase
from analyzer.model.plan import Plan, Step
from analyzer.model.report import Report
from analyzer.model.state import Command, OutboxEntry, Release, TargetState, Verb
from analyzer.model.target import Roles, Target
from analyzer.ports import Measurements, Preflight, Workloads
from analyzer.ports import ReleaseStore as Store
from analyzer.record import history_entry, status_of
from analyzer.record.codec import decode_status
from analyzer.record.explanation import explain
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.executor import InlineExecutor
from tests.fakes.lease import FakeLease
from tests.fakes.metrics import FakeMetricSource, Traffic
from tests.fakes.reporter import Notebook
from tests.fakes.sinks import MemorySink
from tests.fakes.store import MemoryStore
from tests.plain_words import prose_of

SECOND = timedelta(seconds=1)
STABLE, CANARY = "shop-stable", "shop-canary"

ERRORS = RatioMetric("errors", 'http_requests_total{code=~"5.."}', "http_requests_total")

DEMO_PLAN = Plan(
    steps=tuple(Step(weight, timedelta(seconds=3)) for weight in (10, 25, 50)),
    bake=timedelta(seconds=5),
    deadline=timedelta(minutes=5),
    ready_within=timedelta(seconds=20),
)
DEMO_NOISE = NoiseSetting(dispersion=1.0, pod_spread=0.0)  # by construction: the fake's requests are independent
DEMO_ANALYSIS = Analysis(metrics=(ERRORS,), interval=SECOND, warmup=timedelta(seconds=2), noise=DEMO_NOISE)
DEMO_TARGET = Target("shop", "default", Roles(STABLE, CANARY), DEMO_PLAN, DEMO_ANALYSIS)


class Stage:
    """Ten pods of v1 serve, the daemon has seen them; `release` brings a new version."""

    preflight: Preflight | None = None
    opened: ClassVar[list[Stage]] = []
    """The stages of this test; `conftest` reads what they told."""

    def __init__(self, target: Target = DEMO_TARGET, traffic: Traffic | None = None, replicas: int = 10) -> None:
        self.opened.append(self)
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.store = MemoryStore()
        self.lease = FakeLease()
        self.sink = MemorySink()
        self.metrics = FakeMetricSource(self.cluster, self.clock, traffic or Traffic())
        self.notebook = Notebook()
        self.target = target
        self.surveyors: Executor = InlineExecutor()
        self.max_concurrent = 20
        self.freeze = False
        self.cluster.create(STABLE, "v1", replicas)
        self.cluster.create(CANARY, "v1", 0)
        self.around_store: Callable[[Store], Store] = lambda store: store
        self.around_workloads: Callable[[Workloads], Workloads] = lambda workloads: workloads
        self.around_metrics: Callable[[Measurements], Measurements] = lambda metrics: metrics
        self.around_sink: Callable[[MemorySink], MemorySink] = lambda sink: sink
        self.daemon = self._new_daemon()
        self.look()

    # What happens

    def look(self) -> Report:
        """One sweep and one delivery, now."""
        self.daemon.sweep(self.target.analysis.interval)
        self.daemon.deliver()
        return self.last

    def run(self, seconds: float) -> None:
        """Let time pass, looking every second."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            self.look()

    def run_until(self, reached: Callable[[], bool], within: float) -> float:
        """Let time pass until something is so; gives how many seconds that took."""
        start = self.clock.now()
        while not reached():
            took = (self.clock.now() - start).total_seconds()
            assert took < within, f"still {self.phase} after {took:g} s: {self.last.decision.reason}"
            self.run(1)
        return (self.clock.now() - start).total_seconds()

    def run_to(self, *phases: Phase, within: float = 300) -> float:
        """Let time pass until one of these phases."""
        return self.run_until(lambda: self.phase in phases, within)

    def release(self, version: str = "v2", errors: float = 0.04) -> None:
        """A user puts another version into the canary's template."""
        self.metrics.traffic.error_rates = {**self.metrics.traffic.error_rates, version: errors}
        self.cluster.deploy(CANARY, version)

    def operator(self, verb: Verb, extend: timedelta | None = None) -> None:
        """An operator writes a command for the release in progress."""
        number = len(self.store.commands("shop")) + 1
        command = Command(f"c{number}", verb, self.current.id, "ann", self.clock.now(), extend)
        self.store.submit("shop", command)

    def restart(self) -> None:
        """The daemon is killed and started again: all that it had in memory is lost."""
        self.daemon = self._new_daemon()

    def reconfigure(self, *targets: Target) -> None:
        """The configuration changes."""
        self.daemon.reload(self.settings(targets))

    def settings(self, targets: tuple[Target, ...]) -> Settings:
        """What the daemon follows."""
        router = alerting.Router((), (self.around_sink(self.sink),))

        def flush(entries: tuple[OutboxEntry, ...], now: datetime) -> tuple[OutboxEntry, ...]:
            return alerting.flush(entries, router, now, lambda: 1.0)

        metrics = self.around_metrics(self.metrics)
        return Settings(targets, metrics, flush, self.max_concurrent, self.freeze, self.preflight)

    # What is seen

    @property
    def state(self) -> TargetState:
        stored = self.store.load("shop")
        assert stored is not None
        return stored.state

    @property
    def current(self) -> Release:
        assert self.state.release is not None
        return self.state.release

    @property
    def phase(self) -> Phase:
        return self.state.phase

    @property
    def last(self) -> Report:
        return self.notebook.reports[-1]

    @property
    def phases(self) -> list[Phase]:
        """Phases in the order in which they were entered."""
        return [change.after for report in self.notebook.reports for change in report.decision.transitions]

    @property
    def sides(self) -> tuple[int, int]:
        """Replicas that stable and canary ask for."""
        return self.cluster.replicas(STABLE), self.cluster.replicas(CANARY)

    def texts(self) -> Iterator[str]:
        """All that people could read: reasons, notes, alerts, statuses, `why` and the history."""
        for report in self.notebook.reports:
            yield from (report.decision.reason, report.error or "", *report.decision.notes)
            yield from (change.reason for change in report.decision.transitions)
        for alert in self.sink.alerts:
            yield from (alert.summary, *prose_of(alert.details))
        for target in {report.target.name for report in self.notebook.reports}:
            status = self.store.status(target)
            yield from prose_of(self.store.history(target))
            if status is not None:
                yield from prose_of(status)
                yield explain(decode_status(status, "the store"), now=self.clock.now())

    def alerts(self, event: str) -> list[str]:
        """Ids of the alerts of one event that were delivered."""
        return [alert.id for alert in self.sink.alerts if alert.event == event]

    @property
    def parts(self) -> Parts:
        """What the daemon is made of."""
        return Parts(
            store=self.around_store(self.store),
            workloads=self.around_workloads(self.cluster),
            clock=self.clock,
            lease=self.lease,
            executor=InlineExecutor(),
            couriers=InlineExecutor(),
            surveyors=self.surveyors,
            status_of=status_of,
            history_entry=history_entry,
            reporters=(self.notebook,),
        )

    def _new_daemon(self) -> Daemon:
        return assemble(self.settings((self.target,)), self.parts)


def with_plan(**changes: object) -> Target:
    """The demo's target with another plan."""
    return replace(DEMO_TARGET, plan=replace(DEMO_PLAN, **changes))  # type: ignore[arg-type]


def with_metrics(*metrics: object) -> Target:
    """The demo's target with other metrics."""
    return replace(DEMO_TARGET, analysis=replace(DEMO_ANALYSIS, metrics=metrics))  # type: ignore[arg-type]
