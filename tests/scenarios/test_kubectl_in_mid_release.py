"""What people do with kubectl while a release is in progress, and what nodes and networks do to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from analyzer.model.errors import ActuationError
from analyzer.model.phase import Phase
from analyzer.model.plan import Capacity, CapacityMode
from analyzer.model.state import CauseKind, PauseKind
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Snapshot
from analyzer.ports import Workloads
from tests.fakes.cluster import Behaviour
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, DEMO_TARGET, STABLE, Stage, with_plan

OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
SURGE = with_plan(capacity=Capacity(mode=CapacityMode.SURGE))


def at_first_step(target: Target = DEMO_TARGET) -> Stage:
    stage = Stage(target=target, traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.cluster.replicas(CANARY) == 1, within=30)
    stage.run(3)
    return stage


def test_rollout_restart_of_stable_holds_until_its_pods_are_replaced() -> None:
    stage = at_first_step()
    stage.cluster.behaviours["v1"] = Behaviour(start_delay=5.0)
    before, step = stage.sides, stage.current.step
    stage.cluster.restart(STABLE)
    stage.run(20)
    assert (stage.sides, stage.current.step) == (before, step)
    assert f"waiting for the rollout of {STABLE} to finish" in stage.last.decision.reason
    stage.run_to(Phase.SUCCEEDED)
    assert stage.alerts("drift") == []
    assert stage.alerts("superseded") == []


def test_rollout_restart_of_the_canary_is_no_new_version_and_no_crash() -> None:
    stage = at_first_step()
    release = stage.current.id
    stage.cluster.restart(CANARY)
    stage.run_to(Phase.SUCCEEDED)
    assert stage.current.id == release


def test_rollout_restart_outside_a_release_starts_nothing() -> None:
    stage = Stage()
    stage.cluster.restart(STABLE)
    stage.cluster.restart(CANARY)
    stage.run(30)
    assert stage.phase is Phase.IDLE
    assert stage.cluster.moves == []


def test_rollout_undo_of_the_canary_aborts_the_release_and_leaves_the_target_idle() -> None:
    stage = at_first_step()
    stage.cluster.deploy(CANARY, "v1", by="kubectl-rollout")
    stage.run_to(Phase.IDLE, within=60)
    assert stage.current.cause is not None
    assert stage.current.cause.kind is CauseKind.SUPERSEDED
    assert stage.sides == (10, 0)
    assert stage.alerts("aborted") == []


def test_rollout_undo_to_an_older_version_is_a_release_of_that_version() -> None:
    stage = at_first_step()
    stage.cluster.deploy(CANARY, "v0", by="kubectl-rollout")
    stage.run_to(Phase.SUCCEEDED)
    assert stage.cluster.version(STABLE) == "v0"


def test_rollout_pause_of_either_side_stops_moves_until_it_is_resumed() -> None:
    for name in (STABLE, CANARY):
        stage = at_first_step()
        before = stage.sides
        stage.cluster.pause(name)
        stage.run(60)
        assert stage.phase is Phase.PROGRESSING
        assert stage.sides == before
        assert f"kubectl rollout resume deployment/{name}" in stage.last.decision.reason
        stage.cluster.pause(name, paused=False)
        stage.run_to(Phase.SUCCEEDED)


def test_a_bad_version_is_still_aborted_while_its_deployment_is_paused() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.5)
    stage.run_until(lambda: stage.sides == (9, 1), within=30)
    stage.cluster.pause(CANARY)
    stage.run_to(Phase.ABORTED)
    assert stage.sides == (10, 0)


def test_scaling_the_canary_by_hand_pauses_and_names_the_writer() -> None:
    stage = at_first_step()
    stage.cluster.scale(CANARY, 5, by="kubectl-scale")
    stage.run_to(Phase.PAUSED, within=3)
    assert stage.current.pause is not None
    assert stage.current.pause.kind is PauseKind.DRIFT
    assert "kubectl-scale" in stage.current.pause.reason


def test_deleting_both_deployments_ends_the_release_and_recreates_nothing() -> None:
    stage = at_first_step()
    stage.cluster.delete(STABLE)
    stage.cluster.delete(CANARY)
    stage.run_to(Phase.GONE, within=3)
    stage.run(30)
    assert len(stage.alerts("gone")) == 1
    stage.cluster.create(STABLE, "v1", 4)
    stage.cluster.create(CANARY, "v9", 0)
    stage.run_to(Phase.IDLE, within=3)
    stage.run(30)
    assert stage.state.unmanaged
    assert stage.sides == (4, 0)


def test_a_tag_that_was_pushed_again_holds_and_is_told_once() -> None:
    stage = at_first_step()
    stage.cluster.push_again(STABLE, [OLD, NEW])
    before = stage.sides
    stage.run(60)
    assert stage.sides == before
    assert f"pods of {STABLE} run different images in container app" in stage.last.decision.reason
    assert len(stage.alerts("stuck")) == 1
    stage.cluster.restart(STABLE)
    stage.run_to(Phase.SUCCEEDED)


def test_a_crash_is_told_with_the_container_s_last_words() -> None:
    stage = Stage()
    stage.cluster.behaviours["v2"] = Behaviour(crash_after=1.0, last_words="Error (exit code 1): no such table: orders")
    stage.release("v2")
    stage.run_to(Phase.ABORTED)
    assert "no such table: orders" in stage.sink.alerts[-1].summary


def test_the_canary_follows_stable_that_an_autoscaler_moves_in_surge() -> None:
    stage = at_first_step(SURGE)
    stage.run_until(lambda: stage.current.step == 1, within=100)
    stage.run_until(lambda: stage.sides == (10, 3), within=30)
    stage.cluster.scale(STABLE, 18, by="horizontal-pod-autoscaler")
    stage.run_until(lambda: stage.sides == (18, 6), within=20)
    stage.cluster.scale(STABLE, 6, by="horizontal-pod-autoscaler")
    stage.run_until(lambda: stage.sides == (6, 2), within=20)
    assert stage.phase is Phase.PROGRESSING
    stage.run_to(Phase.SUCCEEDED)
    assert stage.sides == (6, 0)
    assert stage.alerts("drift") == []
    assert not any(STABLE in move and "scale" in move for move in stage.cluster.moves)


class SlowWrites:
    """The API server takes one write and answers too late: it is made `later`, unless its old value is gone."""

    def __init__(self, workloads: Workloads) -> None:
        self._workloads = workloads
        self.hang_next = False
        self.later: Callable[[], None] | None = None

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        return self._workloads.snapshot(target, roles)

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        self._workloads.claim(target, roles, epoch)

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        if not self.hang_next:
            self._workloads.apply(target, move, epoch)
            return
        self.hang_next = False
        self.later = lambda: self._workloads.apply(target, move, epoch)
        raise ActuationError(f"{move}: no answer from the API server within 10 s")


def test_a_write_that_timed_out_and_lands_later_is_no_drift() -> None:
    stage = at_first_step()
    slow = SlowWrites(stage.cluster)
    stage.around_workloads = lambda _: slow
    stage.restart()
    slow.hang_next = True
    stage.run_until(lambda: slow.later is not None, within=100)
    stage.freeze = True
    stage.reconfigure(replace(DEMO_TARGET))
    stage.run(5)
    before = stage.sides
    assert slow.later is not None
    slow.later()
    assert stage.sides != before
    stage.run(5)
    assert stage.phase is Phase.PROGRESSING
    stage.freeze = False
    stage.reconfigure(replace(DEMO_TARGET))
    stage.run_to(Phase.SUCCEEDED)
    assert stage.alerts("drift") == []
