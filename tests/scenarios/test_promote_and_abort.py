"""The main job: a good release is promoted, a bad one is aborted."""

from __future__ import annotations

from analyzer.model.phase import Phase
from analyzer.model.state import Result
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, STABLE, Stage


def test_first_sight_starts_nothing() -> None:
    stage = Stage()
    stage.run(10)
    assert stage.phase is Phase.IDLE
    assert stage.cluster.moves == []


def test_good_release_is_promoted() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.04)
    stage.run_to(Phase.SUCCEEDED)
    assert stage.phases == [Phase.PENDING, Phase.PROGRESSING, Phase.PROMOTING, Phase.BAKING, Phase.SUCCEEDED]
    assert stage.sides == (10, 0)
    assert stage.cluster.version(STABLE) == "v2"
    assert stage.current.result is Result.PROMOTED
    assert len(stage.alerts("promoted")) == 1
    assert [entry["result"] for entry in stage.store.history("shop")] == ["promoted"]


def test_bad_release_is_aborted_with_its_numbers() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.12)
    stage.run_to(Phase.ABORTED)
    assert stage.sides == (10, 0)
    assert stage.cluster.version(STABLE) == "v1"
    assert stage.current.cause is not None
    assert stage.current.cause.culprit == "errors"
    assert len(stage.alerts("aborted")) == 2  # rolling back, then aborted
    numbers = stage.sink.alerts[-2].details["metrics"][0]
    assert numbers["canary"]["events"] > 0
    entry = stage.store.history("shop")[0]
    assert entry["metrics"][0]["name"] == "errors"


def test_status_of_a_promoted_release_keeps_the_numbers_that_proved_it() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.04)
    stage.run_to(Phase.SUCCEEDED)
    stage.run(30)
    status = stage.store.status("shop") or {}
    assert (status["phase"], status["verdict"]) == ("SUCCEEDED", "PASS")
    assert [metric["classification"] for metric in status["metrics"]] == ["PASS"]


def test_aborted_version_does_not_start_again_by_itself() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.12)
    stage.run_to(Phase.ABORTED)
    stage.run(30)
    assert stage.phase is Phase.ABORTED
    assert stage.cluster.version(CANARY) == "v2"
