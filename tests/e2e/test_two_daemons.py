"""Two daemons for the same targets: one acts, the other waits, and a late write of an old holder has no effect."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeStage
from tests.e2e.lab.lab import LabAddress
from tests.e2e.scene import kills
from tests.e2e.scene.analyzer import Analyzer
from tests.e2e.scene.configuration import Setup
from tests.e2e.scene.kills import ANALYSIS, GOOD, PLAN, REPLICAS
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e

TAKE_OVER_SECONDS = 20.0
FROZEN_SECONDS = 30.0
FENCED = {409, 422}


def _both_running(lab: LabAddress, stages: MakeStage, kill_at: str | None = None) -> Scene:
    scene = stages(lab, Setup(replicas=REPLICAS, plan=PLAN, analysis=ANALYSIS))
    scene.begin_pairs()
    scene.start(scene.analyzer, kill_at=kill_at and kill_at.format(ns=scene.namespace, home=scene.home))
    scene.wait_for(Phase.IDLE)
    scene.start(scene.second)
    scene.second.wait_for_log("daemon_started")
    scene.pair.set_env(**GOOD)
    return scene


def _is_ready(daemon: Analyzer) -> bool:
    try:
        return requests.get(f"{daemon.url}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


def _accepted(scene: Scene, daemon: Analyzer) -> list[Mapping[str, Any]]:
    return [one for one in scene.writes(daemon) if kills.accepted(one)]


def _assert_silent_after_the_take_over(scene: Scene) -> None:
    """No write of the first daemon has taken effect after the second one took the Lease."""
    leases = [one for one in _accepted(scene, scene.second) if one["objectRef"]["resource"] == "leases"]
    taken_at = leases[0]["stageTimestamp"]
    late = [one for one in scene.writes(scene.analyzer) if one["stageTimestamp"] > taken_at]
    assert not [one for one in late if kills.accepted(one)]
    assert {one["responseStatus"]["code"] for one in late} <= FENCED


def test_of_two_replicas_both_are_ready_and_one_writes(lab: LabAddress, stages: MakeStage) -> None:
    scene = _both_running(lab, stages)
    scene.wait(lambda: _is_ready(scene.analyzer) and _is_ready(scene.second), "both ready")
    scene.wait(lambda: kills.ended(scene), "the end of a release")
    kills.assert_promoted(kills.outcome(scene))
    assert not _accepted(scene, scene.second)
    scene.analyzer.stop()
    left_at = time.monotonic()
    scene.second.wait_for_log("leadership_acquired")
    assert time.monotonic() - left_at < TAKE_OVER_SECONDS / 2, "the Lease was given back"


def test_standby_takes_over_within_twenty_seconds_after_sigkill(lab: LabAddress, stages: MakeStage) -> None:
    scene = _both_running(lab, stages)
    scene.wait(lambda: len(kills.moves(scene)) == 2, "two moves")
    killed_at = time.monotonic()
    scene.analyzer.kill()
    scene.second.wait_for_log("leadership_acquired")
    assert time.monotonic() - killed_at <= TAKE_OVER_SECONDS
    scene.wait(lambda: kills.ended(scene), "the end of the release")
    kills.assert_promoted(kills.outcome(scene))
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)


def test_holder_that_was_frozen_for_thirty_seconds_writes_nothing_any_more(lab: LabAddress, stages: MakeStage) -> None:
    scene = _both_running(lab, stages)
    scene.wait(lambda: len(kills.moves(scene)) == 2, "two moves")
    scene.analyzer.freeze()
    frozen_at = time.monotonic()
    scene.second.wait_for_log("leadership_acquired")
    scene.wait(lambda: kills.template_writes(scene, scene.second), "a template written by the new holder")
    scene.wait(lambda: time.monotonic() - frozen_at >= FROZEN_SECONDS, "the time of the freeze")
    scene.analyzer.thaw()
    scene.analyzer.wait_for_log("lease_lost")
    scene.wait(lambda: kills.ended(scene), "the end of the release")
    kills.assert_promoted(kills.outcome(scene))
    _assert_silent_after_the_take_over(scene)


@pytest.mark.parametrize(
    "write",
    [
        "patch Deployment {ns}/my-app-v1:2",
        "patch Deployment {ns}/my-app-v1:4",
        "patch ConfigMap {home}/canary-analyzer-state-my-app:5",
    ],
    ids=["scale", "template", "state"],
)
def test_holder_frozen_with_a_write_in_its_hands_is_refused_when_it_wakes(
    lab: LabAddress, stages: MakeStage, write: str
) -> None:
    scene = _both_running(lab, stages, kill_at=f"freeze-before:{write}")
    scene.wait(lambda: scene.analyzer.frozen, "the first daemon before its write")
    before = len(scene.writes(scene.analyzer))
    scene.second.wait_for_log("leadership_acquired")
    scene.wait(
        lambda: scene.state()["epoch"] == scene.second.log("leadership_acquired")[-1]["epoch"], "a claimed release"
    )
    scene.analyzer.thaw()
    scene.wait(lambda: len(scene.writes(scene.analyzer)) > before, "the late write")
    scene.wait(lambda: kills.ended(scene), "the end of the release")
    kills.assert_promoted(kills.outcome(scene))
    _assert_silent_after_the_take_over(scene)
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)
