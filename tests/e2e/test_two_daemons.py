"""Two daemons for the same targets: one acts, the other waits, and a late write of an old holder has no effect.

Also where one of them is of an earlier version, as in a rolling update or after a roll-back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

import pytest
import requests

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeStage
from tests.e2e.lab.lab import LabAddress
from tests.e2e.scene import earlier_program, kills
from tests.e2e.scene.analyzer import Analyzer
from tests.e2e.scene.configuration import Setup, laid_over
from tests.e2e.scene.kills import ANALYSIS, GOOD, PLAN, REPLICAS
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e

TAKE_OVER_SECONDS = 20.0
FROZEN_SECONDS = 30.0
FENCED = {409, 422}
EPOCH, LEGACY_EPOCH = "canary-analyzer.io/epoch", "canary-analyzer/epoch"
HELD = {"steps": [{"weight": 50, "hold": "1h"}], "deadline": "3h"}

Earlier = Literal["first", "second", "none"]


def _both_running(lab: LabAddress, stages: MakeStage, kill_at: str | None = None, earlier: Earlier = "none") -> Scene:
    scene = stages(lab, Setup(replicas=REPLICAS, plan=PLAN, analysis=ANALYSIS, earlier=earlier))
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
    """No write of the first daemon has taken effect after the second one took the Lease, but for Events about what it
    did before: those only tell, and may be late."""
    leases = [one for one in _accepted(scene, scene.second) if one["objectRef"]["resource"] == "leases"]
    taken_at = leases[0]["stageTimestamp"]
    writes = [one for one in scene.writes(scene.analyzer) if one["objectRef"]["resource"] != "events"]
    late = [one for one in writes if one["stageTimestamp"] > taken_at]
    assert not [one for one in late if kills.accepted(one)]
    assert {one["responseStatus"]["code"] for one in late} <= FENCED


def _epochs(scene: Scene, name: str) -> dict[str, int]:
    """The epochs on a Deployment."""
    found = scene.pair.deployment(name)["metadata"]["annotations"]
    return {key: int(found[key]) for key in (EPOCH, LEGACY_EPOCH) if key in found}


def _wait_for_status(scene: Scene, phase: Phase) -> None:
    scene.wait(lambda: scene.status().get("phase") == phase.value, f"the status {phase}", 30)


def _shown(scene: Scene, selector: str) -> str:
    """What kubectl lists at home by labels."""
    return scene.lab.run_kubectl("get", "configmaps", "-l", selector, "-o", "name", namespace=scene.home)


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


@pytest.mark.parametrize("earlier", ["none", "first", "second"], ids="earlier-version-{}".format)
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
    lab: LabAddress, stages: MakeStage, write: str, earlier: Earlier
) -> None:
    scene = _both_running(lab, stages, f"freeze-before:{write}", earlier)
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


@pytest.mark.parametrize(("earlier", "keys"), [("first", {EPOCH, LEGACY_EPOCH}), ("second", {LEGACY_EPOCH})])
def test_a_release_that_the_other_version_takes_over_is_claimed_under_the_keys_that_it_knows(
    lab: LabAddress, stages: MakeStage, earlier: Earlier, keys: set[str]
) -> None:
    scene = _both_running(lab, stages, earlier=earlier)
    scene.wait(lambda: len(kills.moves(scene)) == 2, "two moves")
    first = scene.analyzer.log("leadership_acquired")[-1]["epoch"]
    scene.analyzer.kill()
    second = scene.second.wait_for_log("leadership_acquired")["epoch"]
    scene.wait(lambda: kills.ended(scene), "the end of the release")
    kills.assert_promoted(kills.outcome(scene))
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)
    for name in (scene.pair.stable, scene.pair.canary):
        assert _epochs(scene, name) == {EPOCH: first, **dict.fromkeys(keys, second)}


def test_a_release_and_its_commands_go_on_through_an_upgrade_and_back(lab: LabAddress, stages: MakeStage) -> None:
    """Each daemon finds the other's documents; commands of both programs reach both."""
    scene = stages(lab, Setup(replicas=REPLICAS, plan=laid_over(PLAN, HELD), analysis=ANALYSIS, earlier="first"))
    earlier = earlier_program.COMMAND
    scene.begin()
    scene.pair.set_env(**GOOD)
    scene.wait_for(Phase.PROGRESSING)
    release = scene.state()["release"]["id"]
    _wait_for_status(scene, Phase.PROGRESSING)
    assert scene.cli("pause", "my-app", program=earlier).code == 0
    _wait_for_status(scene, Phase.PAUSED)
    assert not _shown(scene, "canary-analyzer.io/document=status")

    scene.start(scene.second)
    scene.second.wait_for_log("daemon_started")
    scene.analyzer.stop()
    scene.second.wait_for_log("leadership_acquired")
    scene.wait(
        lambda: _shown(scene, "canary-analyzer.io/document=status,canary-analyzer.io/phase=PAUSED"), "its labels"
    )
    assert scene.cli("resume", "my-app", program=earlier).code == 0
    _wait_for_status(scene, Phase.PROGRESSING)
    assert scene.cli("pause", "my-app").code == 0
    _wait_for_status(scene, Phase.PAUSED)

    scene.second.stop()
    scene.start(scene.analyzer)
    scene.wait(lambda: len(scene.analyzer.log("leadership_acquired")) == 2, "a roll-back")
    assert scene.cli("abort", "my-app").code == 0
    _wait_for_status(scene, Phase.ABORTED)
    assert [entry["id"] for entry in scene.history()] == [release]
    assert scene.pair.replicas(scene.pair.stable) == REPLICAS
