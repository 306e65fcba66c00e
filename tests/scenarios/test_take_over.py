"""Another process takes over: the old holder is shut out first, and nothing that was begun is left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog

from analyzer.engine.assembly import assemble
from analyzer.model.errors import ActuationError, ConflictError, RecordError
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, OnDrift
from analyzer.model.state import Result
from analyzer.model.target import Side
from analyzer.model.workload import Scale
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_TARGET, STABLE, Stage


def in_release(errors: float = 0.04, stage: Stage | None = None) -> Stage:
    """A stage in its first step."""
    stage = stage or Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors)
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    return stage


def restart_without_targets(stage: Stage) -> None:
    """The daemon ends; somebody takes all targets out of the configuration; the daemon starts again."""
    stage.daemon = assemble(stage.settings(()), stage.parts)


def test_release_is_claimed_under_the_new_epoch_before_anything_is_decided() -> None:
    stage = in_release()
    stage.restart()
    stage.lease.win(7)
    stage.cluster.claims.clear()
    stage.look()
    assert stage.cluster.claims == [("shop", 7)]
    assert stage.state.epoch == 7
    uid = stage.cluster.snapshot(stage.target, stage.target.roles).stable
    assert uid is not None
    late = Scale(Side.STABLE, STABLE, uid.uid, 9, 4)
    with pytest.raises(ConflictError, match="epoch 7"):
        stage.cluster.apply(stage.target, late, epoch=1)


def test_release_is_claimed_once_for_each_epoch() -> None:
    stage = in_release()
    stage.run(5)
    assert stage.cluster.claims == [("shop", 1)]


def test_nothing_is_decided_until_the_claim_is_made_and_it_is_tried_again() -> None:
    stage = in_release()
    stage.restart()
    stage.lease.win(2)
    stage.cluster.fail_with = ActuationError("the API server does not answer")
    moves = list(stage.cluster.moves)
    stage.run(5)
    assert stage.cluster.moves == moves
    assert stage.last.error is not None
    stage.cluster.fail_with = None
    stage.cluster.claims.clear()
    stage.run(3)
    assert stage.cluster.claims == [("shop", 2)]
    stage.run_to(Phase.SUCCEEDED)


def test_deployments_that_are_only_observed_are_never_claimed() -> None:
    stage = Stage(target=replace(DEMO_TARGET, mode=Mode.OBSERVE), traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(3)
    assert stage.cluster.claims == []


def test_target_removed_while_nobody_looked_is_finished_and_then_forgotten() -> None:
    stage = in_release()
    restart_without_targets(stage)
    stage.run_to(Phase.SUCCEEDED)
    assert stage.cluster.version(STABLE) == "v2"
    assert len(stage.alerts("promoted")) == 1
    ticks = len(stage.notebook.reports)
    stage.run(5)
    assert len(stage.notebook.reports) == ticks


def test_bad_release_of_a_removed_target_is_still_rolled_back_after_a_restart() -> None:
    stage = in_release(errors=0.12)
    restart_without_targets(stage)
    stage.run_to(Phase.ABORTED)
    stage.run(2)
    assert stage.sides == (10, 0)
    assert len(stage.alerts("aborted")) == 2
    assert stage.current.result is Result.ABORTED


def test_removed_target_keeps_what_it_does_about_drift() -> None:
    stage = in_release(stage=Stage(replace(DEMO_TARGET, on_drift=OnDrift.REASSERT), Traffic(seed=1)))
    restart_without_targets(stage)
    stage.run(2)
    stage.cluster.scale(STABLE, 4, by="bob")
    stage.run_to(Phase.SUCCEEDED)


def test_alerts_of_a_removed_target_are_delivered_after_a_restart() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.sink.break_down(retryable=True)
    in_release(errors=0.12, stage=stage)
    stage.run_to(Phase.ABORTED)
    waiting = [entry.alert.id for entry in stage.state.outbox]
    stage.sink.repair()
    restart_without_targets(stage)
    stage.run(300)
    assert stage.sink.ids == waiting
    assert stage.state.outbox == ()


def test_removed_targets_are_looked_for_again_where_the_store_could_not_tell() -> None:
    stage = in_release()
    restart_without_targets(stage)
    stage.store.fail_with = RecordError("the API server does not answer")
    stage.run(3)
    stage.store.fail_with = None
    stage.run_to(Phase.SUCCEEDED)


def test_target_whose_document_does_not_name_its_namespace_is_told_of_and_left_alone() -> None:
    stage = in_release()
    stored = stage.store.load("shop")
    assert stored is not None
    old = stored.state.with_release(replace(stage.current, namespace=""))
    stage.store.save(old, stored.version)
    moves = list(stage.cluster.moves)
    with structlog.testing.capture_logs() as lines:
        restart_without_targets(stage)
        stage.run(5)
    assert [line["event"] for line in lines].count("release_abandoned") == 1
    assert stage.cluster.moves == moves


def test_slots_count_the_releases_of_removed_targets() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    cart = replace(DEMO_TARGET, name="cart", roles=replace(DEMO_TARGET.roles, stable="cart-v1", canary="cart-v2"))
    for name, replicas in (("cart-v1", 5), ("cart-v2", 0)):
        stage.cluster.create(name, "v1", replicas)
    in_release(stage=stage)
    stage.max_concurrent = 1
    stage.daemon = assemble(stage.settings((cart,)), stage.parts)
    stage.run(1)
    stage.cluster.deploy("cart-v2", "v2")
    stage.run(5)
    waiting = stage.store.load("cart")
    assert waiting is not None
    assert waiting.state.phase is Phase.PENDING
    stage.run_to(Phase.SUCCEEDED)


def test_new_leader_sees_what_another_one_did_meanwhile() -> None:
    stage = in_release()
    stage.lease.lose()
    stage.run(1)
    other = assemble(stage.settings((stage.target,)), replace(stage.parts, lease=type(stage.lease)(9)))
    ours, stage.daemon = stage.daemon, other
    stage.run_to(Phase.SUCCEEDED)
    stage.daemon = ours
    stage.lease.win(10)
    stage.run(2)
    assert stage.phase is Phase.SUCCEEDED
    assert (stage.store.status("shop") or {})["phase"] == "SUCCEEDED"
