"""SIGKILL before and after every kind of write of a release: the next daemon goes on as if nothing had been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeStage
from tests.e2e.lab.lab import LabAddress
from tests.e2e.scene import kills
from tests.e2e.scene.configuration import Setup, laid_over
from tests.e2e.scene.kills import ANALYSIS, BAD, GOOD, PLAN, REPLICAS, Mortals
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e

STATE = "ConfigMap {home}/canary-analyzer-state-my-app"
STATUS = "ConfigMap {home}/canary-analyzer-status-my-app"
HISTORY = "ConfigMap {home}/canary-analyzer-history-my-app"
STABLE = "patch Deployment {ns}/my-app-v1"
CANARY = "patch Deployment {ns}/my-app-v2"

# The first daemon dies before a write. The second one makes it, or what takes its place, and dies after it.
PROMOTED = {
    "create-lease": ("before:create Lease:1", "after:create Lease:1"),
    "patch-lease": ("before:patch Lease:4", "after:patch Lease:4"),
    "create-state": (f"before:create {STATE}:1", f"after:create {STATE}:1"),
    "create-status": (f"before:create {STATUS}:1", f"after:create {STATUS}:1"),
    "create-history": (f"before:create {HISTORY}:1", f"after:create {HISTORY}:1"),
    "intent-of-a-move": (f"before:patch {STATE}:3", f"after:patch {STATE}:3"),
    "state-in-promotion": (f"before:patch {STATE}:10", f"after:patch {STATE}:4"),
    "patch-status": (f"before:patch {STATUS}:2", f"after:patch {STATUS}:1"),
    "first-scale": (f"before:{CANARY}:1", f"after:{CANARY}:1"),
    "scale-of-stable": (f"before:{STABLE}:2", f"after:{STABLE}:2"),
    "template": (f"before:{STABLE}:4", f"after:{STABLE}:2"),
    "claim-at-a-take-over": (f"after:{STABLE}:3", f"before:{STABLE}:1", f"after:{CANARY}:1"),
    "create-event": ("before:create Event:3", "after:create Event:2"),
}
ABORTED = {
    "rolling-back": (f"before:patch {STATE}:5", f"after:patch {STATE}:2"),
    "stable-goes-up": (f"before:{STABLE}:3", f"after:{STABLE}:2"),
    "canary-goes-down": (f"before:{CANARY}:2", f"after:{CANARY}:2"),
    "status": (f"before:patch {STATUS}:3", f"after:patch {STATUS}:1"),
    "history": (f"before:create {HISTORY}:1", f"after:create {HISTORY}:1"),
    "event": ("before:create Event:5", "after:create Event:1"),
}
SECOND_RELEASE = {
    "patch-history": (f"before:patch {HISTORY}:1", f"after:patch {HISTORY}:1"),
    "patch-event": ("before:patch Event:1",),
}


def _scene(lab: LabAddress, stages: MakeStage) -> Scene:
    scene = stages(lab, Setup(replicas=REPLICAS, plan=PLAN, analysis=ANALYSIS))
    scene.begin_pairs()
    return scene


@pytest.mark.parametrize("moments", PROMOTED.values(), ids=PROMOTED)
def test_killed_before_and_after_a_write_a_good_release_is_promoted_all_the_same(
    lab: LabAddress, stages: MakeStage, moments: Sequence[str]
) -> None:
    scene = _scene(lab, stages)
    mortals = Mortals(scene, moments)
    kills.assert_promoted(kills.released(scene, mortals, GOOD))
    assert mortals.deaths == len(moments)
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)
    assert scene.pair.capacity.lowest_available() >= REPLICAS
    scene.pair.traffic.stop()
    scene.pair.traffic.assert_answered("my-app-v1")


@pytest.mark.parametrize("moments", ABORTED.values(), ids=ABORTED)
def test_killed_before_and_after_a_write_a_bad_release_is_aborted_all_the_same(
    lab: LabAddress, stages: MakeStage, moments: Sequence[str]
) -> None:
    scene = _scene(lab, stages)
    mortals = Mortals(scene, moments)
    kills.assert_aborted(kills.released(scene, mortals, BAD))
    assert mortals.deaths == len(moments)
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)
    scene.pair.traffic.stop()
    scene.pair.traffic.assert_answered("my-app-v1")


@pytest.mark.parametrize("moments", SECOND_RELEASE.values(), ids=SECOND_RELEASE)
def test_killed_in_the_second_release_leaves_one_entry_and_one_alert_of_each(
    lab: LabAddress, stages: MakeStage, moments: Sequence[str]
) -> None:
    scene = _scene(lab, stages)
    mortals = Mortals(scene, moments)
    kills.assert_aborted(kills.released(scene, mortals, BAD, must_die=False))
    scene.pair.set_env(VERSION="worse")
    mortals.until(lambda: kills.ended(scene, releases=2) and mortals.exhausted, "the end of the second release")
    assert [entry["result"] for entry in scene.history()] == ["aborted", "aborted"]
    assert len({entry["id"] for entry in scene.history()}) == 2
    assert len(scene.alerts("aborted")) == len(scene.alerts()) == 4


def test_after_sigterm_in_mid_release_the_next_daemon_goes_on_at_once(lab: LabAddress, stages: MakeStage) -> None:
    scene = _scene(lab, stages)
    scene.start(scene.analyzer)
    scene.wait_for(Phase.IDLE)
    scene.pair.set_env(**GOOD)
    scene.wait(lambda: len(kills.moves(scene)) == 2, "two moves")
    scene.analyzer.stop()
    assert scene.analyzer.log("lease_released"), "it gives the Lease back"
    scene.start(scene.second)
    scene.wait(lambda: kills.ended(scene), "the end of the release")
    kills.assert_promoted(kills.outcome(scene))
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)


def test_configuration_changed_while_the_daemon_is_dead_touches_only_the_next_release(
    lab: LabAddress, stages: MakeStage
) -> None:
    scene = _scene(lab, stages)
    mortals = Mortals(scene)
    mortals.until(lambda: scene.state().get("phase") == Phase.IDLE.value, "first sight")
    scene.pair.set_env(**GOOD)
    scene.wait(lambda: len(kills.moves(scene)) == 2, "two moves")
    mortals.current.kill()
    frozen = scene.state()["release"]
    other = {"steps": [{"weight": 10, "hold": "1h"}], "promote": "swap", "deadline": "2h", "weightTolerance": 100}
    changed = laid_over(scene.setup.analysis, {"falseAbort": 0.05, "interval": "2s"})
    scene.configure(replace(scene.setup, plan=laid_over(scene.setup.plan, other), analysis=changed))
    mortals.replace_killed()
    mortals.until(lambda: kills.ended(scene), "the end of the release")
    kills.assert_promoted(kills.outcome(scene))
    ended = scene.state()["release"]
    assert (ended["plan"], ended["analysis"]) == (frozen["plan"], frozen["analysis"])
