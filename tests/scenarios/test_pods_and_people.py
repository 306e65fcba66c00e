"""Pods fail, people interfere: what a release does then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.model.phase import Phase
from analyzer.model.plan import Gate, Mode, Step
from analyzer.model.state import CauseKind, PauseKind, Result, Verb
from tests.fakes.cluster import Behaviour
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, DEMO_TARGET, STABLE, Stage, with_plan


def test_canary_that_is_never_ready_is_aborted_after_ready_within() -> None:
    stage = Stage()
    stage.cluster.behaviours["v2"] = Behaviour(never_ready=True)
    stage.release("v2")
    took = stage.run_to(Phase.ABORTED)
    assert 20 <= took <= 30
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.HARD_FAILURE
    assert stage.current.cause.culprit == "NeverReady"
    assert stage.sides == (10, 0)
    assert len(stage.alerts("aborted")) == 2


def test_crash_loop_is_aborted_at_once() -> None:
    stage = Stage()
    stage.cluster.behaviours["v2"] = Behaviour(crash_after=1.0)
    stage.release("v2")
    took = stage.run_to(Phase.ABORTED)
    assert took <= 20
    assert stage.current.cause is not None
    assert stage.current.cause.culprit == "CrashLoopBackOff"
    assert stage.sides == (10, 0)


def test_slow_start_only_takes_longer() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.cluster.behaviours["v2"] = Behaviour(start_delay=8.0)
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)


def test_new_template_in_mid_release_supersedes_the_old_one() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.current.step == 1, within=100)
    first = stage.current.id
    stage.release("v3")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.current.id != first, within=60)
    assert stage.current.step == 0
    stage.run_to(Phase.SUCCEEDED)
    assert stage.cluster.version(STABLE) == "v3"
    assert [entry["result"] for entry in stage.store.history("shop")] == ["superseded", "promoted"]


def test_stable_edited_in_mid_release_pauses_with_the_writers_name() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(3)
    stage.cluster.deploy(STABLE, "v1-hotfix", by="argocd")
    stage.run_to(Phase.PAUSED, within=3)
    assert stage.current.pause is not None
    assert stage.current.pause.kind is PauseKind.DRIFT
    assert "argocd" in stage.current.pause.reason
    assert len(stage.alerts("drift")) == 1


def test_replicas_changed_by_someone_else_pause_until_resumed() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.run(3)
    stage.cluster.scale(STABLE, 12, by="bob")
    stage.run_to(Phase.PAUSED, within=3)
    assert "bob" in stage.last.decision.reason
    stage.run(5)
    assert stage.cluster.replicas(STABLE) == 12
    stage.operator(Verb.RESUME)
    stage.run_to(Phase.SUCCEEDED)


def test_deleted_deployment_ends_the_release_with_an_alert() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(3)
    stage.cluster.delete(CANARY)
    stage.run(2)
    assert stage.phase is Phase.GONE
    assert stage.current.result is Result.GONE
    assert len(stage.alerts("gone")) == 1
    stage.cluster.create(CANARY, "v2", 0)
    stage.run_to(Phase.IDLE, within=5)


def test_bad_release_is_aborted_while_paused() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.3)
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.operator(Verb.PAUSE)
    stage.run_to(Phase.PAUSED, within=3)
    stage.run_to(Phase.ABORTED, within=60)
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.FAIL


def test_pause_stops_forward_moves_only_until_resumed() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.operator(Verb.PAUSE)
    stage.run(120)
    assert stage.phase is Phase.PAUSED
    assert stage.sides == (9, 1)
    stage.operator(Verb.RESUME)
    stage.run_to(Phase.SUCCEEDED)


def test_operator_aborts() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.operator(Verb.ABORT)
    stage.run_to(Phase.ABORTED, within=30)
    assert len(stage.state.executed) == 1


def test_manual_gate_waits_for_resume() -> None:
    steps = (Step(10, timedelta(seconds=3), gate=Gate()), Step(50, timedelta(seconds=3)))
    stage = Stage(target=with_plan(steps=steps), traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PAUSED)
    stage.run(60)
    assert stage.sides == (9, 1)
    assert len(stage.alerts("gate")) == 1
    stage.operator(Verb.RESUME)
    stage.run_to(Phase.SUCCEEDED)


def test_observe_writes_no_workload_and_tells_of_a_bad_version() -> None:
    stage = Stage(target=replace(DEMO_TARGET, mode=Mode.OBSERVE), traffic=Traffic(seed=1))
    stage.release("v2", errors=0.2)
    stage.cluster.scale(STABLE, 9)
    stage.cluster.scale(CANARY, 1)
    stage.run_to(Phase.ABORTED)
    assert stage.cluster.moves == []
    assert len(stage.alerts("aborted")) >= 1
