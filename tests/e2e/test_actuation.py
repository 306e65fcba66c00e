"""Sides, fenced writes and the Lease on a real API server with real controllers, as the analyzer's own user."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from analyzer.actuation.lease import LeaseAt, LeaseElector
from analyzer.actuation.workloads import KubeWorkloads
from analyzer.engine.clock import SystemClock
from analyzer.kube.cache import Cache
from analyzer.kube.client import KubeClient, connect
from analyzer.model.errors import ConflictError
from analyzer.ports import Workloads
from tests.contracts.two_versions import TwoVersions, TwoVersionsContract
from tests.contracts.workloads import CANARY, STABLE, WorkloadsContract
from tests.e2e.lab.api import LabApi, path_of
from tests.e2e.lab.control_plane import ControlPlane
from tests.e2e.lab.credentials import grant_home, grant_targets
from tests.e2e.lab.kubelet import Kubelet
from tests.e2e.lab.tools import find_tool
from tests.fakes.kube_objects import autoscaler, deployment

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("actuation")]  # one control plane for all of it

PATIENCE_SECONDS = 60.0
_numbers = count(1)


@dataclass(frozen=True)
class Cluster:
    plane: ControlPlane
    admin: LabApi


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    plane = ControlPlane(folder)
    plane.start()
    kubelet = Kubelet(plane.api(), "node-1", folder)
    kubelet.start()
    admin = plane.api("admin")
    grant_targets(admin)
    yield Cluster(plane, admin)
    kubelet.stop()
    plane.stop()


class OnCluster(TwoVersions):
    """A namespace of its own, with hollow pods; what the user does goes past the gateway."""

    someone = "python-requests"
    client: KubeClient
    cache: Cache

    def __init__(self, cluster: Cluster) -> None:
        self.namespace = f"actuation-{next(_numbers)}"
        self.plane, self.admin = cluster.plane, cluster.admin
        self.admin.create("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        grant_home(self.admin, self.namespace)
        self.api = self.client = connect(cluster.plane.kubeconfig("analyzer"))
        self.clock = SystemClock()
        self.cache = Cache(self.client, [self.namespace])
        self.cache.start()
        assert self.cache.wait_synced(10)
        self.adapter = KubeWorkloads(self.client, self.cache, self.clock)
        self.create(STABLE, "1", 3)
        self.create(CANARY, "1", 0)
        self.wait(lambda: None not in (self.see().stable, self.see().canary))
        self.settle(STABLE)
        self.settle(CANARY)

    def close(self) -> None:
        self.admin.delete(f"/api/v1/namespaces/{self.namespace}")
        self.cache.stop()
        self.client.close()

    @property
    def workloads(self) -> Workloads:
        return self.adapter

    def path(self, name: str) -> str:
        return path_of("deployments", self.namespace, name)

    def deploy(self, name: str, version: str) -> None:
        self.set_env(name, VERSION=version, HOLLOW="1")

    def set_env(self, name: str, **env: str) -> None:
        container = {"name": "app", "env": [{"name": key, "value": value} for key, value in env.items()]}
        container |= {"image": "shop:1"}
        self.admin.patch(self.path(name), {"spec": {"template": {"spec": {"containers": [container]}}}})

    def scale(self, name: str, replicas: int) -> None:
        self.admin.patch(self.path(name), {"spec": {"replicas": replicas}})

    def delete(self, name: str) -> None:
        self.admin.delete(self.path(name), propagationPolicy="Background")

    def create(self, name: str, version: str, replicas: int) -> None:
        body: dict[str, Any] = deployment(name, replicas, namespace=self.namespace)
        environment = [{"name": "VERSION", "value": version}, {"name": "HOLLOW", "value": "1"}]
        body["spec"]["template"]["spec"]["containers"][0]["env"] = environment
        self.admin.create(path_of("deployments", self.namespace), body)

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not until():
            if time.monotonic() > end:
                pytest.fail(f"not so after {PATIENCE_SECONDS:g} s")
            time.sleep(0.05)

    def next_second(self) -> None:
        time.sleep(1.1)

    def kubectl(self, *arguments: str) -> None:
        where = ["--kubeconfig", str(self.plane.kubeconfig()), "-n", self.namespace]
        call = [str(find_tool("kubectl")), *where, *arguments]
        subprocess.run(call, check=True, capture_output=True, timeout=30)

    def elector(self, identity: str) -> LeaseElector:
        return LeaseElector(self.client, SystemClock(), LeaseAt(self.namespace, identity=identity))


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[OnCluster]:
    stage = OnCluster(cluster)
    yield stage
    stage.close()


class TestRealCluster(WorkloadsContract):
    """The contract, with the fixture `stage` of this module."""


class TestTwoVersions(TwoVersionsContract):
    """Likewise: a daemon of this version and one of an earlier version."""


def test_writes_go_through_while_controllers_write_status_all_the_time(stage: OnCluster) -> None:
    """The first claim tests the resourceVersion, the others only what is ours."""
    stage.apply(stage.move(STABLE, 3, 12), epoch=3)
    for before in range(12, 3, -1):
        stage.apply(stage.move(STABLE, before, before - 1), epoch=3)
    assert stage.settle(STABLE).available == 3


def test_the_fence_holds_against_another_process(stage: OnCluster) -> None:
    other = connect(stage.plane.kubeconfig("analyzer-second"))
    cache = Cache(other, [stage.namespace])
    cache.start()
    assert cache.wait_synced(10)
    newer = KubeWorkloads(other, cache, SystemClock())
    stage.apply(stage.move(STABLE, 3, 4), epoch=10)
    move = stage.move(STABLE, 4, 3)
    newer.claim(stage.target, stage.target.roles, 11)
    with pytest.raises(ConflictError, match="epoch 11"):
        stage.apply(move, epoch=10)
    newer.apply(stage.target, move, 11)
    assert newer.snapshot(stage.target, stage.target.roles).stable is not None
    cache.stop()
    other.close()


def test_what_kubectl_does_is_seen_with_its_name(stage: OnCluster) -> None:
    stage.kubectl("scale", f"deployment/{STABLE}", "--replicas=2")
    stage.wait(lambda: stage.side(STABLE).replicas == 2)
    assert stage.side(STABLE).writers["replicas"] == "kubectl"
    stage.kubectl("annotate", f"deployment/{STABLE}", "kubernetes.io/change-cause=a fix")
    stage.wait(lambda: stage.side(STABLE).change_cause == "a fix")
    stage.kubectl("rollout", "pause", f"deployment/{STABLE}")
    stage.wait(lambda: stage.side(STABLE).paused)


def test_an_autoscaler_is_seen_with_its_name(stage: OnCluster) -> None:
    """It needs no metrics to go up to its minimum."""
    body = autoscaler("scaler", STABLE, namespace=stage.namespace)
    stage.admin.create(
        path_of("horizontalpodautoscalers", stage.namespace),
        {"spec": {**body["spec"], "minReplicas": 4}, "metadata": body["metadata"]},
    )
    stage.wait(lambda: stage.side(STABLE).replicas == 4)
    assert stage.side(STABLE).writers["replicas"] == "HorizontalPodAutoscaler scaler"


def test_a_rollout_restart_and_an_undo_are_followed(stage: OnCluster) -> None:
    before = stage.side(STABLE)
    stage.kubectl("rollout", "restart", f"deployment/{STABLE}")
    stage.wait(lambda: stage.side(STABLE).rolling)
    restarted = stage.settle(STABLE)
    assert restarted.template.hash == before.template.hash
    assert not {pod.name for pod in before.pods} & {pod.name for pod in restarted.pods if not pod.deleted}
    stage.deploy(STABLE, "2")
    stage.wait(lambda: stage.side(STABLE).template.hash != before.template.hash and stage.side(STABLE).settled)
    stage.kubectl("rollout", "undo", f"deployment/{STABLE}")
    stage.wait(lambda: stage.side(STABLE).template.hash == before.template.hash and stage.side(STABLE).settled)
    assert stage.side(STABLE).updated == 3


@pytest.mark.parametrize(
    ("env", "seen"),
    [
        ({"CRASH_AFTER": "0.5", "TERMINATION_MESSAGE": "no database"}, "CrashLoopBackOff"),
        ({"IMAGE_PULL_FAILS": "1"}, "ImagePullBackOff"),
        ({"CONFIG_ERROR": "1"}, "CreateContainerConfigError"),
    ],
)
def test_failing_pods_say_what_is_wrong(stage: OnCluster, env: dict[str, str], seen: str) -> None:
    stage.set_env(CANARY, VERSION="2", **env)
    stage.apply(stage.move(CANARY, 0, 1))
    stage.wait(lambda: any(pod.waiting == seen for pod in stage.side(CANARY).pods))
    if "TERMINATION_MESSAGE" in env:
        stage.wait(lambda: any(pod.waiting == seen and pod.restarts >= 2 for pod in stage.side(CANARY).pods))
        (pod,) = stage.side(CANARY).pods
        assert "no database" in (pod.last_termination or "")


def test_kills_for_memory_are_counted(stage: OnCluster) -> None:
    stage.set_env(CANARY, VERSION="2", OOM_AFTER="0.5")
    stage.apply(stage.move(CANARY, 0, 1))
    stage.wait(lambda: any(pod.out_of_memory >= 2 for pod in stage.side(CANARY).pods))


def test_a_pod_that_was_ready_once_is_told_from_one_that_never_was(stage: OnCluster) -> None:
    stage.set_env(CANARY, VERSION="2", NOT_READY_AFTER="4")
    stage.apply(stage.move(CANARY, 0, 1))
    stage.wait(lambda: any(pod.ready for pod in stage.side(CANARY).pods))
    stage.wait(lambda: all(not pod.ready for pod in stage.side(CANARY).pods))
    assert all(pod.ready_at is not None for pod in stage.side(CANARY).pods)
    stage.set_env(CANARY, VERSION="3", NEVER_READY="1")
    stage.apply(stage.move(CANARY, 1, 0))
    stage.settle(CANARY)
    stage.apply(stage.move(CANARY, 0, 1))
    stage.wait(lambda: any(not pod.deleted for pod in stage.side(CANARY).pods))
    time.sleep(4)
    assert [pod.ready_at for pod in stage.side(CANARY).pods if not pod.deleted] == [None]


def test_images_of_one_tag_are_told_apart_by_digest(stage: OnCluster) -> None:
    stage.set_env(CANARY, VERSION="2", HOLLOW="1", MIXED_DIGESTS="1")
    stage.apply(stage.move(CANARY, 0, 2))
    assert len({pod.images["app"] for pod in stage.settle(CANARY).pods}) == 2


def test_a_quota_that_is_used_up_is_a_replica_failure(stage: OnCluster) -> None:
    quota = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": "3"}}}
    stage.admin.create(path_of("resourcequotas", stage.namespace), quota)
    stage.apply(stage.move(CANARY, 0, 1))
    stage.wait(lambda: stage.side(CANARY).replica_failure is not None)
    assert "quota" in (stage.side(CANARY).replica_failure or "")


def test_a_pod_that_fits_nowhere_is_unschedulable(stage: OnCluster) -> None:
    stage.admin.patch(stage.path(CANARY), {"spec": {"template": {"spec": {"nodeSelector": {"no": "such"}}}}})
    stage.apply(stage.move(CANARY, 0, 1))
    stage.wait(lambda: any(pod.unschedulable for pod in stage.side(CANARY).pods))


def test_the_lease_passes_from_one_to_the_next(stage: OnCluster) -> None:
    first, second = stage.elector("first"), stage.elector("second")
    first.start()
    stage.wait(lambda: first.held() is not None)
    second.start()
    time.sleep(3)
    epoch = first.held()
    assert epoch is not None
    assert second.held() is None
    first.stop()
    stage.wait(lambda: second.held() is not None)
    assert (second.held() or 0) > epoch
    second.stop()


def test_a_standby_takes_over_from_a_holder_that_fell_silent(stage: OnCluster) -> None:
    first, second = stage.elector("first"), stage.elector("second")
    first.step()
    epoch = first.held() or 0
    second.start()
    begin = time.monotonic()
    stage.wait(lambda: second.held() is not None)
    assert time.monotonic() - begin < 20
    assert first.held() is None
    assert (second.held() or 0) > epoch
    first.step()
    assert first.held() is None
    second.stop()
