"""Where only pods have to come or go nobody waits for the next sweep; where something must be proved everybody does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.model.errors import ActuationError
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.target import Target
from tests.fakes.interrupt import Interrupt, Reaper
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_TARGET, Stage

EVERY = 15
SLOW = replace(DEMO_TARGET, analysis=replace(DEMO_TARGET.analysis, interval=timedelta(seconds=EVERY)))
LONG = replace(SLOW, plan=replace(SLOW.plan, deadline=timedelta(hours=2)))


class SlowStage(Stage):
    """A daemon that sweeps every 15 seconds, and looks every other second at what moves unless it is `patient`."""

    def __init__(self, target: Target = LONG, *, patient: bool = False) -> None:
        self.patient = patient
        self.seconds = 0
        super().__init__(target, Traffic(rps=2000, seed=1))

    def look(self) -> Report:
        if self.seconds % EVERY == 0:
            self.daemon.sweep(timedelta(seconds=EVERY))
        elif self.seconds % 2 == 0 and not self.patient:
            self.daemon.keep_moving()
        self.daemon.deliver()
        return self.last

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.seconds += 1
            self.clock.advance(1)
            self.look()


def time_to_safe(stage: SlowStage) -> float:
    """Seconds from the decision to roll back until the canary serves nobody, from half of all pods."""
    stage.release("v2", errors=0.04)
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (5, 5), within=900)
    stage.run(EVERY)
    stage.metrics.traffic.error_rates = {"v2": 0.9}
    stage.run_to(Phase.ABORTED, within=900)
    release = stage.current
    assert release.aborted_at is not None
    assert release.safe_at is not None
    return (release.safe_at - release.aborted_at).total_seconds()


def test_rollback_does_not_wait_for_the_next_sweep() -> None:
    assert time_to_safe(SlowStage(patient=True)) >= 2 * EVERY
    assert time_to_safe(SlowStage()) <= 10


def test_good_release_is_promoted_in_less_time_and_by_the_same_moves() -> None:
    took = []
    moves = []
    for patient in (True, False):
        stage = SlowStage(patient=patient)
        stage.release("v2")
        took.append(stage.run_to(Phase.SUCCEEDED, within=2000))
        moves.append(stage.cluster.moves)
    assert took[1] < 0.8 * took[0]
    assert moves[0] == moves[1]


def test_prometheus_is_not_asked_between_sweeps() -> None:
    stage = SlowStage()
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING, within=60)
    while stage.seconds % EVERY:
        stage.run(1)
    asked = len(stage.metrics.asked)
    ticks = len(stage.notebook.reports)
    stage.run(EVERY - 1)
    assert len(stage.metrics.asked) == asked
    assert len(stage.notebook.reports) > ticks


def test_nothing_is_looked_at_between_sweeps_where_nothing_moves() -> None:
    stage = SlowStage()
    stage.run(EVERY)
    ticks = len(stage.notebook.reports)
    stage.run(EVERY - 1)
    assert len(stage.notebook.reports) == ticks


def test_promotion_goes_on_only_at_sweeps_while_the_old_version_serves() -> None:
    stage = SlowStage()
    stage.release("v2")
    stage.run_to(Phase.PROMOTING, within=900)
    while not stage.current.written and stage.phase is Phase.PROMOTING:
        before = len(stage.cluster.moves)
        stage.run(1)
        assert len(stage.cluster.moves) == before or stage.seconds % EVERY == 0


def test_failure_between_sweeps_holds_like_any_other() -> None:
    stage = SlowStage()
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING, within=60)
    stage.cluster.fail_with = ActuationError("the API server does not answer")
    stage.run(2 * EVERY)
    assert stage.phase is Phase.PROGRESSING
    stage.cluster.fail_with = None
    stage.run_to(Phase.SUCCEEDED, within=2000)


class KilledSlowStage(SlowStage):
    """Killed at one moment, and started at once."""

    def __init__(self, at: int | None) -> None:
        self.reaper = Reaper()
        self.kills = 0
        super().__init__()
        self.around_store = self.around_workloads = self.around_metrics = self.around_sink = self.reaper.around
        self.restart()
        self.reaper.moments, self.reaper.at = 0, at

    def look(self) -> Report:
        try:
            return super().look()
        except Interrupt:
            self.kills += 1
            self.restart()
            return super().look()

    def play(self) -> tuple[object, ...]:
        self.release("v2", 0.3)
        self.run_to(Phase.ABORTED, within=900)
        self.run(EVERY)
        assert self.current.cause is not None
        return self.current.cause.culprit, self.sides, frozenset(self.sink.ids), len(self.store.history("shop"))


@pytest.mark.parametrize("first", range(1, 5))
def test_killed_between_sweeps_gives_the_same_end_and_the_same_alerts(first: int) -> None:
    undisturbed = KilledSlowStage(at=None)
    expected = undisturbed.play()
    for at in range(first, undisturbed.reaper.moments, 23):
        stage = KilledSlowStage(at=at)
        assert stage.play() == expected, f"killed at moment {at}"
        assert stage.kills == 1
