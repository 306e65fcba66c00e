"""Whole releases of the tutorial's pair on a real control plane, as a user begins them with kubectl."""

from __future__ import annotations

import re

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene

pytestmark = pytest.mark.e2e


def test_first_sight_starts_no_release_and_touches_nothing(new_scene: MakeScene) -> None:
    scene = new_scene()
    before = {name: scene.pair.deployment(name)["metadata"]["generation"] for name in ("my-app-v1", "my-app-v2")}
    scene.pair.kubectl("scale", "deployment/my-app-v2", "--replicas=1")
    scene.pair.wait_ready("my-app-v2", 1)
    scene.wait(lambda: scene.status().get("replicas", {}).get("canary", {}).get("available") == 1, "its status")
    assert set(scene.phases()) == {Phase.IDLE}
    assert scene.status()["outcome"] is None
    assert not scene.pair.capacity.writes()
    assert scene.pair.deployment("my-app-v1")["metadata"]["generation"] == before["my-app-v1"]
    assert scene.pair.deployment("my-app-v2")["metadata"]["generation"] == before["my-app-v2"] + 1


def test_a_good_release_is_promoted_by_a_copy_of_its_template(new_scene: MakeScene) -> None:
    scene = new_scene()
    scene.pair.set_image("2.0")
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert scene.pair.image("my-app-v1") == "example.com/my-app:2.0"
    assert scene.pair.replicas("my-app-v1") == 4
    assert scene.pair.replicas("my-app-v2") == 0
    scene.pair.wait_ready("my-app-v2", 0)
    scene.pair.wait_ready("my-app-v1", 4)
    scene.pair.capacity.assert_within(total=4, max_surge=1)
    assert scene.pair.capacity.lowest_available() >= 4
    scene.pair.traffic.stop()
    scene.pair.traffic.assert_answered("my-app-v1")
    scene.pair.traffic.assert_answered("my-app-v2")
    (entry,) = scene.history()
    assert entry["result"] == "promoted"


def test_a_bad_release_is_aborted_with_one_alert_that_has_the_numbers(new_scene: MakeScene) -> None:
    scene = new_scene()
    scene.pair.set_env(VERSION="bad", ERROR_RATE="0.4")
    assert scene.wait_for_end() is Phase.ABORTED
    assert scene.pair.replicas("my-app-v1") == 4
    assert scene.pair.replicas("my-app-v2") == 0
    assert "ERROR_RATE" not in scene.pair.env("my-app-v1")
    scene.pair.wait_ready("my-app-v2", 0)
    rolling_back, aborted = scene.wait_for_alerts("aborted", 2)
    assert rolling_back.body["data"]["key"] == aborted.body["data"]["key"]
    assert re.search(
        r"errors: canary [\d.]+ % \([\d,]+ of [\d,]+\), stable 0 % \(0 of [\d,]+\)", aborted.body["data"]["summary"]
    )
    scene.pair.capacity.assert_within(total=4, max_surge=1)
    scene.pair.traffic.stop()
    scene.pair.traffic.assert_answered("my-app-v1")
    assert scene.pair.traffic.of(version="bad").errors > 0
