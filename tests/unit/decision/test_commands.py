"""Operators' commands: each is answered once, for what it names, in every phase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import Gate, Promotion, Step
from analyzer.model.state import EXECUTED_KEPT, CauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from tests.fakes.verdicts import ERROR, FAIL, HELD, PASS, UNDECIDED
from tests.fakes.world import Crash, World
from tests.unit.decision.given import (
    STEPS,
    TICK,
    a_target,
    baking,
    pending,
    progressing,
    promoting,
    replicas,
    rolling_back,
    run,
    to_rest,
    written,
)


def paused() -> World:
    world = progressing()
    world.ask(Verb.PAUSE)
    world.tick(PASS)
    return world


def aborted() -> World:
    world = progressing()
    world.tick(FAIL)
    to_rest(world)
    return world


def succeeded() -> World:
    world = baking()
    to_rest(world)
    return world


def idle_with_another_version() -> World:
    world = World(a_target())
    world.edit(Side.CANARY, "shop:2")
    world.tick()
    return world


WORLDS: dict[str, Callable[[], World]] = {
    "IDLE": idle_with_another_version,
    "PENDING": pending,
    "PROGRESSING": progressing,
    "PAUSED": paused,
    "PROMOTING": promoting,
    "written": written,
    "BAKING": baking,
    "SUCCEEDED": succeeded,
    "ROLLING_BACK": rolling_back,
    "ABORTED": aborted,
}
DONE: dict[tuple[str, Verb], Phase] = {
    ("IDLE", Verb.START): Phase.PROGRESSING,
    ("PENDING", Verb.ABORT): Phase.IDLE,
    ("PROGRESSING", Verb.PAUSE): Phase.PAUSED,
    ("PROGRESSING", Verb.PROMOTE): Phase.PROMOTING,
    ("PROGRESSING", Verb.ABORT): Phase.ROLLING_BACK,
    ("PAUSED", Verb.RESUME): Phase.PROGRESSING,
    ("PAUSED", Verb.PROMOTE): Phase.PROMOTING,
    ("PAUSED", Verb.ABORT): Phase.ROLLING_BACK,
    ("PROMOTING", Verb.PAUSE): Phase.PAUSED,
    ("PROMOTING", Verb.ABORT): Phase.ROLLING_BACK,
    ("written", Verb.ABORT): Phase.ROLLING_BACK,
    ("BAKING", Verb.ABORT): Phase.ROLLING_BACK,
    ("ABORTED", Verb.START): Phase.PROGRESSING,
    ("ABORTED", Verb.RETRY): Phase.PROGRESSING,
}


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("place", WORLDS)
def test_every_command_in_every_phase(place: str, verb: Verb) -> None:
    world = WORLDS[place]()
    if place == "PENDING":
        world.state = replace(world.known, release=None)
    before = world.known.phase
    command = world.ask(verb)
    world.admission = replace(world.admission, obstacle="no slot" if place == "PENDING" else None)
    world.tick(UNDECIDED)
    answer = world.known.executed[-1]
    assert answer.id == command.id
    wanted = DONE.get((place, verb))
    assert answer.accepted is (wanted is not None)
    assert world.known.phase is (wanted or before)
    assert answer.answer


def test_is_carried_out_once() -> None:
    world = progressing()
    world.ask(Verb.PAUSE)
    world.tick(PASS)
    world.ask(Verb.RESUME)
    for _ in range(4):
        world.tick(UNDECIDED)
    assert world.known.phase is Phase.PROGRESSING
    assert [one.verb for one in world.known.executed] == [Verb.PAUSE, Verb.RESUME]


@pytest.mark.parametrize("crash", Crash)
def test_is_carried_out_once_though_the_daemon_is_killed(crash: Crash) -> None:
    world = progressing()
    world.ask(Verb.ABORT)
    world.tick(PASS, crash)
    for _ in range(3):
        world.tick(PASS)
    assert [one.verb for one in world.known.executed] == [Verb.ABORT]
    assert len({entry.alert.id for entry in world.known.outbox}) == len(world.known.outbox)


@pytest.mark.parametrize("verb", Verb)
def test_one_for_something_else_is_refused_and_named(verb: Verb) -> None:
    for world in (progressing(), aborted(), pending()):
        before = world.known.phase
        world.admission = replace(world.admission, obstacle="no slot")
        world.ask(verb, "another")
        world.tick(UNDECIDED)
        assert world.known.phase is before
        assert not world.known.executed[-1].accepted


def test_refusals_cost_no_tick() -> None:
    world = progressing()
    for _ in range(3 * EXECUTED_KEPT):
        world.ask(Verb.ABORT, "stale")
    choice = world.tick(FAIL)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert any("refused" in note for note in choice.notes)


def test_forgotten_commands_are_not_carried_out_again() -> None:
    world = progressing()
    world.ask(Verb.PAUSE)
    world.tick(PASS)
    world.ask(Verb.RESUME)
    world.tick(UNDECIDED)
    for _ in range(EXECUTED_KEPT + 5):
        world.ask(Verb.ABORT, "stale")
    for _ in range(5):
        world.tick(UNDECIDED)
    assert world.known.phase is Phase.PROGRESSING
    settled = world.known
    world.tick(UNDECIDED)
    assert world.known == settled


def test_a_pause_that_comes_with_a_fail_does_not_delay_the_rollback() -> None:
    world = progressing()
    world.ask(Verb.PAUSE)
    assert world.tick(FAIL).state.phase is Phase.ROLLING_BACK


def test_a_promotion_that_comes_with_a_fail_makes_no_forward_move() -> None:
    world = progressing()
    world.ask(Verb.PROMOTE)
    choice = world.tick(FAIL)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert choice.state.release is not None
    assert choice.state.release.cause is not None
    assert choice.state.release.cause.kind is CauseKind.FAIL


def test_resume_after_the_deadline_needs_an_extension_and_gets_that_much() -> None:
    world = progressing(steps=(Step(50, timedelta(0)),))
    run(world, UNDECIDED, until=lambda choice: choice.state.phase is Phase.PAUSED, ticks=200)
    for extend in (None, timedelta(0)):
        world.ask(Verb.RESUME, extend=extend)
        assert world.tick(UNDECIDED).state.phase is Phase.PAUSED
        assert "--extend" in world.known.executed[-1].answer
    world.ask(Verb.RESUME, extend=timedelta(hours=1))
    resumed = world.now
    assert world.tick(UNDECIDED).state.phase is Phase.PROGRESSING
    run(world, UNDECIDED, until=lambda choice: choice.state.phase is Phase.PAUSED, ticks=400)
    assert world.now - resumed == timedelta(hours=1)


def test_resume_from_a_gate_after_the_deadline_needs_an_extension_too() -> None:
    steps = (Step(30, timedelta(0)), Step(50, timedelta(0), Gate()))
    world = progressing(steps=steps, deadline=timedelta(seconds=75))
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.PAUSED)
    release = world.known.release
    assert release is not None
    over = replace(release, clock=replace(release.clock, spent=timedelta(minutes=3)))
    world.state = world.known.with_release(over)
    world.ask(Verb.RESUME)
    assert world.tick(PASS).state.phase is Phase.PAUSED
    assert "--extend" in world.known.executed[-1].answer


def test_a_pause_while_promoting_resumes_where_it_was() -> None:
    world = promoting()
    run(world, PASS, until=lambda _: replicas(world)[0] < 5)
    reached = replicas(world)
    world.ask(Verb.PAUSE)
    for _ in range(5):
        world.run_pods()
        assert world.tick(PASS, seconds=TICK).move is None
    assert replicas(world) == reached
    world.ask(Verb.RESUME)
    assert world.tick(PASS).state.phase is Phase.PROMOTING
    assert to_rest(world).state.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("verdict", [ERROR, HELD, None])
def test_an_operator_s_promotion_waits_for_nothing_but_pods(verdict: Verdict | None) -> None:
    world = progressing()
    world.ask(Verb.PROMOTE)
    world.tick(verdict)
    assert to_rest(world, verdict).state.phase is Phase.SUCCEEDED


def test_an_operator_can_promote_over_an_edit_of_stable() -> None:
    world = progressing()
    world.edit(Side.STABLE, "shop:9")
    world.tick(PASS)
    world.ask(Verb.PROMOTE)
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert world.stable.image == "shop:2"


def test_an_abort_before_the_beginning_leaves_the_version_alone() -> None:
    world = pending()
    world.ask(Verb.ABORT, world.canary.template.hash)
    for _ in range(3):
        assert world.tick().state.phase is Phase.IDLE
    world.ask(Verb.START)
    assert world.tick().state.phase is Phase.PROGRESSING


def test_the_old_version_can_be_started_after_a_swap() -> None:
    world = baking(promote=Promotion.SWAP, steps=STEPS)
    to_rest(world)
    world.ask(Verb.START)
    world.tick()
    assert world.known.release is not None
    assert world.known.release.known_good
