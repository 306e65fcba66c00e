"""A write that would break an invariant is a bug: it is refused and told, and never keeps a rollback from its work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.decision import decide, enroll, keep_invariants
from analyzer.decision.invariants import violation
from analyzer.decision.moves import scale
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import CapacityMode, Promotion
from analyzer.model.state import TargetState
from analyzer.model.target import Side
from analyzer.model.workload import Move, Workload, WriteTemplate
from tests.fakes.verdicts import PASS
from tests.fakes.world import World
from tests.unit.decision.given import idle_world, progressing, promoting, replicas, rolling_back, to_rest


def broken(world: World, side: Side, replicas: int) -> str | None:
    """What a scale of one side would break now."""
    return violation(world.known, world.snapshot(), scale(side, world.side(side).seen(), replicas))


def unsafe(world: World, replicas: int = 3) -> Decision:
    """What a bug would decide: stable is scaled down far too early."""
    move = scale(Side.STABLE, world.stable.seen(), replicas)
    return Decision(Action.HOLD, f"bug: {move}", world.known, move=move)


def test_serving_pods_stay_above_the_floor() -> None:
    world = progressing()  # 7 + 3 of a total of 10, none may be missing
    assert broken(world, Side.STABLE, 6) == "9 pods would be available, at least 10 are required"
    assert broken(world, Side.CANARY, 2) == "9 pods would be available, at least 10 are required"


def test_pods_stay_below_the_ceiling_also_with_those_that_have_yet_to_go() -> None:
    world = progressing()  # 25 % of 10 pods more: 13
    assert broken(world, Side.CANARY, 6) is None
    assert broken(world, Side.CANARY, 7) == "there would be 14 pods, at most 13 are allowed"
    lagging = replace(world.snapshot(), stable=replace(world.stable.seen(), current=10))
    move = scale(Side.CANARY, world.canary.seen(), 4)
    assert violation(world.known, lagging, move) == "there would be 14 pods, at most 13 are allowed"


def test_pods_that_do_not_serve_may_go_at_once() -> None:
    world = progressing()
    for pod in world.canary.kept:
        world.fall_ill(world.canary, pod.name)
    assert broken(world, Side.CANARY, 0) is None
    assert broken(world, Side.STABLE, 6) == "6 pods would be available, at least 7 are required"


def test_what_is_missing_already_need_not_come_back_first() -> None:
    world = progressing()
    world.fall_ill(world.stable, world.stable.kept[0].name)
    assert broken(world, Side.STABLE, 6) is None


def test_with_a_total_of_one_there_is_room_for_two() -> None:
    world = progressing(stable=1)
    assert (world.stable.replicas, world.canary.replicas) == (1, 1)
    assert broken(world, Side.CANARY, 2) == "there would be 3 pods, at most 2 are allowed"


def test_in_surge_stable_is_not_written_and_the_canary_has_no_more_than_its_step() -> None:
    world = progressing(capacity_mode=CapacityMode.SURGE)
    assert broken(world, Side.STABLE, 9) == "replicas of shop-stable are not written in surge"
    assert world.canary.replicas == 4
    assert broken(world, Side.CANARY, 5) == "there would be 5 canary pods, at most 4 are planned"
    assert broken(world, Side.CANARY, 1) is None
    world.fall_ill(world.stable, world.stable.kept[0].name)
    assert broken(world, Side.CANARY, 1) == "3 available canary pods would leave while shop-stable is not complete"


def test_stable_s_template_is_written_while_it_has_no_pods() -> None:
    world = promoting()
    assert violation(world.known, world.snapshot(), over_stable(world)) == (
        f"shop-stable has {world.stable.replicas} pods, which would be replaced"
    )
    surge = promoting(capacity_mode=CapacityMode.SURGE)
    assert violation(surge.known, surge.snapshot(), over_stable(surge)) is None


def over_stable(world: World) -> Move:
    stable = world.stable.seen()
    new = stable.template_for(world.canary.template)
    return WriteTemplate(Side.STABLE, stable.name, stable.uid, stable.template.hash, new)


def test_between_releases_the_last_serving_pods_are_not_taken() -> None:
    world = idle_world()
    world.scale(Side.CANARY, 2)
    world.run_pods()
    assert broken(world, Side.CANARY, 0) is None
    world.scale(Side.STABLE, 0)
    assert broken(world, Side.CANARY, 0) == "none of the 2 available pods would be left"


def test_an_unsafe_move_is_refused_and_told_once() -> None:
    world = progressing()
    held = keep_invariants(unsafe(world), world.snapshot(), world.now)
    assert (held.action, held.move, held.state.phase) == (Action.HOLD, None, Phase.PROGRESSING)
    assert held.reason == (
        "refused its own move: scale shop-stable (stable) from 7 to 3: 6 pods would be available, at least 10 are "
        "required (this is a bug; the release is held)"
    )
    assert held.intent.intent is None
    assert told(held.state) == [f"shop: {held.reason}"]
    again = keep_invariants(replace(unsafe(world), state=held.state), world.snapshot(), world.now)
    assert again.reason == held.reason
    assert again.state == held.state


def told(state: TargetState) -> list[str]:
    return [entry.alert.summary for entry in state.outbox if entry.alert.event == "stuck"]


def test_a_rollback_makes_its_move_all_the_same_and_says_so() -> None:
    world = rolling_back()
    choice = unsafe(world)
    goes_on = keep_invariants(choice, world.snapshot(), world.now)
    assert goes_on.move == choice.move
    assert "this is a bug; the rollback goes on" in goes_on.reason
    assert len(told(goes_on.state)) == 1
    assert goes_on.state.phase is Phase.ROLLING_BACK


def test_before_the_first_release_it_is_refused_without_an_alert() -> None:
    world = idle_world()
    world.scale(Side.CANARY, 2)
    world.run_pods()
    world.scale(Side.STABLE, 0)
    move = scale(Side.CANARY, world.canary.seen(), 0)
    held = keep_invariants(Decision(Action.HOLD, "bug", world.known, move=move), world.snapshot(), world.now)
    assert held.move is None
    assert "(this is a bug; nothing was changed)" in held.reason
    assert held.state == world.known


@pytest.mark.parametrize("plan", [{}, {"promote": Promotion.SWAP}, {"capacity_mode": CapacityMode.SURGE}], ids=str)
def test_a_safe_decision_is_left_as_it_is(plan: dict[str, Any]) -> None:
    world = promoting(**plan)
    world.run_pods()
    choice = decide(enroll(world.known, world.snapshot(), world.now), world.snapshot(), PASS, (), world.now)
    assert choice.move is not None
    assert keep_invariants(choice, world.snapshot(), world.now) is choice


def test_a_release_goes_on_once_its_move_is_safe() -> None:
    world = progressing()
    world.state = keep_invariants(unsafe(world), world.snapshot(), world.now).next_state
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert replicas(world) == (10, 0)


def test_counts_as_serving_only_what_stays() -> None:
    seen: Workload = replace(progressing().stable.seen(), replicas=2, available=5)
    assert seen.serving == 2
    assert replace(seen, replicas=9).serving == 5
