"""Operators can't be heard: nothing moves forward, lest one has said `abort`; the way back stays open."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from analyzer.model.errors import RecordError
from analyzer.model.phase import Phase
from analyzer.model.state import Command
from tests.fakes.cluster import Behaviour
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import Stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Commands of its target can't be read while `deaf` is set on the store."""
    stage = Stage(traffic=Traffic(seed=1))
    heard = stage.store.commands

    def commands(target: str) -> Sequence[Command]:
        if getattr(stage, "deaf", False):
            raise RecordError("ConfigMap shop/canary-analyzer-shop, entry c1: expected JSON")
        return heard(target)

    monkeypatch.setattr(stage.store, "commands", commands)
    return stage


def test_a_crash_loop_is_rolled_back_though_commands_can_not_be_read(stage: Stage) -> None:
    stage.cluster.behaviours["v2"] = Behaviour(crash_after=4.0)
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.deaf = True  # type: ignore[attr-defined]
    stage.run_to(Phase.ABORTED)
    assert stage.sides == (10, 0)
    assert "entry c1" in str((stage.store.status("shop") or {})["warnings"])


def test_nothing_moves_forward_until_commands_can_be_read(stage: Stage) -> None:
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.deaf = True  # type: ignore[attr-defined]
    stage.run(60)
    assert (stage.phase, stage.sides) == (Phase.PROGRESSING, (9, 1))
    assert "commands cannot be read" in stage.last.decision.reason
    stage.deaf = False  # type: ignore[attr-defined]
    stage.run_to(Phase.SUCCEEDED)
    assert "can't be read" not in str((stage.store.status("shop") or {})["warnings"])


def test_nothing_starts_until_commands_can_be_read(stage: Stage) -> None:
    stage.deaf = True  # type: ignore[attr-defined]
    stage.release("v2")
    stage.run(10)
    assert stage.phase is Phase.PENDING
    assert "commands cannot be read" in stage.last.decision.reason
    stage.deaf = False  # type: ignore[attr-defined]
    stage.run_to(Phase.PROGRESSING, within=5)
    assert stage.state.warnings == ()
