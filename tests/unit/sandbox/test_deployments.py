"""Deployment semantics of the sandbox, with processes that do what the test says and a clock that it moves."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.model.errors import ActuationError, ConflictError
from analyzer.model.metric import Analysis
from analyzer.model.plan import Plan
from analyzer.model.target import Roles, Side, Target
from analyzer.model.workload import Scale, Workload, WriteTemplate
from analyzer.sandbox.addresses import AddressPool, PodAddress
from analyzer.sandbox.controller import DeploymentSpec, Tempo
from analyzer.sandbox.counts import Endpoint
from analyzer.sandbox.deployments import SandboxWorkloads
from analyzer.sandbox.runner import PodSpec
from analyzer.sandbox.template import pod_template
from tests.fakes.pod_process import FakePodProcess

START = datetime(2025, 1, 1, tzinfo=UTC)
ROLES = Roles(stable="web", canary="web-canary")


class World:
    """A sandbox with a hand-cranked controller."""

    def __init__(self, addresses: int = 12) -> None:
        self.now = START
        self.processes: list[FakePodProcess] = []
        self.routes: list[tuple[str, ...]] = []
        pool = AddressPool(socket.socket(), [PodAddress(f"127.1.0.{n}") for n in range(addresses)])
        pool.close()
        self.workloads = SandboxWorkloads(
            self.prepare,
            pool,
            service={"app": "web"},
            route=self.route,
            tempo=Tempo(min_ready=0.5, progress_deadline=20.0),
        )
        for name in (ROLES.stable, ROLES.canary):
            labels = {"app": "web", "track": name}
            template = pod_template(labels, {"VERSION": "v1"})
            self.workloads.create(DeploymentSpec(name, 3 if name == "web" else 0, labels, template))

    def prepare(self, spec: PodSpec) -> FakePodProcess:
        self.processes.append(FakePodProcess(spec))
        return self.processes[-1]

    def route(self, endpoints: Sequence[Endpoint]) -> None:
        self.routes.append(tuple(endpoint.deployment for endpoint in endpoints))

    def run(self, seconds: float = 3.0) -> World:
        for _ in range(round(seconds * 10)):
            self.now += timedelta(seconds=0.1)
            self.workloads.run_pass(self.now)
        return self

    def side(self, name: str = "web") -> Workload:
        workload = self.workloads.workload(name)
        assert workload is not None
        return workload

    def apply(self, move: Scale | WriteTemplate, epoch: int = 1) -> None:
        self.workloads.apply(target(), move, epoch)

    def scale(self, before: int, after: int, **changes: Any) -> Scale:
        named = {"deployment": "web", "uid": self.side().uid, **changes}
        return Scale(side=Side.STABLE, before=before, after=after, **named)


def target(name: str = "web") -> Target:
    return Target(name=name, namespace="default", roles=ROLES, plan=Plan(steps=()), analysis=Analysis(metrics=()))


@pytest.fixture
def world() -> World:
    return World()


def test_pods_become_ready_then_available(world: World) -> None:
    world.run(0.3)
    assert [pod.ready for pod in world.side().pods] == [True] * 3
    assert world.side().available == 0
    world.run(0.5)
    assert world.side().settled


def test_pods_are_named_as_in_kubernetes(world: World) -> None:
    deployment = world.run().side()
    for pod in deployment.pods:
        assert pod.name.startswith(f"web-{deployment.template.hash[:10]}-")
        assert len(pod.name.rsplit("-", 1)[1]) == 5


def test_the_same_version_has_one_hash_in_both_deployments(world: World) -> None:
    snapshot = world.workloads.snapshot(target(), ROLES)
    assert snapshot.stable is not None
    assert snapshot.canary is not None
    assert snapshot.stable.template.hash == snapshot.canary.template.hash
    assert snapshot.stable.uid != snapshot.canary.uid


def test_snapshot_shows_a_write_at_once_and_as_unsettled(world: World) -> None:
    world.run()
    world.apply(world.scale(3, 5))
    assert (world.side().replicas, world.side().settled) == (5, False)
    assert world.side().writers["replicas"] == "canary-analyzer"
    assert world.run().side().settled


def test_template_written_to_running_pods_rolls_them_without_losing_capacity(world: World) -> None:
    before = world.run().side()
    world.workloads.set_template("web", {"VERSION": "v2"}, by="someone")
    assert (world.side().updated, world.side().writers["template"]) == (0, "someone")
    for _ in range(80):
        world.run(0.1)
        assert world.side().available >= 3
        assert world.side().current <= 4
    assert world.side().settled
    assert world.side().template.hash != before.template.hash
    assert {endpoint.version for endpoint in world.workloads.endpoints()} == {"v2"}


def test_written_template_makes_both_sides_one_version(world: World) -> None:
    world.run()
    world.workloads.set_template("web-canary", {"VERSION": "v2"})
    stable, canary = world.side(), world.side("web-canary")
    template = stable.template_for(canary.template)
    world.apply(WriteTemplate(Side.STABLE, "web", stable.uid, stable.template.hash, template))
    assert world.side().template.hash == canary.template.hash
    assert world.run(8).side().settled
    assert len(world.workloads.endpoints()) == 3


def test_refuses_to_scale_from_a_number_that_is_no_longer_there(world: World) -> None:
    with pytest.raises(ConflictError, match="expected 2 replicas, found 3"):
        world.apply(world.scale(2, 5))
    assert world.side().replicas == 3


def test_refuses_to_write_over_a_template_it_has_not_seen(world: World) -> None:
    stable = world.side()
    with pytest.raises(ConflictError, match="expected version other"):
        world.apply(WriteTemplate(Side.STABLE, "web", stable.uid, "other", stable.template))


def test_refuses_a_deployment_that_was_created_anew(world: World) -> None:
    move = world.scale(3, 5)
    world.workloads.delete("web")
    with pytest.raises(ConflictError, match="found none"):
        world.apply(move)
    labels = {"app": "web"}
    world.workloads.create(DeploymentSpec("web", 3, labels, pod_template(labels, {})))
    with pytest.raises(ConflictError, match="found uid"):
        world.apply(move)


def test_refuses_the_epoch_of_an_earlier_holder(world: World) -> None:
    world.apply(world.scale(3, 4), epoch=2)
    with pytest.raises(ConflictError, match="epoch 1"):
        world.apply(world.scale(4, 5), epoch=1)
    world.apply(world.scale(4, 5), epoch=2)
    assert world.side().replicas == 5


def test_a_refused_write_does_not_raise_the_epoch(world: World) -> None:
    with pytest.raises(ConflictError):
        world.apply(world.scale(9, 4), epoch=7)
    world.apply(world.scale(3, 4), epoch=1)
    assert world.side().replicas == 4


def test_endpoints_are_the_ready_pods_of_both_deployments(world: World) -> None:
    world.workloads.scale("web-canary", 1)
    world.run()
    world.processes[0].ready = False
    world.run()
    assert world.routes[-2:] == [("web", "web", "web", "web-canary"), ("web", "web", "web-canary")]


def test_a_pod_leaves_the_endpoints_before_its_process_is_told_to_end(world: World) -> None:
    world.run()
    world.workloads.scale("web", 2)
    world.run(0.1)
    assert world.routes[-1] == ("web", "web")
    assert not any("terminate" in process.calls for process in world.processes)
    world.run(1)
    assert sum("terminate" in process.calls for process in world.processes) == 1


def test_terminating_pods_are_shown_as_deleted_and_not_counted(world: World) -> None:
    world.run()
    world.workloads.scale("web", 1)
    world.run(0.1)
    assert (world.side().current, world.side().available) == (1, 1)
    assert sum(pod.deleted for pod in world.side().pods) == 2
    assert len(world.run(1).side().pods) == 1


def test_crash_loop_shows_in_the_snapshot(world: World) -> None:
    world.run()
    world.processes[0].exit(1)
    world.run(0.1)
    pod = world.side().pods[0]
    assert (pod.waiting, pod.restarts, pod.last_termination) == ("CrashLoopBackOff", 0, "Error (exit code 1)")
    assert world.side().available == 2
    world.run(1.1)
    assert (world.side().pods[0].waiting, world.side().pods[0].restarts) == (None, 1)


def test_an_address_is_used_again_only_after_its_process_has_ended() -> None:
    crowded = World(addresses=3)
    crowded.run()
    for process in crowded.processes:
        process.stubborn = True
    crowded.workloads.scale("web", 2)
    crowded.workloads.scale("web-canary", 1)
    crowded.run(2)
    assert crowded.side("web-canary").current == 0
    assert "all 3 of the sandbox" in (crowded.side("web-canary").replica_failure or "")
    crowded.run(6)
    assert crowded.side("web-canary").settled
    assert crowded.side("web-canary").replica_failure is None


def test_says_when_a_rollout_makes_no_progress(world: World) -> None:
    world.run()
    world.workloads.scale("web-canary", 1)
    world.run(0.1)
    world.processes[-1].ready = False
    world.run(19)
    assert not world.side("web-canary").progress_deadline_exceeded
    world.run(3)
    assert world.side("web-canary").progress_deadline_exceeded
    world.processes[-1].ready = True
    assert not world.run().side("web-canary").progress_deadline_exceeded


def test_an_idle_deployment_does_not_exceed_its_deadline(world: World) -> None:
    assert not world.run(30).side().progress_deadline_exceeded
    world.processes[0].exit(1)
    world.run(0.5)
    assert not world.side().progress_deadline_exceeded


def test_deleted_deployment_is_gone_at_once_and_its_pods_soon(world: World) -> None:
    world.run()
    world.workloads.delete("web")
    assert world.workloads.snapshot(target(), ROLES).stable is None
    assert world.workloads.endpoints() == ()
    world.run(1)
    assert all("terminate" in process.calls for process in world.processes)


def test_names_the_deployments_that_exist_when_asked_for_another(world: World) -> None:
    with pytest.raises(ActuationError, match="found: web, web-canary"):
        world.workloads.scale("nope", 1)


def test_refuses_a_deployment_that_exists_or_selects_nothing(world: World) -> None:
    labels = {"app": "web"}
    with pytest.raises(ActuationError, match="exists"):
        world.workloads.create(DeploymentSpec("web", 1, labels, pod_template(labels, {})))
    with pytest.raises(ActuationError, match="does not match"):
        world.workloads.create(DeploymentSpec("other", 1, labels, pod_template({}, {})))
