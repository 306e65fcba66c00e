"""Stable under a HorizontalPodAutoscaler: without metrics its controller still keeps the bounds that it is given."""

from __future__ import annotations

import json

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.scene.pair import Pair

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"


def autoscale(pair: Pair, least: int) -> None:
    """`kubectl apply` of an autoscaler for stable with so many pods at least."""
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": V1},
        "minReplicas": least,
        "maxReplicas": 10,
    }
    autoscaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": V1}}
    pair.kubectl("apply", "-f", "-", stdin=json.dumps({**autoscaler, "spec": spec}))


def test_in_surge_the_canary_follows_stable_and_its_replicas_are_never_written(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"capacity": {"mode": "surge"}, "steps": [{"weight": 25, "hold": "1h"}], "deadline": "3h"})
    pair = scene.pair
    autoscale(pair, 3)
    pair.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING)
    pair.wait_ready(V2, 1)
    autoscale(pair, 6)
    pair.wait_ready(V1, 6)
    pair.wait_ready(V2, 2)
    assert scene.state()["phase"] == Phase.PROGRESSING.value
    scene.wait(lambda: scene.status()["phase"] == Phase.PROGRESSING.value, "its status", 30)
    assert scene.cli("promote", "my-app").code == 0
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert pair.image(V1) == "example.com/my-app:2.0"
    assert (pair.replicas(V1), pair.replicas(V2)) == (6, 0)
    assert {write.deployment for write in pair.capacity.writes()} == {V2}
    assert not scene.alerts("drift")
    pair.traffic.stop()
    pair.traffic.assert_answered(V1)


def test_a_bad_version_in_surge_leaves_and_stable_keeps_what_the_autoscaler_wants(new_scene: MakeScene) -> None:
    scene = new_scene(plan={"capacity": {"mode": "surge"}})
    pair = scene.pair
    autoscale(pair, 4)
    pair.set_env(VERSION="bad", ERROR_RATE="0.4")
    assert scene.wait_for_end() is Phase.ABORTED
    assert (pair.replicas(V1), pair.replicas(V2)) == (4, 0)
    assert {write.deployment for write in pair.capacity.writes()} == {V2}
    assert pair.capacity.lowest_available() >= 4
    assert len(scene.wait_for_alerts("aborted", 2)) == 2
    pair.traffic.stop()
    pair.traffic.assert_answered(V1)


def test_preserve_under_an_autoscaler_is_refused_with_the_way_out(new_scene: MakeScene) -> None:
    scene = new_scene()
    autoscale(scene.pair, 3)
    scene.pair.set_image("2.0")
    scene.wait(lambda: "surge" in scene.status().get("reason", ""), "the way out in the status")
    assert scene.state()["phase"] == Phase.PENDING.value
    assert not scene.pair.capacity.writes()


def test_a_release_that_has_no_room_in_the_quota_does_not_begin(new_scene: MakeScene) -> None:
    scene = new_scene()
    scene.kubectl("create", "quota", "pods", "--hard=pods=4")
    scene.wait(lambda: scene.kubectl("get", "quota", "pods", "-o", "jsonpath={.status.used.pods}") == "4", "its use")
    scene.pair.set_image("2.0")
    scene.wait(lambda: "ResourceQuota pods has 0 pods left" in scene.status().get("reason", ""), "the quota's name")
    assert scene.state()["phase"] == Phase.PENDING.value
    assert not scene.pair.capacity.writes()
