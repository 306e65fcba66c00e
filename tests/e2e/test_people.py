"""What people do to a pair with kubectl before, during and after releases."""

from __future__ import annotations

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.endings import assert_promoted, assert_rolled_back, last_entry
from tests.e2e.scene.configuration import QUICK
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"
HELD = {"steps": [{"weight": 25, "hold": "1h"}], "deadline": "3h"}
"""A plan whose first step lasts as long as a test needs it."""


def in_first_step(scene: Scene) -> str:
    """The release of version 2.0, with its one pod; gives its id."""
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING)
    scene.pair.wait_ready(V2, 1)
    scene.pair.wait_ready(V1, 3)
    return str(scene.state()["release"]["id"])


def test_another_version_after_an_abort_is_released(new_scene: MakeScene) -> None:
    scene = new_scene(plan=QUICK)
    scene.pair.set_env(VERSION="bad", ERROR_RATE="0.5")
    assert scene.wait_for_end() is Phase.ABORTED
    scene.pair.set_env(VERSION="mended", ERROR_RATE="0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert scene.pair.env(V1)["VERSION"] == "mended"
    assert last_entry(scene, scene.pair)["result"] == "promoted"
    assert [entry["result"] for entry in scene.history()] == ["aborted", "promoted"]
    assert len({one.body["data"]["key"] for one in scene.wait_for_alerts("aborted", 2)}) == 1
    scene.pair.capacity.assert_within(total=4, max_surge=4)


def test_a_newer_version_takes_the_place_of_the_one_in_release(new_scene: MakeScene) -> None:
    scene = new_scene(plan=QUICK)
    first = in_first_step(scene)
    scene.pair.set_image("3.0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert scene.state()["release"]["id"] != first
    assert scene.pair.image(V1) == "example.com/my-app:3.0"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)
    assert [entry["result"] for entry in scene.history()] == ["superseded", "promoted"]
    assert len(scene.alerts("superseded")) == 1


def test_scaling_by_hand_pauses_the_release_and_names_the_writer(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD)
    release = in_first_step(scene)
    scene.kubectl("scale", f"deployment/{V2}", "--replicas=2")
    state = scene.wait_for(Phase.PAUSED)
    assert state["release"]["pause"]["reason"] == f"{V2} was scaled from 1 to 2 by kubectl during the release"
    (told,) = scene.wait_for_alerts("drift")
    assert "by kubectl" in told.body["data"]["summary"]
    assert scene.pair.replicas(V2) == 2
    assert scene.cli("resume", "my-app").code == 0
    scene.wait_for(Phase.PROGRESSING)
    scene.pair.wait_ready(V2, 1)
    assert scene.state()["release"]["id"] == release
    assert len(scene.alerts("drift")) == 1


def test_with_reassert_a_scaled_canary_is_taken_back_and_told_once(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD, target={"onDrift": "reassert"})
    in_first_step(scene)
    scene.kubectl("scale", f"deployment/{V2}", "--replicas=3")
    scene.wait(lambda: scene.pair.replicas(V2) == 1, "the canary's one pod", 30)
    scene.pair.wait_ready(V2, 1)
    (told,) = scene.wait_for_alerts("drift")
    assert f"reverting, {V2} was scaled from 1 to 3 by kubectl" in told.body["data"]["summary"]
    assert "PAUSED" not in scene.phases()


def test_with_abort_on_drift_a_scaled_canary_ends_the_release(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD, target={"onDrift": "abort"})
    in_first_step(scene)
    scene.kubectl("scale", f"deployment/{V2}", "--replicas=2")
    assert scene.wait_for_end() is Phase.ABORTED
    assert_rolled_back(scene, scene.pair, f"{V2} was scaled from 1 to 2 by kubectl during the release")


def test_pods_of_one_template_that_run_different_images_hold_the_release(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"steps": [{"weight": 50, "hold": "2s"}]})
    scene.pair.set_env(VERSION="pushed-twice", MIXED_DIGESTS="1")
    (told,) = scene.wait_for_alerts("stuck", seconds=90)
    assert f"pods of {V2} run different images in container app" in told.body["data"]["summary"]
    assert scene.state()["phase"] == Phase.PROGRESSING.value
    assert scene.cli("abort", "my-app").code == 0
    assert scene.wait_for_end() is Phase.ABORTED
    assert_rolled_back(scene, scene.pair, "aborted by")


def test_a_template_that_someone_puts_on_stable_pauses_the_release(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD)
    in_first_step(scene)
    scene.pair.set_image("1.1", V1)
    state = scene.wait_for(Phase.PAUSED)
    assert f"template of {V1} was changed by kubectl-set during the release" in state["release"]["pause"]["reason"]
    assert len(scene.wait_for_alerts("drift")) == 1
    assert scene.cli("abort", "my-app").code == 0
    assert scene.wait_for_end() is Phase.ABORTED
    assert scene.pair.image(V1) == "example.com/my-app:1.1"
    assert_rolled_back(scene, scene.pair, "aborted by")


def test_a_paused_rollout_holds_and_a_restart_is_no_new_version(new_scene: MakeScene) -> None:
    scene = new_scene(plan=QUICK)
    release = in_first_step(scene)
    scene.kubectl("rollout", "pause", f"deployment/{V2}")
    way_out = f"kubectl rollout resume deployment/{V2}"
    scene.wait(lambda: way_out in scene.status().get("reason", ""), "the way out in the status", 30)
    assert scene.pair.replicas(V2) == 1
    scene.kubectl("rollout", "resume", f"deployment/{V2}")
    scene.kubectl("rollout", "restart", f"deployment/{V1}")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert scene.state()["release"]["id"] == release
    assert not scene.alerts("drift")
    assert not scene.alerts("superseded")
    assert scene.pair.image(V1) == "example.com/my-app:2.0"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)


def test_rollout_undo_of_the_canary_gives_the_release_up_without_an_abort(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD)
    in_first_step(scene)
    scene.kubectl("rollout", "undo", f"deployment/{V2}")
    scene.wait_for(Phase.IDLE)
    scene.pair.wait_ready(V1, 4)
    scene.pair.wait_ready(V2, 0)
    scene.wait_for_alerts("superseded")
    assert not scene.alerts("aborted")
    assert last_entry(scene, scene.pair)["result"] == "superseded"
    # The undo rolls the canary's pod: its Deployment may have made one more before the daemon could see it.
    scene.pair.capacity.assert_within(total=4, max_surge=2)
    scene.pair.traffic.stop()
    scene.pair.traffic.assert_answered(V1)


def test_deleted_deployments_are_told_of_once_and_not_recreated(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD)
    in_first_step(scene)
    scene.kubectl("delete", f"deployment/{V2}")
    assert scene.wait_for_end() is Phase.GONE
    scene.kubectl("delete", f"deployment/{V1}")
    (told,) = scene.wait_for_alerts("gone")
    assert "nothing is recreated" in told.body["data"]["summary"]
    scene.pair.apply(4, {})
    scene.wait_for(Phase.IDLE)
    scene.pair.wait_ready(V1, 4)
    assert scene.state()["unmanaged"]
    assert len(scene.alerts("gone")) == 1
    assert not scene.alerts("aborted")
