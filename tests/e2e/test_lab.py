"""The lab itself, without a daemon: it behaves as a cluster does, its watchers see what they should, and it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from analyzer.sandbox.runner import PACKAGE_ROOT
from tests.e2e.conftest import MakeStage
from tests.e2e.lab.lab import Lab, LabAddress, wait_until
from tests.e2e.lab.prometheus import query
from tests.e2e.scene.configuration import Setup
from tests.e2e.scene.pair import Pair

pytestmark = pytest.mark.e2e

DAEMON = "--field-manager=canary-analyzer"


@pytest.fixture(name="pair")
def _pair(lab: LabAddress, stages: MakeStage) -> Pair:
    scene = stages(lab, Setup(replicas=2, rps=40))
    scene.begin_pairs()
    return scene.pair


def scale_as_the_daemon(pair: Pair, deployment: str, replicas: int) -> None:
    patch = f'{{"spec": {{"replicas": {replicas}}}}}'
    pair.kubectl("patch", f"deployment/{deployment}", DAEMON, "--patch", patch)


def containers(pair: Pair, deployment: str) -> list[dict[str, Any]]:
    return [one for pod in pair.pods(deployment) for one in pod["status"].get("containerStatuses", ())]


def restarts(pair: Pair, deployment: str) -> int:
    return max((one["restartCount"] for one in containers(pair, deployment)), default=0)


def waiting(pair: Pair, deployment: str) -> set[str]:
    states = [one["state"] for one in containers(pair, deployment)]
    return {state["waiting"]["reason"] for state in states if "waiting" in state}


def test_pods_serve_users_and_prometheus_counts_them(lab: LabAddress, pair: Pair) -> None:
    series = f'http_requests_total{{namespace="{pair.namespace}",code="200"}}'

    def counted() -> bool:
        found = {one["metric"]["pod"]: float(one["value"][1]) for one in query(lab.prometheus, series)}
        return found.keys() == {pod["metadata"]["name"] for pod in pair.pods(pair.stable)} and all(found.values())

    wait_until(counted, 30, "requests in Prometheus, for both pods and once for each")
    wait_until(lambda: len(pair.traffic.pods(pair.stable)) == 2, 10, "requests to both pods")
    pair.traffic.stop()
    pair.traffic.assert_answered(pair.stable)
    assert pair.traffic.of(version="1.0").requests > 0


def test_scaling_and_a_new_template_cost_no_request_an_answer(pair: Pair) -> None:
    before = {pod["metadata"]["labels"]["pod-template-hash"] for pod in pair.pods(pair.stable)}
    pair.kubectl("scale", f"deployment/{pair.canary}", "--replicas=2")
    pair.wait_ready(pair.canary, 2)
    pair.set_image("2.0", pair.stable)
    wait_until(lambda: pair.traffic.of(version="2.0").requests > 0, 30, "requests to the new version")
    pair.kubectl("scale", f"deployment/{pair.canary}", "--replicas=0")
    pair.wait_ready(pair.canary, 0)
    pair.wait_ready(pair.stable, 2)
    after = {pod["metadata"]["labels"]["pod-template-hash"] for pod in pair.pods(pair.stable)}
    assert len(before | after) == 2
    pair.traffic.stop()
    pair.traffic.assert_answered(pair.stable)
    pair.traffic.assert_answered(pair.canary)
    assert pair.capacity.lowest_available() == 2


def test_a_container_that_ends_is_started_again_with_back_off(pair: Pair) -> None:
    pair.set_env(VERSION="2", CRASH_AFTER="0.5")
    pair.kubectl("scale", f"deployment/{pair.canary}", "--replicas=1")
    wait_until(lambda: restarts(pair, pair.canary) >= 2, 30, "two restarts")
    wait_until(lambda: "CrashLoopBackOff" in waiting(pair, pair.canary), 30, "CrashLoopBackOff")


def test_an_image_that_can_t_be_pulled_never_starts(pair: Pair) -> None:
    pair.set_env(VERSION="2", IMAGE_PULL_FAILS="1")
    pair.kubectl("scale", f"deployment/{pair.canary}", "--replicas=1")
    wait_until(lambda: "ImagePullBackOff" in waiting(pair, pair.canary), 30, "ImagePullBackOff")


def test_pods_go_with_their_deployment(pair: Pair) -> None:
    pair.kubectl("delete", f"deployment/{pair.stable}")
    wait_until(lambda: not pair.pods(pair.stable), 30, "the end of its pods")


def test_the_watcher_sees_who_took_too_much_away(pair: Pair) -> None:
    pair.kubectl("scale", f"deployment/{pair.stable}", "--replicas=1")
    wait_until(lambda: pair.capacity.writes("kubectl"), 10, "kubectl's write")
    assert not pair.capacity.writes()
    scale_as_the_daemon(pair, pair.stable, 0)
    wait_until(pair.capacity.writes, 10, "the write that looks like the daemon's")
    with pytest.raises(AssertionError, match="fewer than 2 available"):
        pair.capacity.assert_within(total=2, max_surge=1)


def test_the_watcher_sees_a_write_that_comes_too_early(pair: Pair) -> None:
    """One pod more is asked for, but is not ready when the other one is taken away."""
    pair.set_env(VERSION="2", START_DELAY="5")
    scale_as_the_daemon(pair, pair.canary, 1)
    scale_as_the_daemon(pair, pair.stable, 1)
    wait_until(lambda: len(pair.capacity.writes()) == 2, 10, "both writes")
    with pytest.raises(AssertionError, match="fewer than 2 available"):
        pair.capacity.assert_within(total=2, max_surge=1)


def test_the_watcher_sees_pods_above_the_bound_and_allows_a_good_move(pair: Pair) -> None:
    scale_as_the_daemon(pair, pair.canary, 1)
    pair.wait_ready(pair.canary, 1)
    scale_as_the_daemon(pair, pair.stable, 1)
    pair.wait_ready(pair.stable, 1)
    wait_until(lambda: len(pair.capacity.writes()) == 2, 10, "both writes")
    pair.capacity.assert_within(total=2, max_surge=1)
    scale_as_the_daemon(pair, pair.canary, 3)
    wait_until(lambda: len(pair.capacity.writes()) == 3, 10, "the write too many")
    with pytest.raises(AssertionError, match="more than 3 pods"):
        pair.capacity.assert_within(total=2, max_surge=1)


def test_what_users_could_reach_is_known_even_when_pods_die_by_themselves(pair: Pair) -> None:
    pair.set_env(VERSION="2", CRASH_AFTER="3")
    pair.kubectl("scale", f"deployment/{pair.canary}", "--replicas=1")
    pair.kubectl("scale", f"deployment/{pair.stable}", "--replicas=1")
    wait_until(lambda: restarts(pair, pair.canary) >= 1, 30, "a crash")
    assert pair.capacity.lowest_available() == 1


def test_the_api_server_comes_back_with_everything(own_lab: Lab, stages: MakeStage) -> None:
    scene = stages(own_lab.address, Setup(replicas=2))
    scene.begin_pairs()
    own_lab.control_plane.stop_api()
    own_lab.control_plane.start_api()
    scene.pair.kubectl("scale", "deployment/my-app-v2", "--replicas=1")
    scene.pair.wait_ready("my-app-v2", 1)
    wait_until(lambda: scene.pair.traffic.pods("my-app-v2"), 30, "users of the new pod")
    scene.pair.traffic.stop()
    scene.pair.traffic.assert_answered("my-app-v1")


def test_nothing_of_a_lab_outlives_a_killed_owner(tmp_path: Path) -> None:
    folder, log = tmp_path / "lab", tmp_path / "log"
    command = [sys.executable, "-m", "tests.e2e.lab", "--folder", str(folder)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, cwd=PACKAGE_ROOT) as owner:
        wait_until(lambda: "Ctrl-C ends it" in log.read_text(), 60, "the lab")
        address = LabAddress.from_json((folder / "lab.json").read_text())
        pair = Pair(address, address.api(), "default")
        pair.apply(2, {})
        pair.wait_ready(pair.stable, 2)
        began = descendants(owner.pid)
        assert len(began) >= 7, "etcd, three of Kubernetes, Prometheus, two pods, and leashes"
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    wait_until(lambda: not [pid for pid in began if is_running(pid)], 15, "the end of every process")


def descendants(pid: int) -> list[int]:
    with suppress(OSError):
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        return [*children, *(far for child in children for far in descendants(child))]
    return []


def is_running(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
