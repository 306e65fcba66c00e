"""Releases whose pods fail by themselves: given up without waiting for statistics, with the container's last words."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.endings import assert_rolled_back, last_entry

pytestmark = pytest.mark.e2e

LAST_WORDS = "no such table: orders"


@pytest.mark.parametrize(
    ("env", "culprit", "reason"),
    [
        ({"CRASH_AFTER": "1"}, "CrashLoopBackOff", rf"is crash-looping \(\d+ restarts; last exit: .*{LAST_WORDS}"),
        ({"NEVER_READY": "1"}, "NeverReady", "did not become ready within 10s"),
        ({"IMAGE_PULL_FAILS": "1"}, "ImagePull", "could not pull its image within 10s: ImagePullBackOff"),
        ({"CONFIG_ERROR": "1"}, "CreateContainerConfigError", "cannot start: CreateContainerConfigError"),
        ({"OOM_AFTER": "2"}, "OOMKilled", r"was OOM-killed \d+ times"),
    ],
    ids=["crash loop", "never ready", "image pull", "container config", "out of memory"],
)
def test_a_version_whose_pods_fail_is_aborted_with_their_reason(
    new_scene: MakeScene, env: dict[str, str], culprit: str, reason: str
) -> None:
    scene = new_scene()
    scene.pair.set_env(VERSION="bad", TERMINATION_MESSAGE=LAST_WORDS, **env)
    assert scene.wait_for_end() is Phase.ABORTED
    assert_rolled_back(scene, scene.pair, reason)
    entry = last_entry(scene, scene.pair)
    assert (entry["cause"], entry["culprit"]) == ("hard-failure", culprit)
    assert entry["secondsToSafe"] < 30


def test_pods_of_both_versions_that_crash_at_once_hold_the_release_and_abort_nothing(
    new_scene: MakeScene, tmp_path: Path
) -> None:
    outage = tmp_path / "outage"
    scene = new_scene(env={"CRASH_WHEN": str(outage)}, plan={"steps": [{"weight": 25, "hold": "30s"}]})
    pair = scene.pair
    pair.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING)
    pair.wait_ready(pair.canary, 1)
    pair.wait_ready(pair.stable, 3)
    release = scene.state()["release"]["id"]
    outage.touch()
    (told,) = scene.wait_for_alerts("stuck", seconds=60)
    assert "stable and canary fail the same way" in told.body["data"]["summary"]
    assert scene.state()["phase"] == Phase.PROGRESSING.value
    outage.unlink()
    assert scene.wait_for_end() is Phase.SUCCEEDED
    assert scene.state()["release"]["id"] == release
    assert not scene.alerts("aborted")
