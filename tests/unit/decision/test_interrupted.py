"""A kill between any two lines of a tick: what was meant and what was done come together again."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, Promotion
from analyzer.model.state import PauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.workload import Scale, WriteTemplate
from tests.fakes.verdicts import FAIL, PASS, PROVEN_STEP
from tests.fakes.world import Crash
from tests.unit.decision.given import TICK, events, pending, progressing, promoting, replicas, run, to_rest

WAYS: list[dict[str, Any]] = [
    {"promote": Promotion.COPY_TEMPLATE},
    {"promote": Promotion.SWAP},
    {"promote": Promotion.COPY_TEMPLATE, "capacity_mode": CapacityMode.SURGE},
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("crash", [*Crash, None])
def test_a_daemon_that_dies_in_every_tick_comes_to_the_same_end(way: dict[str, Any], crash: Crash | None) -> None:
    world = pending(**way)
    for tick in range(200):
        world.run_pods()
        world.tick(PASS, crash if tick % 2 else None, seconds=TICK)
        assert world.known.phase is not Phase.PAUSED
    assert world.known.phase is Phase.SUCCEEDED
    assert events(world) == ["promoted"]
    assert replicas(world)[1] == 0
    assert world.stable.image == "shop:2"


@pytest.mark.parametrize("crash", [*Crash, None])
def test_a_rollback_interrupted_in_every_tick_ends_with_each_alert_once(crash: Crash | None) -> None:
    world = progressing()
    for tick in range(40):
        world.run_pods()
        world.tick(FAIL, crash if tick % 2 == 0 else None, seconds=TICK)
    assert world.known.phase is Phase.ABORTED
    ids = [entry.alert.id for entry in world.known.outbox]
    assert len(ids) == len(set(ids)) == 2
    assert replicas(world) == (10, 0)


def test_a_scale_that_was_meant_and_not_made_is_meant_again() -> None:
    world = pending()
    world.tick(None, Crash.BEFORE_WRITE)
    assert isinstance(world.known.intent, Scale)
    assert replicas(world) == (10, 0)
    choice = world.tick(None)
    assert choice.state.phase is Phase.PROGRESSING
    assert str(choice.move) == "scale shop-canary (canary) from 0 to 3"


def test_a_scale_that_was_made_and_not_recorded_is_known_as_ours() -> None:
    world = pending()
    world.tick(None, Crash.AFTER_WRITE)
    assert replicas(world) == (10, 3)
    choice = world.tick(None)
    assert choice.state.phase is Phase.PROGRESSING
    assert choice.state.expected is not None
    assert choice.state.expected.canary == 3


def test_another_s_scale_beside_an_unmade_one_is_still_drift() -> None:
    world = pending()
    world.tick(None, Crash.BEFORE_WRITE)
    world.scale(Side.CANARY, 7)
    assert world.tick(None).state.phase is Phase.PAUSED


@pytest.mark.parametrize("crash", [Crash.BEFORE_WRITE, Crash.AFTER_WRITE])
def test_a_template_that_was_meant_is_written_once_and_remembered_as_ours(crash: Crash) -> None:
    world = promoting()
    run(world, PASS, until=lambda _: isinstance(world.decide(PASS).move, WriteTemplate))
    world.tick(PASS, crash)
    assert isinstance(world.known.intent, WriteTemplate)
    choice = world.tick(PASS)
    if crash is Crash.BEFORE_WRITE:
        assert isinstance(choice.move, WriteTemplate)
    assert choice.next_state.release is not None
    assert choice.next_state.release.written
    assert world.known.phase is Phase.PROMOTING
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert "drift" not in events(world)


def test_holding_the_canary_at_0_is_told_once_though_the_write_fails() -> None:
    world = progressing()
    world.tick(FAIL)
    to_rest(world)
    told = len(events(world))
    world.scale(Side.CANARY, 4)
    for _ in range(5):
        world.tick(None, Crash.BEFORE_WRITE, seconds=600)
    world.tick(None)
    world.tick(None)
    assert events(world)[told:] == ["drift"]
    world.scale(Side.CANARY, 2)
    world.tick(None, seconds=3600)
    assert events(world)[told:] == ["drift", "drift"]
    assert len({entry.alert.id for entry in world.known.outbox}) == len(world.known.outbox)


def test_a_decision_depends_on_nothing_but_what_it_is_given() -> None:
    world = progressing()
    world.ask(Verb.ABORT)
    assert world.decide(PASS) == world.decide(PASS)


def test_a_write_without_an_answer_that_is_made_later_is_no_drift() -> None:
    world = pending()
    world.tick(None, Crash.NO_ANSWER)
    world.freeze(frozen=True)
    assert world.tick(None).move is None
    world.answer()
    assert replicas(world) == (10, 3)
    world.tick(None)
    assert world.known.phase is Phase.PROGRESSING
    world.freeze(frozen=False)
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert "drift" not in events(world)


def test_a_write_that_is_made_during_a_pause_changes_nothing_about_the_pause() -> None:
    world = progressing()
    choice = world.tick(PROVEN_STEP, Crash.NO_ANSWER, seconds=60)
    assert choice.move is not None
    world.ask(Verb.PAUSE)
    for _ in range(3):
        world.tick(PROVEN_STEP, seconds=TICK)
    world.answer()
    world.tick(PROVEN_STEP, seconds=TICK)
    assert world.known.release is not None
    assert world.known.release.pause is not None
    assert world.known.release.pause.kind is PauseKind.OPERATOR
    assert "drift" not in events(world)


def test_a_template_that_is_written_after_the_abort_is_taken_back() -> None:
    world = promoting()
    run(world, PASS, until=lambda _: isinstance(world.decide(PASS).move, WriteTemplate))
    world.tick(PASS, Crash.NO_ANSWER)
    world.ask(Verb.ABORT)
    world.tick(PASS)
    world.answer()
    assert world.stable.image == "shop:2"
    assert to_rest(world).state.phase is Phase.ABORTED
    assert world.stable.image == "shop:1"
    assert replicas(world) == (10, 0)


def test_a_write_that_can_not_be_made_any_more_is_forgotten() -> None:
    world = pending()
    world.tick(None, Crash.NO_ANSWER)
    world.freeze(frozen=True)
    world.tick(None)
    assert [str(move) for move in world.known.unconfirmed] == ["scale shop-canary (canary) from 0 to 3"]
    world.scale(Side.CANARY, 1)
    world.tick(None)
    assert world.known.unconfirmed == ()
    assert "drift" in events(world)
