"""Releases that wait for somebody or something, and what happens when it takes too long."""

from __future__ import annotations

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene
from tests.e2e.endings import assert_promoted, assert_rolled_back
from tests.e2e.scene.configuration import QUICK

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"


def test_a_gate_that_nobody_opens_in_time_rolls_back_where_the_plan_says_so(new_scene: MakeScene) -> None:
    gate = {"manual": {"timeout": "5s", "then": "rollback"}}
    scene = new_scene(plan={**QUICK, "steps": [{"weight": 25, "hold": "1s", "gate": gate}]})
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.PAUSED)
    assert scene.wait_for_end() is Phase.ABORTED
    assert_rolled_back(scene, scene.pair, "gate", max_surge=4)


def test_a_deadline_without_proof_pauses_and_a_resume_has_to_move_it(new_scene: MakeScene) -> None:
    scene = new_scene(plan={**QUICK, "deadline": "20s"}, rps=1.0)
    scene.pair.set_image("2.0")
    assert scene.wait_for(Phase.PAUSED)["release"]["pause"]["kind"] == "inconclusive"
    scene.wait(lambda: scene.status()["phase"] == Phase.PAUSED.value, "its status", 30)
    assert scene.cli("resume", "my-app").code == 0
    scene.wait(lambda: "--extend" in scene.cli("status", "my-app").out, "the refusal with the way out", 30)
    assert scene.state()["phase"] == Phase.PAUSED.value
    assert scene.cli("resume", "my-app", "--extend", "1h").code == 0
    scene.wait_for(Phase.PROGRESSING)
    promoted = scene.cli("promote", "my-app", "--wait", "--timeout", "100s")
    assert promoted.code == 0, promoted
    assert scene.pair.image(V1) == "example.com/my-app:2.0"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)
