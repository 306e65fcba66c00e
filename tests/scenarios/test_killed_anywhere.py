"""Kill the daemon between any two lines of the tick and start it again: same end, same evidence, same alerts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import Step
from analyzer.release.evidence import KeptEvidence, folded, keep, look
from tests.fakes.interrupt import Interrupt, Reaper
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_TARGET, Stage

QUICK = replace(
    DEMO_TARGET,
    plan=replace(
        DEMO_TARGET.plan,
        steps=(Step(25, timedelta(0)), Step(50, timedelta(0))),
        bake=timedelta(seconds=2),
    ),
)
BUSY = 4000.0
"""Requests per second: so many that a release is decided within seconds, and every moment of it can be tried."""


@dataclass(frozen=True)
class End:
    """All that must not depend on when the daemon was killed."""

    phase: Phase
    culprit: str | None
    sides: tuple[int, int]
    moves: tuple[str, ...]
    alerts: frozenset[str]
    history: tuple[str, ...]
    executed: int


class KilledStage(Stage):
    """A stage whose daemon is killed at one moment, or again and again, and started at once."""

    def __init__(self, at: int | None = None, every: int | None = None) -> None:
        self.reaper = Reaper()
        self.every = every
        self.kills = 0
        self._dead = False
        super().__init__(QUICK, Traffic(rps=BUSY, seed=7))
        self.around_store = self.around_workloads = self.around_metrics = self.around_sink = self.reaper.around
        self.restart()
        self.reaper.moments, self.reaper.at = 0, at

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.clock.advance(1)
            while not self._survived():
                self.kills += 1
                if self.every is not None:
                    self.reaper.at = self.reaper.moments + self.every

    def _survived(self) -> bool:
        try:
            if self._dead:
                self.restart()
            self.look()
        except Interrupt:
            self._dead = True
            return False
        self._dead = False
        return True

    def play(self, errors: float) -> End:
        self.release("v2", errors)
        self.run_to(Phase.SUCCEEDED, Phase.ABORTED, within=120)
        self.run(5)
        return End(
            phase=self.phase,
            culprit=None if self.current.cause is None else self.current.cause.culprit,
            sides=self.sides,
            moves=tuple(self.cluster.moves),
            alerts=frozenset(self.sink.ids),
            history=tuple(entry["result"] for entry in self.store.history("shop")),
            executed=len(self.state.executed),
        )


@pytest.mark.parametrize(("errors", "phase"), [(0.04, Phase.SUCCEEDED), (0.12, Phase.ABORTED)])
def test_killed_at_every_moment_in_turn_gives_the_same_end(errors: float, phase: Phase) -> None:
    undisturbed = KilledStage()
    expected = undisturbed.play(errors)
    assert expected.phase is phase
    # A prime stride visits every place in the tick over the whole release, and each run begins at another moment.
    stride = 53
    for first in range(1, stride + 1, 4):
        stage = KilledStage(at=first, every=stride)
        found = stage.play(errors)
        assert stage.kills > 3
        assert _shape(found) == _shape(expected)


@pytest.mark.parametrize(("errors", "step"), [(0.04, 11), (0.12, 2)])
def test_killed_once_at_any_moment_gives_the_same_end_and_the_same_alerts(errors: float, step: int) -> None:
    undisturbed = KilledStage()
    expected = undisturbed.play(errors)
    for at in range(1, undisturbed.reaper.moments, step):
        stage = KilledStage(at=at)
        assert stage.play(errors) == expected, f"killed at moment {at}"
        assert stage.kills == 1


def test_restarted_daemon_has_the_same_evidence_to_the_last_bit() -> None:
    stage = Stage(traffic=Traffic(seed=2))
    stage.release("v2")
    kept: KeptEvidence | None = None
    compared = 0
    while stage.phase is not Phase.SUCCEEDED:
        stage.run(1)
        now = stage.clock.now()
        warm, cold = (look(known, stage.target, stage.state, now) for known in (kept, None))
        if warm is None or cold is None:
            continue
        ours = folded(warm, dict(stage.metrics.collect([warm.request]))["shop"])
        theirs = folded(cold, dict(stage.metrics.collect([cold.request]))["shop"])
        kept = keep(warm.course, ours)
        assert ours == theirs
        assert [_bits(one) for one in ours.evidence.metrics] == [_bits(one) for one in theirs.evidence.metrics]
        compared += 1
    assert compared > 30


def test_alert_killed_between_sending_and_marking_comes_again_under_the_same_id() -> None:
    stage = KilledStage()
    stage.reaper.after = "deliver"
    end = stage.play(0.12)
    assert stage.kills == 1
    assert len(stage.sink.ids) == len(end.alerts) + 1


def _shape(end: End) -> End:
    """A kill and a start within one second make a second tick in it, so a move may be split or come earlier."""
    return replace(end, moves=(end.moves[0], end.moves[-1]))


def _bits(metric: object) -> list[bytes]:
    state = metric.state  # type: ignore[attr-defined]
    return [window.profile.values.tobytes() for window in (state.abort, state.proof)]
