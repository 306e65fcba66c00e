"""Someone else scales or edits during a release: named, told, and dealt with as `onDrift` says."""

from __future__ import annotations

import pytest

from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, OnDrift, Promotion
from analyzer.model.state import CauseKind, PauseKind, Verb
from analyzer.model.target import Side
from tests.fakes.verdicts import PASS, UNDECIDED
from tests.unit.decision.given import events, progressing, promoting, replicas, run, to_rest, written


@pytest.mark.parametrize(("side", "before"), [(Side.STABLE, 7), (Side.CANARY, 3)])
def test_scaling_pauses_and_names_the_writer(side: Side, before: int) -> None:
    world = progressing()
    world.scale(side, 5, by="kubectl-scale")
    choice = world.tick(UNDECIDED)
    assert choice.state.phase is Phase.PAUSED
    assert choice.move is None
    assert choice.reason == f"shop-{side.value} was scaled from {before} to 5 by kubectl-scale during the release"
    assert choice.state.release is not None
    assert choice.state.release.pause is not None
    assert choice.state.release.pause.kind is PauseKind.DRIFT
    assert events(world) == ["drift"]
    world.run_pods()
    for _ in range(5):
        world.tick(UNDECIDED, seconds=60)
    assert events(world) == ["drift"]


def test_resume_accepts_what_was_changed_and_goes_on_from_there() -> None:
    world = progressing()
    world.scale(Side.STABLE, 9)
    world.tick(UNDECIDED)
    world.ask(Verb.RESUME)
    choice = world.tick(UNDECIDED)
    assert choice.state.phase is Phase.PROGRESSING
    run(world, UNDECIDED, until=lambda _: replicas(world) == (7, 3))


def test_editing_stable_pauses_whatever_the_policy_but_abort() -> None:
    for policy, phase in ((OnDrift.PAUSE, Phase.PAUSED), (OnDrift.REASSERT, Phase.PAUSED)):
        world = progressing(on_drift=policy)
        world.edit(Side.STABLE, "shop:9", by="argocd")
        choice = world.tick(PASS)
        assert choice.state.phase is phase
        assert choice.reason == "template of shop-stable was changed by argocd during the release"


def test_a_resumed_release_puts_the_accepted_template_back_when_it_fails() -> None:
    world = progressing()
    world.edit(Side.STABLE, "shop:9")
    world.tick(PASS)
    world.ask(Verb.RESUME)
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    world.ask(Verb.ABORT)
    to_rest(world)
    assert world.stable.image == "shop:9"


@pytest.mark.parametrize("what", ["scale", "edit"])
def test_abort_rolls_back(what: str) -> None:
    world = progressing(on_drift=OnDrift.ABORT)
    if what == "scale":
        world.scale(Side.CANARY, 6)
    else:
        world.edit(Side.STABLE, "shop:9")
    choice = world.tick(PASS)
    assert choice.state.phase is Phase.ROLLING_BACK
    assert choice.state.release is not None
    assert choice.state.release.cause is not None
    assert choice.state.release.cause.kind is CauseKind.DRIFT


@pytest.mark.parametrize("paused", [False, True])
def test_reassert_takes_it_back_even_while_paused_and_tells_once(*, paused: bool) -> None:
    world = progressing(on_drift=OnDrift.REASSERT)
    if paused:
        world.ask(Verb.PAUSE)
        world.tick(UNDECIDED)
    for _ in range(3):
        world.scale(Side.CANARY, 8, by="ada")
        choice = world.tick(UNDECIDED)
        assert "scaled from 3 to 8 by ada during the release; reverting" in choice.reason
        world.run_pods()
        world.tick(UNDECIDED)
        assert replicas(world) == (7, 3)
    assert events(world) == ["drift"]


def test_reassert_stays_inside_the_bounds() -> None:
    world = progressing(on_drift=OnDrift.REASSERT)
    world.scale(Side.STABLE, 2)
    world.scale(Side.CANARY, 10)
    run(world, UNDECIDED, until=lambda _: replicas(world) == (7, 3))
    assert world.stable.seen().available + world.canary.seen().available >= 10


def test_the_policy_is_live_at_once() -> None:
    world = progressing()
    world.policy(OnDrift.ABORT)
    world.scale(Side.CANARY, 6)
    assert world.tick(PASS).state.phase is Phase.ROLLING_BACK


def test_drift_during_another_pause_is_told_and_pauses_again_after_resume() -> None:
    world = progressing()
    world.ask(Verb.PAUSE)
    world.tick(PASS)
    world.scale(Side.STABLE, 5)
    world.tick(PASS)
    assert events(world) == ["drift"]
    world.ask(Verb.RESUME)
    choice = world.tick(PASS)
    assert [change.after for change in choice.transitions] == [Phase.PROGRESSING, Phase.PAUSED]
    assert choice.state.release is not None
    assert choice.state.release.pause is not None
    assert choice.state.release.pause.kind is PauseKind.DRIFT


def test_in_surge_stable_s_replicas_are_nobody_s_drift() -> None:
    world = progressing(capacity_mode=CapacityMode.SURGE)
    world.scale(Side.STABLE, 15, by="horizontal-pod-autoscaler")
    assert world.tick(UNDECIDED).state.phase is Phase.PROGRESSING


def test_our_own_writes_are_no_drift() -> None:
    world = promoting()
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert "drift" not in events(world)


def test_while_promoting_it_pauses_too() -> None:
    world = promoting()
    world.scale(Side.STABLE, 9)
    assert world.tick(PASS).state.phase is Phase.PAUSED


def test_once_written_replicas_are_taken_back_and_a_foreign_template_holds_both_told() -> None:
    world = written()
    world.scale(Side.CANARY, 4, by="ada")
    choice = world.tick(PASS)
    assert choice.state.phase is Phase.PROMOTING
    assert events(world) == ["drift"]
    world.edit(Side.STABLE, "shop:9")
    for _ in range(5):
        world.run_pods()
        choice = world.tick(PASS, seconds=60)
    assert choice.state.phase is Phase.PROMOTING
    assert events(world) == ["drift", "drift"]
    world.ask(Verb.ABORT)
    assert to_rest(world).state.phase is Phase.ABORTED


def test_an_owner_who_is_early_with_external_is_drift() -> None:
    world = progressing(promote=Promotion.EXTERNAL)
    world.edit(Side.STABLE, "shop:2", by="argocd")
    assert world.tick(UNDECIDED).state.phase is Phase.PAUSED
