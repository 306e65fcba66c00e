"""A bug in the rules would take far more pods than it may: the engine does not make that write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from analyzer.decision import decide
from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.state import Verb
from analyzer.model.target import Side
from analyzer.model.workload import Scale, Snapshot
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import Stage


def greedy(*given: Any) -> Decision:
    """Every scale of stable goes down to 1."""
    choice, snapshot = decide(*given), given[1]
    assert isinstance(snapshot, Snapshot)
    stable = snapshot.stable
    if not isinstance(choice.move, Scale) or choice.move.side is not Side.STABLE or stable is None:
        return choice
    return replace(choice, move=replace(choice.move, after=1))


@pytest.fixture
def stage() -> Stage:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release()
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (10, 1), within=60)
    return stage


def test_the_release_is_held_with_one_alert_and_goes_on_without_the_bug(stage: Stage) -> None:
    with pytest.MonkeyPatch.context() as bug, capture_logs() as logs:
        bug.setattr("analyzer.engine.tick.decide", greedy)
        stage.run(20)
    assert (stage.phase, stage.sides) == (Phase.PROGRESSING, (10, 1))
    assert stage.last.error is None
    assert stage.last.decision.move is None
    assert stage.last.decision.reason.startswith(
        "refused its own move: scale shop-stable (stable) from 10 to 1: 2 pods"
    )
    (alert,) = stage.sink.alerts
    assert alert.event == "stuck"
    assert "this is a bug; the release is held" in alert.summary
    errors = [line for line in logs if line["event"] == "unsafe_move"]
    assert errors
    assert {line["log_level"] for line in errors} == {"error"}
    stage.run_to(Phase.SUCCEEDED)


def test_a_rollback_is_never_held(stage: Stage) -> None:
    stage.run_until(lambda: stage.sides == (7, 3), within=60)
    with pytest.MonkeyPatch.context() as bug:
        bug.setattr("analyzer.engine.tick.decide", greedy_upwards)
        stage.operator(Verb.ABORT)
        stage.run_to(Phase.ABORTED, within=60)
    assert stage.sides == (10, 0)
    assert [alert for alert in stage.sink.alerts if "this is a bug; the rollback goes on" in alert.summary]


def greedy_upwards(*given: Any) -> Decision:
    """Every first scale of stable goes up to 20."""
    choice = decide(*given)
    if not isinstance(choice.move, Scale) or choice.move.side is not Side.STABLE or choice.move.before > 10:
        return choice
    return replace(choice, move=replace(choice.move, after=20))
