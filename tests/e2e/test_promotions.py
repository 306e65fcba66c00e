"""The ways in which a proven version takes over, and how it is given up when users wait too long."""

from __future__ import annotations

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.endings import assert_promoted, assert_rolled_back
from tests.e2e.scene.configuration import ERRORS

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"
LATENCY = {
    "name": "latency",
    "preset": "http-latency",
    "objective": "100ms",
    "tolerance": {"ratio": 2, "absolute": 0.03},
}


def test_a_swap_exchanges_the_roles_and_the_next_release_goes_the_other_way(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"promote": "swap"})
    pair = scene.pair
    pair.set_image("2.0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert_promoted(scene, pair, serving=V2)
    assert pair.image(V1) == "example.com/my-app:1.0"
    assert scene.state()["roles"] == {"stable": V2, "canary": V1}
    pair.set_env(V1, VERSION="bad", ERROR_RATE="0.5")
    assert scene.wait_for_end() is Phase.ABORTED
    assert_rolled_back(scene, pair, "errors: canary", serving=V2)


def test_with_external_promotion_it_waits_until_the_owner_has_changed_stable(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"promote": "external"})
    pair = scene.pair
    pair.set_image("2.0")
    (proven,) = scene.wait_for_alerts("proven", seconds=90)
    assert f"in {V1} (promote: external)" in proven.body["data"]["summary"]
    assert pair.image(V1) == "example.com/my-app:1.0"
    assert scene.state()["phase"] == Phase.PROMOTING.value
    pair.set_image("2.0", V1)
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert_promoted(scene, pair, serving=V1)
    assert len(scene.alerts("proven")) == 1
    assert not scene.alerts("drift")
    template = [one for one in scene.writes() if "template" in str(one.get("requestObject", ""))]
    assert not [one for one in template if one["objectRef"]["resource"] == "deployments"]


def test_without_room_above_the_total_pods_leave_before_others_come(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"capacity": {"maxSurge": 0, "maxUnavailable": "25%"}})
    scene.pair.set_image("2.0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert scene.pair.image(V1) == "example.com/my-app:2.0"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=0, max_unavailable=1)


def test_a_slow_release_is_aborted_though_it_answers_everything(new_scene: MakeScene) -> None:
    scene = new_scene(analysis={"metrics": [ERRORS, LATENCY]})
    scene.pair.set_env(VERSION="slow", LATENCY_MS="300")
    assert scene.wait_for_end() is Phase.ABORTED
    assert_rolled_back(scene, scene.pair, "latency: canary .* over .*, stable")
    assert scene.history()[-1]["culprit"] == "latency"
    assert scene.pair.traffic.of(version="slow").errors == 0
