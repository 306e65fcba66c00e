"""Several targets under one daemon: they do not wait for each other, and come and go while it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene, MakeStage
from tests.e2e.endings import assert_promoted, assert_rolled_back
from tests.e2e.lab.lab import LabAddress
from tests.e2e.scene.analyzer import Analyzer
from tests.e2e.scene.configuration import QUICK, Setup, configuration
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e


def test_a_good_and_a_bad_release_at_the_same_time_end_each_in_its_own_way(new_scene: MakeScene) -> None:
    scene = new_scene(targets=("my-app", "other"))
    good, bad = scene.pairs["my-app"], scene.pairs["other"]
    good.set_image("2.0")
    bad.set_env(VERSION="bad", ERROR_RATE="0.4")
    assert scene.wait_for_end("other") is Phase.ABORTED
    assert scene.wait_for_end("my-app") is Phase.SUCCEEDED
    assert_rolled_back(scene, bad, "^other: aborted, errors failed.* errors: canary")
    assert_promoted(scene, good, serving=good.stable)
    assert good.image(good.stable) == "example.com/my-app:2.0"


def test_of_two_releases_one_waits_where_only_one_may_be_in_progress(new_scene: MakeScene) -> None:
    held = {"steps": [{"weight": 25, "hold": "1h"}], "deadline": "3h"}
    scene = new_scene(targets=("my-app", "other"), plan=held, file={"limits": {"maxConcurrent": 1}})
    scene.pairs["my-app"].set_image("2.0")
    scene.wait_for(Phase.PROGRESSING, target="my-app")
    scene.pairs["other"].set_image("2.0")
    scene.wait_for(Phase.PENDING, target="other")
    scene.wait(lambda: "waiting for a slot" in scene.status("other")["reason"], "the slot in the status", 30)
    assert scene.cli("abort", "my-app").code == 0
    scene.wait_for(Phase.PROGRESSING, target="other")
    assert scene.phases("other")[:3] == ["IDLE", "PENDING", "PROGRESSING"]
    assert scene.state("my-app")["phase"] == Phase.ABORTED.value


class Folder:
    """A folder of configuration files, one a target and one for the rest, that changes under a running daemon."""

    def __init__(self, scene: Scene, setup: Setup) -> None:
        self.path = scene.folder / "config"
        self.path.mkdir()
        whole = configuration(setup, scene.namespace, scene.lab.prometheus, scene.receiver.url)
        self._canaries = {canary["name"]: canary for canary in whole.pop("canaries")}
        self._write("general", whole)

    def add(self, target: str) -> None:
        """Its file comes."""
        self._write(target, {"canaries": [self._canaries[target]]})

    def remove(self, target: str) -> None:
        """Its file goes."""
        self._file(target).unlink()

    def _write(self, name: str, content: object) -> None:
        draft = self.path / f"{name}.draft"
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.yaml"


def test_a_target_removed_in_mid_release_is_finished_and_an_added_one_is_only_looked_at(
    lab: LabAddress, stages: MakeStage
) -> None:
    scene = stages(lab, Setup(targets=("my-app", "other"), plan=QUICK))
    scene.begin_pairs()
    folder = Folder(scene, scene.setup)
    folder.add("my-app")
    scene.analyzer = Analyzer(lab, scene.folder, scene.home, folder.path)
    scene.start(scene.analyzer)
    scene.wait_for(Phase.IDLE, target="my-app")
    leaving, coming = scene.pairs["my-app"], scene.pairs["other"]
    coming.set_image("2.0")
    leaving.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING, target="my-app")
    folder.add("other")
    folder.remove("my-app")
    assert scene.wait_for(Phase.IDLE, target="other")["unmanaged"]
    assert scene.wait_for_end("my-app") is Phase.SUCCEEDED
    assert_promoted(scene, leaving, serving=leaving.stable, max_surge=4)
    assert scene.analyzer.wait_for_log("target_forgotten")["target"] == "my-app"
    leaving.set_image("3.0")
    coming.set_image("4.0")
    scene.wait_for(Phase.PROGRESSING, target="other")
    assert scene.state("my-app")["phase"] == Phase.SUCCEEDED.value
    assert not leaving.ready(leaving.canary)
