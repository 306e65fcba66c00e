"""PROMOTING and BAKING: the proven version takes over inside the bounds, and is watched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.decision.replicas import bounds_of
from analyzer.model.phase import Phase
from analyzer.model.plan import Amount, Capacity, CapacityMode, Promotion, Step
from analyzer.model.state import CauseKind, Verb
from analyzer.model.target import Side
from analyzer.model.verdict import Verdict
from analyzer.model.workload import WriteTemplate
from tests.fakes.verdicts import ADVERSE, ERROR, FAIL, GUARD_FAIL, HELD, NO_DATA, PASS, SILENT, UNDECIDED
from tests.fakes.world import World
from tests.unit.decision.given import (
    TICK,
    baking,
    events,
    progressing,
    promoting,
    replicas,
    run,
    to_rest,
    written,
)

SWAP = {"promote": Promotion.SWAP}
EXTERNAL = {"promote": Promotion.EXTERNAL}
SURGE = {"capacity_mode": CapacityMode.SURGE}


def _cause(world: World) -> CauseKind | None:
    release = world.known.release
    return release.cause.kind if release and release.cause else None


def test_copies_the_template_while_stable_has_no_pods_and_inside_the_bounds() -> None:
    world = promoting(capacity=Capacity(max_surge=Amount(2), max_unavailable=Amount(1)))
    bounds = bounds_of(world.target.plan.capacity, 10)
    seen = []
    while world.known.phase is Phase.PROMOTING:
        choice = world.tick(PASS, seconds=TICK)
        seen.append(replicas(world))
        assert sum(seen[-1]) <= bounds.ceiling
        if isinstance(choice.move, WriteTemplate):
            assert (world.stable.replicas, len(world.stable.kept)) == (0, 0)
        world.run_pods()
        assert world.stable.seen().available + world.canary.seen().available >= bounds.floor
    assert (0, 10) in seen
    assert seen[-1] == (10, 0)
    assert world.stable.image == "shop:2"
    assert world.stable.template.content["metadata"]["labels"] == dict(world.stable.selector)


def test_waits_for_the_canary_at_every_batch() -> None:
    world = promoting()
    world.run_pods()
    world.fall_ill(world.canary, world.canary.pods[0].name)
    for _ in range(5):
        choice = world.tick(PASS, seconds=TICK)
        assert choice.move is None
        assert "waiting for the canary: " in choice.reason


@pytest.mark.parametrize("verdict", [ERROR, HELD, SILENT])
def test_moves_no_batch_unjudged_while_both_sides_serve(verdict: Verdict) -> None:
    world = promoting()
    world.run_pods()
    before = replicas(world)
    for _ in range(10):
        assert world.tick(verdict, seconds=TICK).move is None
    assert replicas(world) == before
    assert world.known.phase is Phase.PROMOTING


@pytest.mark.parametrize("verdict", [UNDECIDED, NO_DATA, ADVERSE, PASS])
def test_goes_on_without_new_proof(verdict: Verdict) -> None:
    world = promoting()
    world.run_pods()
    assert world.tick(verdict).move is not None


def test_the_last_batch_is_not_judged_when_stable_has_no_pods_left() -> None:
    world = promoting()
    run(world, PASS, until=lambda _: replicas(world) == (0, 10))
    world.run_pods()
    assert isinstance(world.tick(ERROR).move, WriteTemplate)


@pytest.mark.parametrize("verdict", [FAIL, GUARD_FAIL])
def test_a_fail_while_promoting_rolls_back(verdict: Verdict) -> None:
    world = promoting()
    run(world, PASS, until=lambda _: replicas(world)[0] < 5)
    assert world.tick(verdict).state.phase is Phase.ROLLING_BACK
    to_rest(world)
    assert replicas(world) == (10, 0)
    assert world.stable.image == "shop:1"


def test_once_written_only_guards_speak_and_the_old_template_comes_back() -> None:
    world = written()
    assert world.tick(FAIL).state.phase is Phase.PROMOTING
    assert world.tick(GUARD_FAIL).state.phase is Phase.ROLLING_BACK
    assert _cause(world) is CauseKind.GUARD
    to_rest(world)
    assert world.stable.image == "shop:1"
    assert replicas(world) == (10, 0)


def test_a_new_template_before_the_write_supersedes() -> None:
    world = promoting()
    world.edit(Side.CANARY, "shop:3")
    world.tick(PASS)
    assert _cause(world) is CauseKind.SUPERSEDED


def test_a_new_template_after_the_write_waits_and_stable_goes_up_on_the_proven_one() -> None:
    world = written()
    world.edit(Side.CANARY, "shop:3")
    choice = run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    assert replicas(world) == (10, 0)
    assert world.stable.image == "shop:2"
    choice = run(world, None, until=lambda choice: choice.state.phase is Phase.PENDING)
    assert [change.after for change in choice.transitions] == [Phase.SUCCEEDED, Phase.PENDING]


def test_surge_writes_the_template_under_cover_and_never_stable_s_replicas() -> None:
    world = progressing(**SURGE)
    stable = replicas(world)[0]
    choice = run(world, PASS, until=lambda choice: isinstance(choice.move, WriteTemplate))
    assert choice.state.phase is Phase.PROMOTING
    assert world.tick(PASS).move is None  # stable rolls
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    assert replicas(world) == (stable, 0)
    assert world.stable.image == "shop:2"


def test_surge_waits_for_every_canary_pod_before_it_writes() -> None:
    world = progressing(**SURGE)
    world.fall_ill(world.canary, world.canary.pods[0].name)
    world.ask(Verb.PROMOTE)
    for _ in range(5):
        choice = world.tick(PASS)
        assert choice.state.phase is Phase.PROMOTING
        assert choice.move is None
    world.run_pods()
    assert isinstance(world.tick(PASS).move, WriteTemplate)


def test_surge_brings_the_canary_up_first_when_an_operator_promotes_early() -> None:
    world = progressing(**SURGE)
    world.scale(Side.CANARY, 0)
    world.ask(Verb.PROMOTE)
    choice = world.tick(PASS)
    assert str(choice.move) == "scale shop-canary (canary) from 0 to 4"
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)


def test_surge_drains_in_batches_once_stable_is_complete() -> None:
    world = promoting(**SURGE)
    world.run_pods()
    world.fall_ill(world.stable, world.stable.pods[0].name)
    assert world.tick(PASS).move is None
    world.run_pods()
    assert str(world.tick(PASS).move) == "scale shop-canary (canary) from 10 to 7"


def test_swap_exchanges_the_roles_when_stable_is_empty() -> None:
    world = baking(**SWAP)
    roles = world.known.roles
    assert (roles.stable, roles.canary) == ("shop-canary", "shop-stable")
    assert "shop-canary is now stable, shop-stable the next canary" in world.known.reason
    assert replicas(world) == (10, 0)
    assert to_rest(world).state.phase is Phase.SUCCEEDED
    assert world.tick().state.phase is Phase.SUCCEEDED  # the old version in the next canary is nothing new


def test_swap_waits_until_the_new_side_has_the_whole_total() -> None:
    world = promoting(stable=4, capacity=Capacity(max_surge=Amount(0), max_unavailable=Amount(1)), **SWAP)
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    assert world.stable.replicas == 4


def test_swap_waits_for_every_pod_of_the_new_side() -> None:
    world = promoting(**SWAP)
    run(world, PASS, until=lambda _: replicas(world) == (0, 10))
    world.fall_ill(world.canary, world.canary.kept[0].name)
    for _ in range(3):
        assert world.tick(PASS).state.phase is Phase.PROMOTING
    world.run_pods()
    assert world.tick(PASS).state.phase is Phase.BAKING


def test_the_next_release_after_a_swap_goes_the_other_way() -> None:
    world = baking(**SWAP)
    to_rest(world)
    world.edit(Side.CANARY, "shop:3")
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.SUCCEEDED, ticks=200)
    assert world.known.roles.stable == "shop-stable"
    assert world.stable.image == "shop:3"


def test_rolling_back_a_swap_never_brings_up_a_version_that_somebody_put_there_meanwhile() -> None:
    world = baking(**SWAP)
    world.edit(Side.CANARY, "shop:3")
    world.tick(None)
    world.tick(GUARD_FAIL)
    choice = world.tick(None)
    assert isinstance(choice.move, WriteTemplate)
    assert choice.move.side is Side.STABLE
    to_rest(world)
    assert world.stable.image == "shop:1"
    assert replicas(world) == (10, 0)


def test_external_is_proven_announced_and_waits_for_the_owner() -> None:
    world = promoting(**EXTERNAL)
    for _ in range(50):
        assert world.tick(PASS, seconds=600).move is None
    assert replicas(world) == (5, 5)
    assert events(world) == ["proven"]
    world.edit(Side.STABLE, "shop:2", by="argocd")
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    assert replicas(world) == (10, 0)


def test_external_that_is_taken_back_by_its_owner_does_not_go_on() -> None:
    world = promoting(**EXTERNAL)
    world.edit(Side.STABLE, "shop:2", by="argocd")
    world.tick(PASS)
    world.edit(Side.STABLE, "shop:1", by="argocd")
    for _ in range(20):
        world.run_pods()
        assert world.tick(PASS, seconds=TICK).state.phase is Phase.PROMOTING
    assert "drift" in events(world)
    world.ask(Verb.ABORT)
    assert to_rest(world).state.phase is Phase.ABORTED


def test_a_step_of_one_pod_is_promoted_too() -> None:
    world = promoting(stable=1, steps=(Step(50, timedelta(0)),))
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.SUCCEEDED)
    assert replicas(world) == (1, 0)
    assert world.stable.image == "shop:2"
