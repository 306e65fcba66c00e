"""Between releases: what starts one, what does not, and who holds the canary at 0."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.decision import decide
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode, Promotion
from analyzer.model.state import Verb
from analyzer.model.target import Side
from analyzer.model.workload import Admission, template_of
from tests.fakes.verdicts import FAIL, PASS
from tests.fakes.world import World
from tests.unit.decision.given import (
    a_target,
    baking,
    events,
    idle_world,
    pending,
    progressing,
    replicas,
    rolling_back,
    run,
    to_rest,
)


def test_first_sight_never_starts_a_release_and_leaves_replicas_alone() -> None:
    world = World(a_target(), stable=10, canary=3)
    world.edit(Side.CANARY, "shop:2")
    for _ in range(5):
        assert world.tick().move is None
    assert world.known.phase is Phase.IDLE
    assert world.known.unmanaged
    assert "unmanaged" in world.tick().reason


def test_first_sight_waits_until_both_deployments_exist_and_is_still_first_sight_then() -> None:
    world = World(a_target())
    world.delete(Side.CANARY)
    assert "shop-canary" in world.tick().reason
    assert world.tick().state.phase is Phase.IDLE
    world.recreate("shop-canary", "canary", 2, "shop:2")
    for _ in range(5):
        assert world.tick().move is None
    assert world.known.phase is Phase.IDLE
    assert world.known.unmanaged


def test_start_begins_the_release_of_an_unmanaged_canary_from_0() -> None:
    world = World(a_target(), stable=10, canary=3)
    world.edit(Side.CANARY, "shop:2")
    world.tick()
    world.ask(Verb.START)
    assert str(world.tick().move) == "scale shop-canary (canary) from 3 to 0"
    assert world.known.phase is Phase.PENDING
    run(world, None, until=lambda choice: choice.state.phase is Phase.PROGRESSING)
    assert not world.known.unmanaged


def test_a_new_template_goes_to_pending_and_the_canary_to_0_at_once() -> None:
    world = idle_world()
    world.edit(Side.CANARY, "shop:2")
    world.scale(Side.CANARY, 2, by="kubectl-apply")
    choice = world.tick()
    assert choice.state.phase is Phase.PENDING
    assert str(choice.move) == "scale shop-canary (canary) from 2 to 0"
    assert any("scaling shop-canary to 0 before the release" in note for note in choice.notes)


def test_a_restart_is_no_new_version() -> None:
    world = idle_world()
    content = dict(world.canary.template.content)
    content["metadata"] = {**content["metadata"], "annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}
    world.canary.set_template(template_of(content, world.canary.selector))
    assert world.tick().state.phase is Phase.IDLE


def test_the_version_that_stable_runs_is_nothing_to_release() -> None:
    world = progressing()
    world.tick(FAIL)
    to_rest(world)
    world.edit(Side.CANARY, "shop:1")
    world.tick()
    assert to_rest(world).state.phase is Phase.ABORTED


def test_templates_are_equal_across_deployments_whatever_the_selector_labels() -> None:
    content = {"metadata": {"labels": {"app": "shop", "track": "stable"}}, "spec": {"containers": [{"image": "a"}]}}
    other = {"metadata": {"labels": {"app": "shop", "track": "canary"}}, "spec": {"containers": [{"image": "a"}]}}
    assert template_of(content, ("app", "track")) == template_of(other, ("app", "track"))
    assert template_of(content, ("app",)) != template_of(other, ("app",))


def test_pending_goes_back_to_idle_when_the_template_returns() -> None:
    world = pending()
    world.edit(Side.CANARY, "shop:1")
    assert world.tick().state.phase is Phase.IDLE


@pytest.mark.parametrize(
    ("admission", "why"),
    [
        (Admission(obstacle="no slot is free"), "no slot is free"),
        (Admission(frozen=True), "frozen"),
        (Admission(), "waiting for Prometheus to scrape"),
    ],
)
def test_pending_waits_for_its_admission(admission: Admission, why: str) -> None:
    world = pending()
    world.admission = admission
    choice = world.tick()
    assert choice.state.phase is Phase.PENDING
    assert why in choice.reason


def test_pending_waits_for_a_stable_that_is_complete() -> None:
    world = pending()
    world.fall_ill(world.stable, world.stable.pods[0].name)
    assert "9 of 10" in world.tick().reason
    world.scale(Side.STABLE, 0)
    assert "shop-stable has 0 replicas" in world.tick().reason


def test_a_release_remembers_total_templates_and_plan() -> None:
    world = progressing(stable=7)
    release = world.known.release
    assert release is not None
    assert (release.total, release.canary.hash, release.stable.hash) == (
        7,
        world.canary.template.hash,
        world.stable.template.hash,
    )
    world.target = a_target(bake=release.plan.bake * 2)
    assert world.tick(PASS).state.release == replace(release, clock=world.known.release.clock)  # type: ignore[union-attr]


def test_an_aborted_version_never_starts_again_by_itself_but_by_retry() -> None:
    world = progressing()
    world.tick(FAIL)
    to_rest(world)
    for _ in range(20):
        assert world.tick(seconds=3600).state.phase is Phase.ABORTED
    world.ask(Verb.RETRY)
    assert world.tick().state.phase is Phase.PROGRESSING


def test_another_version_starts_after_an_abort() -> None:
    world = progressing()
    world.tick(FAIL)
    to_rest(world)
    world.edit(Side.CANARY, "shop:3")
    assert world.tick().state.phase is Phase.PROGRESSING


def test_the_version_that_was_stable_before_is_known_good() -> None:
    world = baking()
    to_rest(world)
    world.edit(Side.CANARY, "shop:1")
    world.tick()
    release = world.known.release
    assert release is not None
    assert release.known_good
    assert to_rest(world, None).state.phase is Phase.SUCCEEDED
    assert world.stable.image == "shop:1"


def test_stable_changed_by_someone_else_between_releases_is_the_new_stable() -> None:
    world = idle_world()
    was = world.known.stable_hash
    world.edit(Side.STABLE, "shop:9", by="argocd")
    choice = world.tick()
    assert "argocd" in choice.notes[0]
    assert (world.known.stable_hash, world.known.previous) == (world.stable.template.hash, was)


def test_stable_changed_while_a_release_waits_decides_what_is_known_good() -> None:
    world = pending()
    world.edit(Side.STABLE, "shop:5")
    world.tick()
    world.edit(Side.CANARY, "shop:1")
    world.tick()
    world.ask(Verb.START)
    run(world, None, until=lambda choice: choice.state.phase is Phase.PROGRESSING)
    assert world.known.release is not None
    assert world.known.release.known_good


def test_the_canary_is_held_at_0_outside_a_release_and_told_once_after_an_abort() -> None:
    world = progressing()
    world.tick(FAIL)
    to_rest(world)
    told = len(events(world))
    world.scale(Side.CANARY, 4, by="kubectl-scale")
    choice = world.tick()
    assert str(choice.move) == "scale shop-canary (canary) from 4 to 0"
    assert "kubectl-scale" in choice.notes[0]
    assert events(world)[told:] == ["drift"]
    world.scale(Side.CANARY, 4, by="an autoscaler that never gives up")
    world.tick(seconds=60)
    assert len(events(world)) == told + 1


def test_a_canary_that_serves_alone_is_not_taken_out() -> None:
    world = baking()
    to_rest(world)
    world.scale(Side.CANARY, 10)
    world.scale(Side.STABLE, 0)
    world.run_pods()
    choice = world.tick()
    assert choice.move is None
    assert "leaving shop-canary up" in choice.reason


def test_a_canary_is_left_up_as_soon_as_stable_is_scaled_to_0() -> None:
    world = baking()
    to_rest(world)
    world.scale(Side.CANARY, 10)
    world.run_pods()
    snapshot = world.snapshot()
    assert snapshot.stable is not None
    scaled = replace(snapshot, stable=replace(snapshot.stable, replicas=0))  # its controller has not acted yet
    choice = decide(world.known, scaled, None, (), world.now)
    assert choice.move is None
    assert "leaving shop-canary up" in choice.reason


def test_a_deleted_deployment_is_gone_with_an_alert_and_back_as_a_first_sight() -> None:
    world = progressing()
    world.delete(Side.CANARY)
    choice = world.tick(PASS)
    assert choice.state.phase is Phase.GONE
    assert choice.state.release is not None
    assert choice.state.release.result is not None
    assert events(world)[-1] == "gone"
    assert replicas_unchanged(world)
    world.recreate("shop-canary", "canary", 3, "shop:2")
    choice = world.tick()
    assert [(change.before, change.after) for change in choice.transitions] == [(Phase.GONE, Phase.IDLE)]
    assert world.known.unmanaged
    assert world.tick().move is None


def replicas_unchanged(world: World) -> bool:
    before = world.stable.replicas
    return world.tick().move is None and world.stable.replicas == before


def test_commands_are_answered_while_the_target_is_gone() -> None:
    world = progressing()
    command = world.ask(Verb.PAUSE)
    world.delete(Side.STABLE)
    world.tick()
    world.tick()
    (answer,) = world.known.executed
    assert (answer.id, answer.accepted) == (command.id, False)


@pytest.mark.parametrize("promote", [Promotion.COPY_TEMPLATE, Promotion.EXTERNAL])
def test_observe_never_moves_anything_and_still_tells(promote: Promotion) -> None:
    world = idle_world(mode=Mode.OBSERVE, promote=promote)
    world.edit(Side.CANARY, "shop:2")
    world.scale(Side.CANARY, 3)
    for _ in range(20):
        world.run_pods()
        assert world.tick(PASS, seconds=30).move is None
    assert world.known.phase is Phase.SUCCEEDED
    assert events(world) == ["proven"]
    assert replicas(world) == (10, 3)


def test_observe_tells_of_a_bad_release_once() -> None:
    world = idle_world(mode=Mode.OBSERVE)
    world.edit(Side.CANARY, "shop:2")
    world.scale(Side.CANARY, 3)
    world.run_pods()
    world.tick()
    world.tick()
    choice = world.tick(FAIL)
    assert choice.state.phase is Phase.ABORTED
    assert choice.move is None
    assert events(world) == ["aborted"]
    assert "nothing was changed" in world.known.outbox[0].alert.summary


def test_an_ended_release_is_on_file_before_the_next_one_begins() -> None:
    world = progressing()
    old = world.known.release
    assert old is not None
    world.edit(Side.CANARY, "shop:3")
    choice = run(world, PASS, until=lambda choice: choice.state.phase is Phase.PENDING)
    assert choice.state.release is not None
    assert choice.state.release.id == old.id
    assert choice.state.release.ended_at is not None
    assert world.tick().state.phase is Phase.PROGRESSING
    assert world.known.release is not None
    assert world.known.release.id != old.id


def test_a_rollback_in_progress_is_not_disturbed_by_a_new_template() -> None:
    world = rolling_back()
    world.edit(Side.CANARY, "shop:3")
    choice = run(world, None, until=lambda choice: choice.transitions)
    assert [change.after for change in choice.transitions] == [Phase.ABORTED, Phase.PENDING]
    assert world.canary.replicas == 0
    assert world.tick().state.phase is Phase.PROGRESSING
