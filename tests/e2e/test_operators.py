"""An operator's commands against the cluster, as a user who may see documents and ask for things, no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeScene, MakeStage
from tests.e2e.endings import assert_promoted, last_entry
from tests.e2e.lab.lab import LabAddress
from tests.e2e.scene.configuration import QUICK, Setup

pytestmark = pytest.mark.e2e

V1, V2 = "my-app-v1", "my-app-v2"
HELD = {"steps": [{"weight": 25, "hold": "1h"}], "deadline": "3h"}


def test_a_version_that_was_there_at_first_sight_begins_by_start(lab: LabAddress, stages: MakeStage) -> None:
    scene = stages(lab, Setup(plan=QUICK))
    scene.begin_pairs()
    scene.pair.set_image("2.0")
    scene.start(scene.analyzer)
    scene.wait_for(Phase.IDLE)
    scene.wait(lambda: scene.status().get("unmanaged") is True, "its status")
    assert not scene.pair.capacity.writes()
    answer = scene.cli("start", "my-app", "--wait", "--timeout", "100s")
    assert answer.code == 0, answer
    assert "promoted" in answer.out
    assert scene.phases()[:3] == ["IDLE", "PENDING", "PROGRESSING"]
    assert scene.pair.image(V1) == "example.com/my-app:2.0"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)


def test_an_abort_is_waited_for_and_a_retry_promotes_the_same_version(new_scene: MakeScene) -> None:
    scene = new_scene(plan={**HELD, "capacity": QUICK["capacity"]})
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING)
    scene.pair.wait_ready(V2, 1)
    running = scene.cli("status", "my-app", "--wait", "--timeout", "1s")
    assert running.code == 3, running
    aborted = scene.cli("abort", "my-app", "--wait", "--timeout", "60s")
    assert aborted.code == 2, aborted
    assert scene.wait_for_end() is Phase.ABORTED
    assert (scene.pair.replicas(V1), scene.pair.replicas(V2)) == (4, 0)
    assert scene.cli("status", "my-app", "--wait").code == 2
    assert scene.cli("retry", "my-app").code == 0
    scene.wait_for(Phase.PROGRESSING)
    scene.wait(lambda: scene.status()["phase"] == Phase.PROGRESSING.value, "its status", 30)
    promoted = scene.cli("promote", "my-app", "--wait", "--timeout", "90s")
    assert promoted.code == 0, promoted
    assert scene.pair.image(V1) == "example.com/my-app:2.0"
    assert last_entry(scene, scene.pair)["result"] == "promoted"
    assert [entry["result"] for entry in scene.history()] == ["aborted", "promoted"]
    scene.pair.capacity.assert_within(total=4, max_surge=4)


def test_a_pause_stops_forward_moves_until_resume_and_a_second_one_is_refused(new_scene: MakeScene) -> None:
    scene = new_scene(plan=QUICK)
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING)
    scene.wait(lambda: scene.status()["phase"] == Phase.PROGRESSING.value, "its status", 30)
    assert scene.cli("pause", "my-app").code == 0
    state = scene.wait_for(Phase.PAUSED)
    assert state["release"]["pause"]["kind"] == "operator"
    scene.wait(lambda: scene.status()["phase"] == Phase.PAUSED.value, "its status", 30)
    before = scene.pair.replicas(V2)
    assert scene.cli("pause", "my-app").code == 0
    scene.wait(lambda: "already paused" in scene.cli("status", "my-app").out, "the refusal", 30)
    assert scene.pair.replicas(V2) == before
    resumed = scene.cli("resume", "my-app", "--wait", "--timeout", "100s")
    assert resumed.code == 0, resumed
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)


def test_a_gate_waits_for_resume_and_only_then_promotes(new_scene: MakeScene) -> None:
    scene = new_scene(plan={**QUICK, "steps": [{"weight": 25, "hold": "1s", "gate": "manual"}]})
    scene.pair.set_image("2.0")
    assert scene.wait_for(Phase.PAUSED)["release"]["pause"]["kind"] == "gate"
    scene.wait(lambda: scene.status()["phase"] == Phase.PAUSED.value, "its status", 30)
    assert (scene.pair.replicas(V1), scene.pair.replicas(V2)) == (3, 1)
    resumed = scene.cli("resume", "my-app", "--wait", "--timeout", "100s")
    assert resumed.code == 0, resumed
    assert scene.pair.image(V1) == "example.com/my-app:2.0"
    assert_promoted(scene, scene.pair, serving=V1, max_surge=4)


def test_a_freeze_stops_moves_forward_and_lifting_it_lets_them_go_on(new_scene: MakeScene) -> None:
    scene = new_scene()
    scene.configure(replace(scene.setup, file={"freeze": True}))
    scene.analyzer.wait_for_log("config_reloaded")
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.PENDING)
    scene.wait(lambda: "frozen by the configuration" in scene.status()["reason"], "the freeze in the status", 30)
    assert not scene.pair.capacity.writes()
    scene.configure(replace(scene.setup, file={"freeze": False}))
    scene.wait_for(Phase.PROGRESSING)
    scene.pair.wait_ready(V2, 1)


def test_status_and_why_say_where_it_stands_in_numbers(new_scene: MakeScene) -> None:
    scene = new_scene(plan=HELD)
    scene.pair.set_image("2.0")
    scene.wait_for(Phase.PROGRESSING)
    scene.wait(lambda: (scene.status().get("observedShare") or 0) > 0, "the share of the canary", 60)
    told = scene.cli("status", "my-app", "-o", "json").json
    assert (told["phase"], told["outcome"], told["step"], told["weight"]) == ("PROGRESSING", None, 1, 25)
    assert (told["replicas"]["stable"]["requested"], told["replicas"]["canary"]["requested"]) == (3, 1)
    assert 0.1 < told["observedShare"] < 0.5
    (metric,) = told["metrics"]
    assert metric["name"] == "errors"
    assert metric["canary"]["total"] > 0
    assert "errors" in scene.cli("why", "my-app").out
    for deployment in (V1, V2):
        said = [event["message"] for event in scene.events(deployment)]
        assert [message for message in said if "PENDING -> PROGRESSING" in message], said
    unknown = scene.cli("status", "your-app")
    assert unknown.code == 1
    assert "found: my-app" in unknown.err
