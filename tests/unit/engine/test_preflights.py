"""What a preflight finds stops one target, is shown, and is not looked for again at every tick."""

from __future__ import annotations

from dataclasses import replace

from analyzer.engine.preflights import TRIED_AGAIN, recent_preflight
from analyzer.engine.target import REMEMBERED, Checks, PreflightOutcome
from analyzer.kube.errors import UnavailableError
from analyzer.model.finding import Finding, FindingLevel
from analyzer.model.phase import Phase
from analyzer.model.state import TargetState
from analyzer.model.workload import Snapshot
from tests.fakes.clock import START, FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.metrics import Traffic
from tests.fakes.preflight import FakePreflight
from tests.scenarios.stage import CANARY, DEMO_TARGET, STABLE, Stage

HPA = Finding("autoscaler", FindingLevel.ERROR, "an autoscaler scales shop-stable", "use surge")
QUOTA = Finding("quota", FindingLevel.ERROR, "no room", "raise it")
PROBE = Finding("readiness-probe", FindingLevel.WARNING, "no readiness probe", "add one")
WAITING = TargetState("shop", DEMO_TARGET.roles, Phase.PENDING, START, "new version")


class Counter:
    """A preflight and what is kept of it, on one clock."""

    def __init__(self, *findings: Finding) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.cluster.create(STABLE, "v1", 2)
        self.cluster.create(CANARY, "v2", 0)
        self.preflight = FakePreflight(*findings)
        self.checks = Checks(about=None)

    def outcome(self, snapshot: Snapshot | None = None) -> PreflightOutcome:
        return recent_preflight(self.preflight, self.clock, self.checks, WAITING, snapshot or self.snapshot())

    def snapshot(self) -> Snapshot:
        return self.cluster.snapshot(DEMO_TARGET, DEMO_TARGET.roles)

    @property
    def times(self) -> int:
        return self.preflight.times.get("shop", 0)


def test_errors_are_the_obstacle_and_warnings_are_shown() -> None:
    outcome = Counter(PROBE, HPA, QUOTA).outcome()
    assert outcome.obstacle == (
        "preflight failed: autoscaler: an autoscaler scales shop-stable; use surge | quota: no room; raise it"
    )
    assert outcome.warnings == ("readiness-probe: no readiness probe; add one",)


def test_findings_are_remembered_for_a_minute() -> None:
    counter = Counter(HPA)
    for _ in range(int(REMEMBERED)):
        counter.outcome()
        counter.clock.advance(1)
    assert counter.times == 1
    counter.preflight.findings = ()
    assert counter.outcome().obstacle is None
    assert counter.times == 2


def test_another_version_or_another_plan_is_looked_at_anew() -> None:
    counter = Counter(HPA)
    counter.outcome()
    counter.cluster.deploy(CANARY, "v3")
    counter.outcome()
    assert counter.times == 2
    counter.outcome(replace(counter.snapshot(), target=replace(DEMO_TARGET, service="shop")))
    assert counter.times == 3


def test_a_preflight_without_an_answer_is_an_obstacle_and_soon_made_again() -> None:
    counter = Counter()
    counter.preflight.fail_with = UnavailableError("the API server can't be reached")
    outcome = counter.outcome()
    assert outcome.obstacle == "preflight could not run: the API server can't be reached"
    counter.preflight.fail_with = None
    counter.clock.advance(TRIED_AGAIN)
    assert counter.outcome().obstacle is None


def test_another_preflight_and_the_next_pending_release_are_checked_again() -> None:
    counter = Counter(HPA)
    counter.outcome()
    counter.checks = Checks(about=None)
    counter.outcome()
    assert counter.times == 2
    counter.preflight = FakePreflight()
    assert counter.outcome().obstacle is None


def test_without_a_preflight_nothing_is_checked() -> None:
    counter = Counter(HPA)
    snapshot = counter.snapshot()
    assert recent_preflight(None, counter.clock, counter.checks, WAITING, snapshot) == PreflightOutcome()


class CheckedStage(Stage):
    """A stage whose daemon makes a preflight."""

    def __init__(self, *findings: Finding) -> None:
        self.asked = self.preflight = FakePreflight(*findings)
        super().__init__(traffic=Traffic(seed=1))


def test_a_release_waits_for_its_preflight_and_keeps_its_warnings() -> None:
    stage = CheckedStage(HPA, PROBE)
    stage.release("v2")
    stage.run(150)
    assert stage.phase is Phase.PENDING
    assert "an autoscaler scales shop-stable; use surge" in stage.last.decision.reason
    status = stage.store.status("shop")
    assert status is not None
    assert status["warnings"] == [str(PROBE)]
    assert 3 <= stage.asked.times["shop"] <= 4
    stage.asked.findings = (PROBE,)
    stage.run_to(Phase.PROGRESSING, within=REMEMBERED + 5)
    assert str(PROBE) in stage.state.warnings
    stage.run_to(Phase.SUCCEEDED)


def test_nothing_is_checked_while_idle_and_in_a_release() -> None:
    stage = CheckedStage()
    stage.run(30)
    assert stage.asked.times == {}
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    assert stage.asked.times == {"shop": 1}
