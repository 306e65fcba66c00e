"""The `Workloads` contract on the fake cluster, the sandbox, and Kubernetes' adapter on an API server in memory."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta

import pytest

from analyzer.actuation.workloads import KubeWorkloads
from analyzer.kube.objects import DEPLOYMENTS
from analyzer.ports import Workloads
from analyzer.sandbox.addresses import AddressPool, PodAddress
from analyzer.sandbox.controller import DeploymentSpec, Tempo
from analyzer.sandbox.deployments import SandboxWorkloads
from analyzer.sandbox.template import pod_template
from tests.contracts.two_versions import TwoVersions, TwoVersionsContract
from tests.contracts.workloads import CANARY, STABLE, Stage, WorkloadsContract
from tests.fakes.clock import START, FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.kube_api import FakeApi
from tests.fakes.kube_cache import FakeCache
from tests.fakes.kube_controllers import FakeControllers
from tests.fakes.kube_objects import deployment
from tests.fakes.pod_process import FakePodProcess

PATIENCE = 300
STEP = 0.25


class FakeTimeStage(Stage):
    """Time passes in steps of `STEP` seconds, and only in `wait`."""

    def step(self) -> None:
        raise NotImplementedError

    def wait(self, until: Callable[[], bool]) -> None:
        for _ in range(PATIENCE):
            if until():
                return
            self.step()
        pytest.fail(f"not so after {PATIENCE * STEP:g} s")

    def next_second(self) -> None:
        for _ in range(round(1 / STEP)):
            self.step()


class OnFakeCluster(FakeTimeStage):
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.cluster.create(STABLE, "1", 3)
        self.cluster.create(CANARY, "1", 0)

    @property
    def workloads(self) -> Workloads:
        return self.cluster

    def step(self) -> None:
        self.clock.advance(STEP)

    def deploy(self, name: str, version: str) -> None:
        self.cluster.deploy(name, version)

    def scale(self, name: str, replicas: int) -> None:
        self.cluster.scale(name, replicas)

    def delete(self, name: str) -> None:
        self.cluster.delete(name)

    def create(self, name: str, version: str, replicas: int) -> None:
        self.cluster.create(name, version, replicas)


class OnSandbox(FakeTimeStage):
    """Its controller is cranked by hand; the pods' processes are fakes."""

    def __init__(self) -> None:
        self.now = START
        pool = AddressPool(socket.socket(), [PodAddress(f"127.1.0.{n}") for n in range(12)])
        pool.close()
        self.sandbox = SandboxWorkloads(FakePodProcess, pool, service={"app": "shop"}, tempo=Tempo(min_ready=0.5))
        self.create(STABLE, "1", 3)
        self.create(CANARY, "1", 0)
        self.settle(STABLE)

    @property
    def workloads(self) -> Workloads:
        return self.sandbox

    def step(self) -> None:
        self.now += timedelta(seconds=STEP)
        self.sandbox.run_pass(self.now)

    def deploy(self, name: str, version: str) -> None:
        self.sandbox.set_template(name, {"VERSION": version})

    def scale(self, name: str, replicas: int) -> None:
        self.sandbox.scale(name, replicas)

    def delete(self, name: str) -> None:
        self.sandbox.delete(name)

    def create(self, name: str, version: str, replicas: int) -> None:
        labels = {"app": "shop", "role": name}
        self.sandbox.create(DeploymentSpec(name, replicas, labels, pod_template(labels, {"VERSION": version})))


class OnFakeApi(FakeTimeStage, TwoVersions):
    """With controllers that make one pass at each step."""

    api: FakeApi
    clock: FakeClock

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = FakeApi(self.clock)
        self.cache = FakeCache(self.api)
        self.controllers = FakeControllers(self.api)
        self.adapter = KubeWorkloads(self.api, self.cache, self.clock)
        self.create(STABLE, "1", 3)
        self.create(CANARY, "1", 0)
        self.settle(STABLE)
        self.settle(CANARY)

    @property
    def workloads(self) -> Workloads:
        return self.adapter

    def step(self) -> None:
        self.clock.advance(STEP)
        self.controllers.step()

    def deploy(self, name: str, version: str) -> None:
        containers = deployment(name, image=f"shop:{version}")["spec"]["template"]["spec"]["containers"]
        self.api.edit(DEPLOYMENTS, self.namespace, name, {"spec": {"template": {"spec": {"containers": containers}}}})

    def scale(self, name: str, replicas: int) -> None:
        self.api.edit(DEPLOYMENTS, self.namespace, name, {"spec": {"replicas": replicas}})

    def delete(self, name: str) -> None:
        self.api.remove(DEPLOYMENTS, self.namespace, name)

    def create(self, name: str, version: str, replicas: int) -> None:
        self.api.put(DEPLOYMENTS, deployment(name, replicas, image=f"shop:{version}"))


class TestFakeCluster(WorkloadsContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return OnFakeCluster()


class TestSandbox(WorkloadsContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return OnSandbox()


class TestKubernetes(WorkloadsContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return OnFakeApi()


class TestTwoVersionsOnKubernetes(TwoVersionsContract):
    @pytest.fixture
    def stage(self) -> TwoVersions:
        return OnFakeApi()
