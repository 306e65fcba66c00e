"""The sandbox with real processes: it carries the load, fails as told, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from analyzer.model.errors import ActuationError
from analyzer.model.metric import Analysis
from analyzer.model.plan import Plan
from analyzer.model.target import Target
from analyzer.model.workload import Workload
from analyzer.sandbox.addresses import PodAddress, claim_ports
from analyzer.sandbox.controller import DeploymentSpec, Tempo
from analyzer.sandbox.deployments import SandboxWorkloads
from analyzer.sandbox.receiver import AlertReceiver
from analyzer.sandbox.runner import PACKAGE_ROOT, PodRunner, PodSpec, program_env
from analyzer.sandbox.service import Service, tally
from analyzer.sandbox.shop import ROLES, ReleaseKind, Shop, ShopSettings
from analyzer.sandbox.template import pod_template

pytestmark = pytest.mark.integration

TARGET = Target("shop", "default", ROLES, Plan(steps=()), Analysis(metrics=()))


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not come true within {seconds} s"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return _state(pid) != "Z"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return "?"


def processes_of(folder: str) -> set[int]:
    """Processes that write to this folder or name it on their command line; on Linux only."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder in f"{(process / 'fd/1').readlink()} {(process / 'cmdline').read_text()}":
                found.add(int(process.name))
    return found


def children_of(parent: int) -> set[int]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == parent:
                found.add(int(process.name))
    return found


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - addresses of our own
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def address() -> Iterator[PodAddress]:
    """An address as on systems with 127.0.0.1 alone."""
    pool = claim_ports(1)
    assert pool is not None
    yield pool.addresses[0]
    pool.close()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Shop(ShopSettings(seed=1, tempo=Tempo(min_ready=0.3))) as running:
        yield running
    assert not running.directory.exists()


def canary(shop: Shop) -> Workload:
    workload = shop.workloads.workload(ROLES.canary)
    assert workload is not None
    return workload


def settled(shop: Shop) -> bool:
    both = [shop.workloads.workload(name) for name in (ROLES.stable, ROLES.canary)]
    return all(workload is not None and workload.settled and not_ending(workload) for workload in both)


def not_ending(workload: Workload) -> bool:
    return not any(pod.deleted for pod in workload.pods)


def test_pod_serves_counts_and_drains(tmp_path: Path, address: PodAddress) -> None:
    env = {"ERROR_RATE": "1", "START_DELAY": "0.3", "LATENCY_MS": "300"}
    pod = PodRunner(tmp_path).start(PodSpec("pod-a", "default", address, env))
    site, metrics = f"http://{address.host}:{address.port}", f"http://{address.metrics}/metrics"
    try:
        wait_until(pod.is_ready)
        assert get(f"{site}/")[0] == 500
        assert 'code="500",method="GET",namespace="default",pod="pod-a",version="v1"} 1.0' in get(metrics)[1]
        with socket.create_connection((address.host, address.port), 5.0) as user:
            user.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            time.sleep(0.1)
            pod.stop(5.0)
            assert user.recv(1024).startswith(b"HTTP/1.1 500 ")
        assert pod.exit_status() == 0
    finally:
        pod.stop(0.0)


def test_pod_dies_with_a_parent_that_is_killed(tmp_path: Path, address: PodAddress) -> None:
    parent_code = f"""
import time
from pathlib import Path
from analyzer.sandbox.addresses import PodAddress
from analyzer.sandbox.runner import PodRunner, PodSpec
address = PodAddress({address.host!r}, {address.port}, {address.metrics_port})
pod = PodRunner(Path({str(tmp_path)!r})).start(PodSpec("pod-a", "default", address, {{}}))
while not pod.is_ready():
    time.sleep(0.02)
print(pod.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True, env=program_env({})
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until(lambda: not alive(pid), 5.0)


def test_carries_four_hundred_requests_per_second(shop: Shop) -> None:
    wait_until(lambda: shop.service.counts.offered > 0)
    before = shop.service.counts
    wait_until(lambda: shop.service.counts.at > before.at + 2.9)
    after = shop.service.counts
    seconds = after.at - before.at
    offered = after.offered - before.offered
    served = tally(after).requests - tally(before).requests
    # Arrivals are random: 1,200 expected with a standard deviation of 35, so look at 4 of them.
    assert offered > 400 * seconds - 4 * (400 * seconds) ** 0.5
    assert served > 0.97 * offered
    assert tally(after).failures == 0
    assert 0.02 < tally(after).errors / tally(after).requests < 0.06


def test_no_request_fails_while_pods_come_and_go(shop: Shop) -> None:
    stable_pods = len(shop.workloads.endpoints())
    version = shop.release(ReleaseKind.GOOD)
    for replicas in (4, 0, 3):
        shop.workloads.scale(ROLES.canary, replicas)
        shop.workloads.scale(ROLES.stable, stable_pods - replicas)
        wait_until(lambda: settled(shop))
    rolled = shop.release(ReleaseKind.GOOD)
    wait_until(lambda: settled(shop))
    assert {endpoint.version for endpoint in shop.workloads.endpoints()} == {"v1", rolled}
    shop.workloads.scale(ROLES.canary, 0)
    shop.workloads.scale(ROLES.stable, stable_pods)
    wait_until(lambda: settled(shop))
    seen = shop.service.counts.at
    wait_until(lambda: shop.service.counts.at > seen + 0.9)
    counts = shop.service.counts
    assert tally(counts, version=version).requests > 100
    assert tally(counts, version=version).first_served is not None
    assert tally(counts, version=rolled).requests > 0
    assert (tally(counts).failures, counts.unrouted) == (0, 0)


def test_prometheus_sees_every_serving_pod(shop: Shop) -> None:
    query = f"{shop.prometheus.url}/api/v1/query?query=count(http_requests_total%7Bcode%3D%22200%22%7D)"

    def seen() -> bool:
        result = json.loads(get(query)[1])["data"]["result"]
        return bool(result) and float(result[0]["value"][1]) >= len(shop.workloads.endpoints())

    wait_until(seen)


def test_a_crash_loop_and_its_end_are_visible(shop: Shop) -> None:
    shop.release(ReleaseKind.CRASH_LOOP)
    shop.workloads.scale(ROLES.canary, 1)
    wait_until(lambda: any(pod.restarts >= 1 and pod.waiting == "CrashLoopBackOff" for pod in canary(shop).pods))
    assert canary(shop).pods[0].last_termination == "Error (exit code 1)"
    shop.workloads.scale(ROLES.canary, 0)
    wait_until(lambda: settled(shop) and not canary(shop).pods)


def test_a_release_without_traffic_serves_nobody(shop: Shop) -> None:
    shop.release(ReleaseKind.NO_TRAFFIC)
    before = shop.service.counts
    wait_until(lambda: shop.service.counts.at > before.at + 1.1)
    still = shop.service.counts
    wait_until(lambda: shop.service.counts.at > still.at + 0.9)
    assert shop.service.counts.offered == still.offered
    shop.release(ReleaseKind.GOOD)
    wait_until(lambda: shop.service.counts.offered > still.offered)


def test_two_shops_side_by_side_leave_nothing_behind(shop: Shop) -> None:
    with Shop(ShopSettings(seed=2, replicas=2, rps=50)) as second:
        mine = {(endpoint.host, endpoint.port) for endpoint in shop.workloads.endpoints()}
        theirs = {(endpoint.host, endpoint.port) for endpoint in second.workloads.endpoints()}
        assert len(theirs) == 2
        assert not mine & theirs
        wait_until(lambda: tally(second.service.counts).requests > 50)
        folder = second.directory.name
        assert len(processes_of(folder)) >= 2
        service = second.service.pid
    assert service is not None
    assert not alive(service)
    assert not second.directory.exists()
    assert not processes_of(folder)
    with pytest.raises(OSError, match="refused"):
        get("http://{}:{}/".format(*next(iter(theirs))))
    assert {endpoint.deployment for endpoint in shop.workloads.endpoints()} == {ROLES.stable}


@pytest.mark.parametrize("after", [0.4, 0.9, 1.6])
def test_ctrl_c_while_starting_leaves_nothing_behind(after: float, tmp_path: Path) -> None:
    code = (
        "from analyzer.sandbox.shop import *\nwith Shop(ShopSettings(replicas=4)):\n    import time; time.sleep(60)\n"
    )
    command = [sys.executable, "-P", "-c", code]
    env = {**os.environ, **program_env({}), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, cwd=PACKAGE_ROOT) as parent:
        time.sleep(after)
        children = children_of(parent.pid)
        parent.send_signal(signal.SIGINT)
        error = parent.communicate(timeout=20)[1]
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert list(tmp_path.iterdir()) == []
    assert not processes_of(str(tmp_path))
    assert not any(alive(child) for child in children)


def test_receiver_keeps_each_alert_once() -> None:
    receiver = AlertReceiver()
    receiver.start()
    try:
        for body, headers in (({"id": "a"}, {}), ({"id": "a"}, {}), ({"n": 1}, {"webhook-id": "b"})):
            request = urllib.request.Request(receiver.url, json.dumps(body).encode(), headers)  # noqa: S310
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own receiver
                assert answer.status == 204
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            urllib.request.urlopen(urllib.request.Request(receiver.url, b"no json"), timeout=5)  # noqa: S310
        refused.value.close()
    finally:
        receiver.stop()
    assert [alert.id for alert in receiver.alerts] == ["a", "b"]
    assert receiver.repeated == 1


def test_service_and_workloads_stop_in_any_order(tmp_path: Path) -> None:
    pool = claim_ports(3)
    assert pool is not None
    service = Service(50.0, 0)
    workloads = SandboxWorkloads(PodRunner(tmp_path).prepare, pool, service={"app": "web"}, route=service.route)
    service.start()
    workloads.start()
    labels = {"app": "web"}
    workloads.create(DeploymentSpec("web", 2, labels, pod_template(labels, {"VERSION": "v1"})))
    wait_until(lambda: tally(service.counts).requests > 10)
    service.stop()
    workloads.stop()
    workloads.stop()
    pool.close()
    assert tally(service.counts).failures == 0
    with pytest.raises(ActuationError, match="controller of the sandbox has stopped"):
        workloads.snapshot(TARGET, ROLES)
