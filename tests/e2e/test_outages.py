"""What the daemon needs goes away in mid-release: it holds, loses nothing, and goes on when that is back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeStage
from tests.e2e.lab.lab import Lab, LabAddress
from tests.e2e.scene import kills
from tests.e2e.scene.between import Between, Trouble
from tests.e2e.scene.configuration import Setup, laid_over
from tests.e2e.scene.kills import ANALYSIS, BAD, GOOD, PLAN, REPLICAS, Outcome
from tests.e2e.scene.scene import Scene

pytestmark = pytest.mark.e2e

API_DOWN_SECONDS = 60.0
PROMETHEUS_DOWN_SECONDS = 20.0
UNHEARD = 4
"""So many spoiled answers in a row are no accident."""

SAID = {
    Trouble.UNAVAILABLE: "503",
    Trouble.REFUSED: "bad_data",
    Trouble.TRUNCATED: "Prometheus",
    Trouble.HANGING: "Prometheus",
    Trouble.WARNED: "marked it as incomplete",
}
LONG_STEP = laid_over(PLAN, {"steps": [{"weight": 50, "hold": "5s"}]})


@pytest.fixture
def between() -> Iterator[Callable[[str], Between]]:
    """Makes servers that stand before others until the test ends."""
    with ExitStack() as open_servers:
        yield lambda upstream: open_servers.enter_context(Between(upstream))


def _in_first_step(scene: Scene, env: Mapping[str, str] = GOOD) -> None:
    scene.wait_for(Phase.IDLE)
    scene.pair.set_env(**env)
    scene.wait(lambda: len(kills.moves(scene)) == 2, "the first step's replicas")
    scene.wait_for(Phase.PROGRESSING)


def _promoted(scene: Scene) -> Outcome:
    scene.wait(lambda: kills.ended(scene), "the end of the release", kills.RELEASE_SECONDS)
    found = kills.outcome(scene)
    kills.assert_promoted(found)
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)
    return found


def _own_scene(own_lab: Lab, stages: MakeStage) -> Scene:
    scene = stages(own_lab.address, Setup(replicas=REPLICAS, plan=LONG_STEP, analysis=ANALYSIS))
    scene.begin()
    return scene


def test_api_server_away_for_a_minute_in_mid_step_delays_a_release_and_nothing_else(
    own_lab: Lab, stages: MakeStage
) -> None:
    scene = _own_scene(own_lab, stages)
    _in_first_step(scene)
    own_lab.control_plane.stop_api()
    stopped_at = time.monotonic()
    scene.analyzer.wait_for_log("lease_unreachable")
    scene.wait(lambda: time.monotonic() - stopped_at >= API_DOWN_SECONDS, "the time of the outage")
    assert scene.analyzer.running
    own_lab.control_plane.start_api()
    _promoted(scene)


def test_slow_etcd_and_a_stopped_prometheus_hold_a_release_that_goes_on_by_itself(
    own_lab: Lab, stages: MakeStage
) -> None:
    scene = _own_scene(own_lab, stages)
    _in_first_step(scene)
    own_lab.prometheus.stop()
    stopped_at = time.monotonic()
    scene.wait(lambda: _said_since(scene, "Prometheus", 0), "a hold for Prometheus")
    scene.wait(lambda: time.monotonic() - stopped_at >= PROMETHEUS_DOWN_SECONDS, "the time of the outage")
    assert len(kills.moves(scene)) == 2
    assert scene.state()["phase"] == Phase.PROGRESSING
    own_lab.prometheus.start()
    with own_lab.control_plane.slow_etcd():
        scene.wait_for(Phase.PROMOTING, Phase.BAKING, Phase.SUCCEEDED, seconds=kills.RELEASE_SECONDS)
        scene.wait(lambda: len(kills.moves(scene)) >= 5, "most of a promotion with a slow etcd")
    _promoted(scene)


def _suffer(scene: Scene, prometheus: Between, trouble: Trouble) -> None:
    """One kind of bad answer: it is noticed, and moves no pod."""
    before = len(scene.analyzer.log("decision"))
    prometheus.suffer(trouble)
    scene.wait(lambda: prometheus.spoiled >= UNHEARD, f"answers spoiled by {trouble}")
    scene.wait(lambda: _said_since(scene, SAID[trouble], before), f"{SAID[trouble]!r} in a decision")
    assert scene.state()["phase"] == Phase.PROGRESSING
    assert len(kills.moves(scene)) == 2


def _said_since(scene: Scene, words: str, before: int) -> bool:
    return any(words in json.dumps(line) for line in scene.analyzer.log("decision")[before:])


@pytest.mark.parametrize("env", [GOOD, BAD], ids=["good", "bad"])
def test_bad_answers_of_prometheus_hold_a_release_and_neither_promote_nor_abort_it(
    lab: LabAddress, stages: MakeStage, between: Callable[[str], Between], env: Mapping[str, str]
) -> None:
    prometheus = between(lab.prometheus)
    file = {"prometheus": {"url": prometheus.url, "timeout": "1s"}}
    # Nothing is evidence before trouble begins: a canary as bad as this one would be aborted at once.
    late = laid_over(ANALYSIS, {"warmup": "8s", "fastLane": "off"})
    scene = stages(lab, Setup(replicas=REPLICAS, plan=PLAN, analysis=late, file=file))
    scene.begin()
    _in_first_step(scene, env)
    for trouble in SAID:
        _suffer(scene, prometheus, trouble)
    prometheus.suffer(Trouble.NONE)
    scene.wait(lambda: kills.ended(scene), "the end of the release", kills.RELEASE_SECONDS)
    if env is GOOD:
        kills.assert_promoted(kills.outcome(scene))
    else:
        kills.assert_aborted(kills.outcome(scene))


def test_alert_reaches_a_receiver_that_was_away_for_the_whole_release(
    lab: LabAddress, stages: MakeStage, between: Callable[[str], Between]
) -> None:
    scene = stages(lab, Setup(replicas=REPLICAS, plan=PLAN, analysis=ANALYSIS))
    receiver = between(scene.receiver.url.rpartition("/")[0])
    told = {"receivers": [{"name": "oncall", "webhook": {"url": f"{receiver.url}/alerts"}}]}
    receiver.stop()
    scene.configure(Setup(replicas=REPLICAS, plan=PLAN, analysis=ANALYSIS, file={"alerts": told}))
    scene.begin()
    scene.pair.set_env(**BAD)
    scene.wait_for(Phase.ABORTED)
    scene.wait(lambda: any(one["attempts"] > 1 for one in scene.state()["outbox"]), "attempts to deliver")
    assert len(scene.state()["outbox"]) == 2
    assert not scene.alerts()
    receiver.start()
    scene.wait(lambda: kills.ended(scene), "the alerts delivered", 120)
    kills.assert_aborted(kills.outcome(scene))
    assert scene.receiver.repeated == 0
