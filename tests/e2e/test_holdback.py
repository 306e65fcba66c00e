"""Pods of the old version that stay beside a promoted one for its bake."""

from __future__ import annotations

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.endings import assert_promoted, assert_rolled_back
from tests.e2e.scene.configuration import QUICK

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"


def test_a_pod_of_the_old_version_is_compared_during_the_bake_and_leaves_after_it(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"promote": "swap", "bake": {"for": "5s", "holdback": 1}})
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.BAKING)
    assert scene.state()["roles"] == {"stable": V2, "canary": V1}
    assert scene.pair.replicas(V1) == 1
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert_promoted(scene, scene.pair, serving=V2)
    old = [write.replicas for write in scene.pair.capacity.writes() if write.deployment == V1]
    assert old[-2:] == [1, 0]


def test_an_abort_in_the_bake_gives_the_old_version_its_pods_back(new_scene: MakeScene) -> None:
    scene = new_scene(plan={**QUICK, "promote": "swap", "bake": {"for": "1h", "holdback": 1}})
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.BAKING)
    scene.wait(lambda: scene.status()["phase"] == Phase.BAKING.value, "the status of the bake", 30)
    assert scene.cli("abort", "my-app").code == 0
    assert scene.wait_for_end() is Phase.ABORTED
    assert scene.state()["roles"] == {"stable": V1, "canary": V2}
    assert_rolled_back(scene, scene.pair, "aborted by", max_surge=4)
