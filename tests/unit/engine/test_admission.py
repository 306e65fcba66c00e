"""Slots go to the oldest pending release that could begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.config.plan import PlanKeys
from analyzer.engine.admission import Admissions
from analyzer.engine.checks import MEASURING, ReleaseChecks
from analyzer.engine.targets import Targets
from analyzer.model.block import Timing
from analyzer.model.metric import NoiseSetting
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, Step
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Admission, Snapshot
from tests.fakes.clock import START, FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.executor import HeldExecutor
from tests.fakes.metrics import FakeMetricSource, Traffic
from tests.scenarios.stage import CANARY, DEMO_TARGET, STABLE, with_plan


class Office:
    """Admissions over one healthy pair of Deployments that every target shares."""

    def __init__(self, limit: int, *, freeze: bool = False, pods: int = 10) -> None:
        clock = FakeClock()
        self.cluster = FakeCluster(clock)
        self.cluster.create(STABLE, "v1", pods)
        self.cluster.create(CANARY, "v2", 0)
        self.metrics = FakeMetricSource(self.cluster, clock, Traffic())
        self.targets = Targets()
        self.surveyors = HeldExecutor()
        self.surveyors.open()
        self.checks = ReleaseChecks(self.surveyors, clock, self.metrics)
        self.admissions = Admissions(self.targets, self.checks, limit, freeze=freeze)

    def state(self, name: str, phase: Phase = Phase.PENDING, age: int = 0) -> TargetState:
        state = TargetState(name, DEMO_TARGET.roles, phase, START - timedelta(seconds=age), "test")
        self.targets.of(name).state = state
        return state

    def snapshot(self, target: Target = DEMO_TARGET) -> Snapshot:
        return self.cluster.snapshot(target, target.roles)

    def obstacle(self, state: TargetState) -> str | None:
        return self.admit(state, self.snapshot()).obstacle

    def admit(self, state: TargetState, snapshot: Snapshot) -> Admission:
        return self.admissions.admit(self.targets.of(state.target), state, snapshot)

    def settle(self, name: str) -> None:
        self.admissions.settle(self.targets.of(name))


def test_gives_the_measured_timing_with_the_slot() -> None:
    office = Office(limit=1)
    admission = office.admit(office.state("a"), office.snapshot())
    assert admission.obstacle is None
    assert admission.timing == Timing(block=2, slot=1, delay=2)


def test_release_in_progress_holds_its_slot() -> None:
    office = Office(limit=1)
    office.state("busy", Phase.BAKING)
    assert "1 of 1 releases in progress (limits.maxConcurrent)" in (office.obstacle(office.state("a")) or "")


def test_oldest_pending_release_goes_first() -> None:
    office = Office(limit=2)
    office.state("busy", Phase.PROGRESSING)
    young, old = office.state("young", age=1), office.state("old", age=9)
    assert office.obstacle(young) is None  # nobody has seen the old one yet
    office.settle("young")
    assert office.obstacle(old) is None
    assert "waiting for a slot" in (office.obstacle(young) or "")


def test_slot_is_not_given_twice_before_the_state_tells() -> None:
    office = Office(limit=1)
    assert office.obstacle(office.state("young", age=1)) is None
    assert office.obstacle(office.state("old", age=9)) is not None


def test_release_that_can_not_begin_lets_younger_ones_pass() -> None:
    office = Office(limit=1)
    old, young = office.state("old", age=9), office.state("young", age=1)
    office.metrics.unmeasurable = "waiting for two scrapes"
    assert office.obstacle(old) == "waiting for two scrapes"
    office.metrics.unmeasurable = None
    assert office.obstacle(young) is None


def test_target_that_was_removed_from_the_configuration_keeps_no_place() -> None:
    office = Office(limit=1)
    office.state("busy", Phase.PROGRESSING)
    assert office.obstacle(office.state("removed", age=9)) is not None
    office.settle("removed")
    office.targets.of("removed").state = None
    office.state("busy", Phase.SUCCEEDED)
    assert office.obstacle(office.state("young", age=1)) is None


def test_noise_is_found_out_once_for_a_waiting_release_and_anew_for_the_next() -> None:
    office = Office(limit=1)
    target = replace(DEMO_TARGET, name="a", analysis=replace(DEMO_TARGET.analysis, noise=NoiseSetting()))
    waiting, snapshot = office.state("a"), office.snapshot(target)
    first = office.admit(waiting, snapshot)
    office.settle("a")
    assert office.admit(waiting, snapshot).noise == first.noise
    assert "nothing was recorded" in first.noise["errors"].source
    assert len(office.metrics.remembered) == 1
    office.state("a", Phase.IDLE)
    office.settle("a")
    office.admit(office.state("a"), snapshot)
    assert len(office.metrics.remembered) == 2


def test_release_keeps_its_place_while_it_is_surveyed() -> None:
    office = Office(limit=1)
    office.surveyors.close()
    old, young = office.state("old", age=9), office.state("young", age=1)
    assert office.obstacle(old) == MEASURING
    assert "waiting for a slot" in (office.obstacle(young) or "")
    office.surveyors.open()
    assert office.obstacle(old) is None


def test_prometheus_out_of_reach_is_an_obstacle() -> None:
    office = Office(limit=1)
    office.metrics.down = True
    assert "connection refused" in (office.obstacle(office.state("a")) or "")


def test_freeze_shows_in_every_phase() -> None:
    office = Office(limit=9, freeze=True)
    for phase in (Phase.PENDING, Phase.PROGRESSING, Phase.BAKING):
        assert office.admit(office.state("a", phase), office.snapshot()).frozen


def test_warns_of_a_weight_that_the_replicas_can_not_express() -> None:
    office = Office(limit=9)
    target = replace(with_plan(steps=(Step(1, timedelta(0)), Step(30, timedelta(0)))), name="a")
    warnings = office.admit(office.state("a"), office.snapshot(target)).warnings
    assert warnings == ("with 10 stable pods the steps 1 %, 30 % come to 10 %, 30 %",)


@pytest.mark.parametrize("pods", range(1, 13))
def test_default_plan_is_admitted_with_any_number_of_pods(pods: int) -> None:
    office = Office(limit=9, pods=pods)
    target = replace(with_plan(steps=PlanKeys().plan().steps), name="a")
    assert office.admit(office.state("a"), office.snapshot(target)).obstacle is None


def test_release_beyond_its_own_weight_tolerance_waits_and_lets_younger_ones_pass() -> None:
    office = Office(limit=1)
    steps = (Step(1, timedelta(0)), Step(30, timedelta(0)))
    strict = replace(with_plan(steps=steps, weight_tolerance=5.0), name="old")
    old, young = office.state("old", age=9), office.state("young", age=1)
    obstacle = office.admit(old, office.snapshot(strict)).obstacle or ""
    assert "1 % would be 10 % (1 of 10 pods)" in obstacle
    assert "nearest weights (10, 30)" in obstacle
    assert office.obstacle(young) is None


def test_target_that_is_only_observed_has_no_steps_to_refuse() -> None:
    office = Office(limit=9)
    strict = with_plan(steps=(Step(1, timedelta(0)),), weight_tolerance=0.0)
    observed = replace(strict, name="a", mode=Mode.OBSERVE)
    admission = office.admit(office.state("a"), office.snapshot(observed))
    assert (admission.obstacle, admission.warnings) == (None, ())
