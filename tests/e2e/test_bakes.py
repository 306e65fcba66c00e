"""A version that turns bad only once it serves alone, and a version that served well before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.endings import assert_promoted, assert_rolled_back, last_entry
from tests.e2e.scene.configuration import QUICK
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"


@pytest.fixture
def trouble(tmp_path: Path) -> Path:
    """While this file exists, the version that knows of it fails half of its requests."""
    return tmp_path / "trouble"


def in_bake(scene: Scene, trouble: Path) -> None:
    """A version that is fine so far, promoted."""
    scene.pair.set_env(VERSION="late", ERROR_RATE="0.5", ERRORS_WHEN=str(trouble))
    scene.wait_for(Phase.BAKING)


def plan(**bake: object) -> Mapping[str, object]:
    return {**QUICK, "bake": {"for": "1h", **bake}}


def test_a_version_that_turns_bad_after_its_promotion_is_told_of_once(new_scene: MakeScene, trouble: Path) -> None:
    scene = new_scene(plan=plan(**{"for": "30s"}))
    in_bake(scene, trouble)
    trouble.touch()
    (told,) = scene.wait_for_alerts("regression", seconds=60)
    assert "errors is worse than before the promotion; not rolled back" in told.body["data"]["summary"]
    assert scene.state()["phase"] == Phase.BAKING.value
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert len(scene.alerts("regression")) == 1
    assert scene.pair.env(V1)["VERSION"] == "late"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)


def test_with_rollback_on_regression_stable_gets_its_old_template_back(new_scene: MakeScene, trouble: Path) -> None:
    # The bake's length is compared with as long a time before the promotion: stable has to have been there by then.
    scene = new_scene(plan=plan(**{"for": "40s"}, onRegression="rollback"))
    in_bake(scene, trouble)
    assert scene.pair.env(V1)["VERSION"] == "late"
    trouble.touch()
    assert scene.wait_for_end() is Phase.ABORTED
    assert "VERSION" not in scene.pair.env(V1)
    assert last_entry(scene, scene.pair)["cause"] == "regression"
    assert_rolled_back(scene, scene.pair, "errors is worse than before the promotion", max_surge=4)


def test_pods_held_back_convict_a_version_that_turns_bad_in_its_bake(new_scene: MakeScene, trouble: Path) -> None:
    scene = new_scene(plan={**plan(holdback=1), "promote": "swap"})
    in_bake(scene, trouble)
    assert scene.state()["roles"] == {"stable": V2, "canary": V1}
    trouble.touch()
    assert scene.wait_for_end() is Phase.ABORTED
    assert scene.state()["roles"] == {"stable": V1, "canary": V2}
    assert last_entry(scene, scene.pair)["culprit"] == "errors"
    assert_rolled_back(scene, scene.pair, "errors: canary", max_surge=4)


def test_the_version_that_was_stable_before_goes_back_in_without_proof(new_scene: MakeScene) -> None:
    scene = new_scene(plan=QUICK)
    scene.pair.set_image("2.0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    scene.pair.set_image("1.0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    entry = last_entry(scene, scene.pair)
    assert (entry["result"], entry["knownGood"]) == ("promoted", True)
    assert scene.pair.image(V1) == "example.com/my-app:1.0"
    assert (scene.pair.replicas(V1), scene.pair.replicas(V2)) == (4, 0)
    assert not scene.alerts("aborted")
    scene.pair.capacity.assert_within(total=4, max_surge=4)
