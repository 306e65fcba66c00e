"""What a release must know is found out beside the ticks, once, and not again and again where nobody answers."""

from __future__ import annotations

from dataclasses import replace

from analyzer.engine.checks import ReleaseChecks
from analyzer.engine.target import NotReady, Ready, TargetRuntime
from analyzer.model.phase import Phase
from analyzer.model.state import TargetState
from tests.fakes.clock import START, FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.executor import HeldExecutor
from tests.fakes.metrics import FakeMetricSource, Traffic
from tests.fakes.preflight import FakePreflight
from tests.scenarios.stage import CANARY, DEMO_TARGET, STABLE


class Office:
    """The checks of one target whose stable side is healthy."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.cluster.create(STABLE, "v1", 10)
        self.cluster.create(CANARY, "v2", 0)
        self.metrics = FakeMetricSource(self.cluster, self.clock, Traffic())
        self.executor = HeldExecutor()
        self.checks = ReleaseChecks(self.executor, self.clock, self.metrics)
        self.runtime = TargetRuntime("shop")
        self.state = TargetState("shop", DEMO_TARGET.roles, Phase.PENDING, START, "test")

    def look(self) -> Ready | NotReady | None:
        snapshot = self.cluster.snapshot(DEMO_TARGET, DEMO_TARGET.roles)
        assert snapshot.stable is not None
        return self.checks.of(self.runtime, self.state, snapshot, snapshot.stable)

    def run(self, seconds: float) -> None:
        self.clock.advance(seconds)


def test_nobody_waits_for_a_survey() -> None:
    office = Office()
    assert office.look() is None
    assert office.look() is None
    assert office.executor.waiting == 1
    office.executor.open()
    assert isinstance(office.look(), Ready)


def test_survey_counts_for_a_minute() -> None:
    office = Office()
    office.executor.open()
    assert isinstance(office.look(), Ready)
    office.executor.close()
    office.run(59)
    assert isinstance(office.look(), Ready)
    office.run(1)
    office.look()
    assert office.executor.waiting == 1


def test_what_failed_is_remembered_and_tried_again_after_ever_longer_pauses() -> None:
    office = Office()
    office.executor.open()
    office.metrics.down = True
    tries = 0
    not_ready = office.look()
    assert isinstance(not_ready, NotReady)
    assert "connection refused" in not_ready.reason
    office.executor.close()
    pauses = []
    for second in range(1, 200):
        office.run(1)
        assert office.look() == not_ready
        if office.executor.waiting:
            pauses.append(second - tries)
            tries = second
            office.executor.open()
            office.executor.close()
    assert pauses == [1, 3, 5, 9, 17, 33, 61, 61]


def test_what_is_only_not_there_yet_is_looked_for_at_each_tick() -> None:
    office = Office()
    office.executor.open()
    office.metrics.unmeasurable = "waiting for two scrapes"
    assert office.look() == NotReady("waiting for two scrapes")
    office.metrics.unmeasurable = None
    office.run(1)
    assert isinstance(office.look(), Ready)


def test_reason_stays_in_sight_while_it_is_looked_at_again() -> None:
    office = Office()
    office.executor.open()
    office.metrics.unmeasurable = "waiting for two scrapes"
    office.look()
    office.executor.close()
    office.run(1)
    assert office.look() == NotReady("waiting for two scrapes")


def test_bug_makes_only_this_target_wait() -> None:
    office = Office()
    office.executor.open()
    office.metrics.measure = None  # type: ignore[assignment, method-assign]
    not_ready = office.look()
    assert isinstance(not_ready, NotReady)
    assert "a bug" in not_ready.reason


def test_bug_in_a_preflight_is_remembered_and_tried_again() -> None:
    office = Office()
    preflight = FakePreflight()
    preflight.fail_with = KeyError("labels")
    office.checks.use(office.metrics, preflight)
    office.executor.open()
    not_ready = office.look()
    assert isinstance(not_ready, NotReady)
    assert not_ready.failed
    assert "KeyError: 'labels' (a bug" in not_ready.reason
    preflight.fail_with = None
    office.run(2)
    assert isinstance(office.look(), Ready)


def test_another_version_is_surveyed_anew() -> None:
    office = Office()
    office.executor.open()
    office.look()
    office.executor.close()
    office.state = replace(office.state, since=office.clock.now().replace(year=2030))
    assert office.look() is None
    assert office.executor.waiting == 1


def test_target_that_waits_no_longer_is_not_surveyed() -> None:
    office = Office()
    office.look()
    office.runtime.drop_checks()
    office.metrics.unmeasurable = "must not be asked"
    office.executor.open()
    assert office.metrics.remembered == []
