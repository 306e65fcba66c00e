"""Our own side fails: documents, lease, receivers, bugs. Nothing is acted on that is not on record."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog

from analyzer.model.errors import ActuationError, ConflictError, RecordError
from analyzer.model.phase import Phase
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_TARGET, Stage


def test_unwritable_store_holds_loudly_and_nothing_is_acted() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    moves = list(stage.cluster.moves)
    stage.store.fail_with = RecordError("state/shop.json: no space left on device")
    stage.run(20)
    assert stage.cluster.moves == moves
    assert stage.last.error is not None
    assert "no space left" in stage.last.decision.reason
    stage.store.fail_with = None
    stage.run_to(Phase.SUCCEEDED)


def test_unwritable_store_does_not_let_a_bad_release_escape_afterwards() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.12)
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.store.fail_with = RecordError("read-only file system")
    stage.run(30)
    stage.store.fail_with = None
    stage.run_to(Phase.ABORTED)


def test_history_that_can_not_be_written_hides_no_decision_that_was_carried_out() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.5)

    def full(*_: object) -> None:
        raise RecordError("history/shop.json: no space left on device")

    with pytest.MonkeyPatch.context() as disk:
        disk.setattr(stage.store, "append_history", full)
        stage.run_to(Phase.ABORTED)
    assert stage.last.error == "history/shop.json: no space left on device"
    assert stage.phases[-1] is Phase.ABORTED
    assert "not carried out" not in stage.last.decision.reason
    stage.run(1)
    assert [entry["result"] for entry in stage.store.history("shop")] == ["aborted"]


def test_workloads_out_of_reach_hold_and_nothing_is_lost() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.run(5)
    stage.cluster.fail_with = ActuationError("the API server does not answer")
    stage.run(30)
    assert stage.phase is Phase.PROGRESSING
    assert "does not answer" in stage.last.decision.reason
    stage.cluster.fail_with = None
    stage.run_to(Phase.SUCCEEDED)


def test_conflict_is_read_again_at_the_next_tick() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PENDING)
    stage.cluster.refuse_next = ConflictError("refused: expected 2 replicas, found 3")
    stage.run_until(lambda: stage.last.error is not None, within=10)
    assert "not carried out" in stage.last.decision.reason
    stage.run_to(Phase.SUCCEEDED)


def test_standby_writes_nothing() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.lease.lose()
    before, ticks = stage.store.writes, len(stage.notebook.reports)
    stage.release("v2")
    with structlog.testing.capture_logs() as lines:
        stage.run(20)
    assert stage.store.writes == before
    assert stage.cluster.moves == []
    assert len(stage.notebook.reports) == ticks
    assert [line["event"] for line in lines] == ["leadership_lost"]
    stage.lease.win(2)
    stage.run_to(Phase.SUCCEEDED)
    assert stage.state.epoch == 2


def test_old_holder_does_not_write_a_document_of_a_newer_epoch() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.lease.win(5)
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.lease.win(4)
    writes, moves = stage.store.writes, list(stage.cluster.moves)
    stage.run(10)
    assert (stage.store.writes, stage.cluster.moves) == (writes, moves)
    assert "epoch 5" in stage.last.decision.reason


def test_a_lease_that_is_uncertain_for_a_while_costs_nothing_that_is_known() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.run(20)
    published = stage.store.status("shop")
    stage.lease.lose()
    stage.run(3)
    stage.lease.win(1)
    stage.run(60)
    assert stage.store.status("shop") == published
    stage.lease.win(2)
    stage.run(1)
    assert stage.store.status("shop") != published


def test_documents_that_can_not_be_looked_through_are_told_of_once() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.store.fail_with = RecordError("the API server does not answer")
    stage.restart()
    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            stage.daemon.lead()
    assert [line["event"] for line in lines] == ["state_list_failed", "leadership_acquired"]


def test_bug_in_a_tick_holds_with_the_error_as_reason() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.cluster.fail_with = ZeroDivisionError("division by zero")
    stage.run(3)
    assert stage.phase is Phase.PROGRESSING
    assert "ZeroDivisionError" in stage.last.decision.reason
    stage.cluster.fail_with = None
    stage.run_to(Phase.SUCCEEDED)


def test_alerts_wait_for_a_receiver_that_is_down_over_a_restart() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.sink.break_down(retryable=True)
    stage.release("v2", errors=0.12)
    stage.run_to(Phase.ABORTED)
    waiting = [entry.alert.id for entry in stage.state.outbox]
    assert len(waiting) == 2
    stage.restart()
    stage.sink.repair()
    stage.run(300)
    assert stage.sink.ids == waiting
    assert stage.state.outbox == ()


def test_frozen_configuration_starts_nothing() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.freeze = True
    stage.reconfigure(stage.target)
    stage.release("v2")
    stage.run(10)
    assert stage.phase is Phase.PENDING
    assert "frozen" in stage.last.decision.reason
    stage.freeze = False
    stage.reconfigure(stage.target)
    stage.run_to(Phase.PROGRESSING, within=3)


def test_freeze_in_mid_release_stops_forward_moves_but_not_a_rollback() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.12)
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)
    stage.freeze = True
    stage.reconfigure(stage.target)
    stage.run_to(Phase.ABORTED, within=120)
    assert stage.phases.count(Phase.PROMOTING) == 0


def test_target_removed_in_mid_release_is_finished_and_then_forgotten() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.reconfigure()
    stage.run_to(Phase.SUCCEEDED)
    assert len(stage.alerts("promoted")) == 1
    ticks = len(stage.notebook.reports)
    stage.run(10)
    assert len(stage.notebook.reports) == ticks
    assert stage.notebook.forgotten == ["shop"]


def test_changed_plan_counts_from_the_next_release_on() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    one_step = replace(DEMO_TARGET.plan, steps=DEMO_TARGET.plan.steps[:1])
    stage.reconfigure(replace(DEMO_TARGET, plan=one_step))
    stage.run_to(Phase.SUCCEEDED)
    assert len(stage.current.plan.steps) == 3
