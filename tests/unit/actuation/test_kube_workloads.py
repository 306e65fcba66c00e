"""What the adapter for Kubernetes does beyond the contract: its patches, its errors, what it reads from Deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from analyzer.actuation.workloads import KubeWorkloads
from analyzer.kube.errors import ForbiddenError, UnavailableError
from analyzer.kube.objects import AUTOSCALERS, DEPLOYMENTS, REPLICA_SETS, Json, Kind
from analyzer.model.errors import ActuationError, ConflictError
from analyzer.model.metric import Analysis
from analyzer.model.plan import Plan
from analyzer.model.target import Roles, Side, Target
from analyzer.model.workload import Scale, Workload, WriteTemplate
from tests.fakes.clock import FakeClock
from tests.fakes.kube_api import CONTROLLER, FakeApi
from tests.fakes.kube_cache import FakeCache
from tests.fakes.kube_controllers import FakeControllers
from tests.fakes.kube_objects import autoscaler, deployment

ROLES = Roles(stable="shop", canary="shop-canary")
TARGET = Target("shop", "default", ROLES, Plan(steps=()), Analysis(metrics=()))
EPOCH, LEGACY_EPOCH = "canary-analyzer.io/epoch", "canary-analyzer/epoch"


class World:
    """A pair of Deployments with 4 and 0 pods."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = FakeApi(self.clock)
        self.cache = FakeCache(self.api)
        self.controllers = FakeControllers(self.api)
        self.workloads = KubeWorkloads(self.api, self.cache, self.clock)
        self.api.put(DEPLOYMENTS, deployment("shop", 4))
        self.api.put(DEPLOYMENTS, deployment("shop-canary", 0))
        self.run()

    def run(self, seconds: int = 5) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.controllers.step()

    def side(self, side: Side = Side.STABLE) -> Workload:
        found = self.workloads.snapshot(TARGET, ROLES).side(side)
        assert found is not None
        return found

    def scale(self, before: int, after: int, epoch: int = 7) -> None:
        move = Scale(Side.STABLE, "shop", self.side().uid, before, after)
        self.workloads.apply(TARGET, move, epoch)

    def edit(self, name: str = "shop", **changes: Any) -> None:
        self.api.edit(DEPLOYMENTS, "default", name, changes)

    def deployed(self, name: str = "shop") -> Json:
        return self.api.see(DEPLOYMENTS, "default", name)

    def status(self, **changes: Any) -> None:
        found = self.deployed()
        self.api.set_status(DEPLOYMENTS, "default", "shop", {**found["status"], **changes})


@pytest.fixture
def world() -> World:
    return World()


def condition(kind: str, status: str, reason: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": f"{reason} it is"}]}


def test_looking_costs_no_request(world: World) -> None:
    world.side()
    assert world.api.calls == []


def test_a_claimed_deployment_is_scaled_by_one_request_that_tests_fence_uid_and_old_value(world: World) -> None:
    world.workloads.claim(TARGET, ROLES, 7)
    world.api.calls.clear()
    world.scale(4, 3)
    (call,) = world.api.calls
    assert call.body == [
        {"op": "test", "path": "/metadata/uid", "value": world.side().uid},
        {"op": "test", "path": "/metadata/annotations/canary-analyzer.io~1epoch", "value": "7"},
        {"op": "test", "path": "/metadata/annotations/canary-analyzer~1epoch", "value": "7"},
        {"op": "test", "path": "/spec/replicas", "value": 4},
        {"op": "replace", "path": "/spec/replicas", "value": 3},
    ]


def test_a_claim_that_stands_costs_nothing(world: World) -> None:
    world.workloads.claim(TARGET, ROLES, 7)
    world.api.calls.clear()
    world.workloads.claim(TARGET, ROLES, 7)
    assert world.api.calls == []


def test_a_first_claim_keeps_other_annotations(world: World) -> None:
    world.edit(metadata={"annotations": {"team": "shop"}})
    world.workloads.claim(TARGET, ROLES, 7)
    assert world.deployed()["metadata"]["annotations"] == {"team": "shop", EPOCH: "7", LEGACY_EPOCH: "7"}
    assert world.deployed("shop-canary")["metadata"]["annotations"] == {EPOCH: "7", LEGACY_EPOCH: "7"}


def test_a_claim_of_an_earlier_version_is_completed_even_for_the_same_epoch(world: World) -> None:
    world.edit(metadata={"annotations": {LEGACY_EPOCH: "7"}})
    world.workloads.claim(TARGET, ROLES, 7)
    assert world.deployed()["metadata"]["annotations"] == {EPOCH: "7", LEGACY_EPOCH: "7"}


def test_an_epoch_that_somebody_spoiled_is_raised_over(world: World) -> None:
    world.edit(metadata={"annotations": {EPOCH: "mine!", LEGACY_EPOCH: ""}})
    world.scale(4, 3)
    assert world.deployed()["metadata"]["annotations"] == {EPOCH: "7", LEGACY_EPOCH: "7"}


def test_the_answer_to_a_write_goes_to_the_cache(world: World) -> None:
    world.scale(4, 3)
    (taken_in,) = world.cache.taken_in
    assert taken_in["spec"]["replicas"] == 3


def test_a_write_survives_a_status_that_changes_in_between(world: World) -> None:
    """The first claim tests the resourceVersion, which every status moves."""
    busy = BusyApi(world, times=2)
    workloads = KubeWorkloads(busy, world.cache, world.clock)
    workloads.apply(TARGET, Scale(Side.STABLE, "shop", world.side().uid, 4, 3), 7)
    assert world.side().replicas == 3


def test_a_claim_by_a_newer_daemon_between_reading_and_writing_wins(world: World) -> None:
    world.workloads.claim(TARGET, ROLES, 7)
    busy = BusyApi(world, times=1, epoch=8)
    workloads = KubeWorkloads(busy, world.cache, world.clock)
    with pytest.raises(ConflictError, match="claimed by epoch 8, this daemon has epoch 7"):
        workloads.apply(TARGET, Scale(Side.STABLE, "shop", world.side().uid, 4, 3), 7)
    assert world.side().replicas == 4


def test_a_write_is_given_up_when_it_takes_too_long(world: World) -> None:
    busy = BusyApi(world, times=9, seconds=3)
    workloads = KubeWorkloads(busy, world.cache, world.clock)
    with pytest.raises(ActuationError, match="not done within 4 s"):
        workloads.apply(TARGET, Scale(Side.STABLE, "shop", world.side().uid, 4, 3), 7)


def test_a_template_is_written_as_it_is_and_tested_against_the_old_one(world: World) -> None:
    world.edit("shop-canary", spec={"template": {"spec": {"containers": [{"name": "app", "image": "shop:2"}]}}})
    stable, canary = world.side(), world.side(Side.CANARY)
    old = world.deployed()["spec"]["template"]
    world.workloads.claim(TARGET, ROLES, 7)
    world.api.calls.clear()
    template = stable.template_for(canary.template)
    world.workloads.apply(TARGET, WriteTemplate(Side.STABLE, "shop", stable.uid, stable.template.hash, template), 7)
    (call,) = world.api.calls
    assert {"op": "test", "path": "/spec/template", "value": old} in call.body
    written = world.deployed()["spec"]["template"]
    assert written == template.content
    assert written["metadata"]["labels"] == {"app": "shop"}


@pytest.mark.parametrize("error", [UnavailableError("timed out"), ForbiddenError("may not patch deployments")])
def test_other_failures_are_no_conflicts(world: World, error: Exception) -> None:
    world.api.fail(1, error, verb="patch")  # type: ignore[arg-type]
    with pytest.raises(ActuationError, match=str(error)) as caught:
        world.scale(4, 3)
    assert not isinstance(caught.value, ConflictError)
    assert caught.value.__cause__ is error


def test_nothing_is_seen_in_a_cache_that_is_too_old(world: World) -> None:
    world.cache.stale = "pods were not confirmed for 90 s"
    with pytest.raises(ActuationError, match="pods were not confirmed"):
        world.workloads.snapshot(TARGET, ROLES)


def test_a_deployment_that_is_being_deleted_is_none_and_takes_no_write(world: World) -> None:
    uid = world.side().uid
    world.edit(metadata={"deletionTimestamp": "2026-03-02T10:00:00Z"})
    assert world.workloads.snapshot(TARGET, ROLES).stable is None
    with pytest.raises(ConflictError, match="being deleted"):
        world.workloads.apply(TARGET, Scale(Side.STABLE, "shop", uid, 4, 3), 7)


def test_a_spec_that_no_controller_has_seen_is_not_settled(world: World) -> None:
    assert world.side().settled
    world.status(observedGeneration=0)
    assert not world.side().settled


def test_an_exceeded_deadline_of_an_older_spec_does_not_count(world: World) -> None:
    exceeded = condition("Progressing", "False", "ProgressDeadlineExceeded")
    world.status(**exceeded)
    assert world.side().progress_deadline_exceeded
    world.status(observedGeneration=0)
    assert not world.side().progress_deadline_exceeded


def test_pods_that_can_not_be_created_are_a_replica_failure(world: World) -> None:
    world.status(**condition("ReplicaFailure", "True", "FailedCreate"))
    assert world.side().replica_failure == "FailedCreate it is"
    world.status(**condition("ReplicaFailure", "False", "FailedCreate"))
    assert world.side().replica_failure is None


def test_paused_and_change_cause_are_seen(world: World) -> None:
    world.edit(spec={"paused": True}, metadata={"annotations": {"kubernetes.io/change-cause": "fix the cart"}})
    assert (world.side().paused, world.side().change_cause) == (True, "fix the cart")


def test_an_autoscaler_is_named_as_the_writer_of_replicas(world: World) -> None:
    world.api.edit(DEPLOYMENTS, "default", "shop", {"spec": {"replicas": 6}}, manager=CONTROLLER)
    assert world.side().writers["replicas"] == "a HorizontalPodAutoscaler"
    world.api.put(AUTOSCALERS, autoscaler("shop-scaler", "shop"))
    assert world.side().writers["replicas"] == "HorizontalPodAutoscaler shop-scaler"


def test_a_restart_replaces_pods_of_the_same_version(world: World) -> None:
    before = world.side()
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-03-02T10:00:00Z"}}}
    world.edit(spec={"template": restarted})
    assert (world.side().updated, world.side().rolling) == (0, True)
    assert world.side().template.hash == before.template.hash
    world.run(30)
    assert world.side().settled
    assert not {pod.name for pod in before.pods} & {pod.name for pod in world.side().pods}


def test_after_an_undo_the_older_replica_set_is_the_present_one(world: World) -> None:
    first = world.deployed()["spec"]["template"]
    world.edit(spec={"template": {"spec": {"containers": [{"name": "app", "image": "shop:2"}]}}})
    world.run(30)
    world.edit(spec={"template": first})
    assert world.side().updated == 0
    world.run(30)
    assert (world.side().updated, world.side().settled) == (4, True)
    assert len(world.api.all(REPLICA_SETS)) == 3


def test_pods_with_a_similar_name_belong_to_their_owner(world: World) -> None:
    world.api.edit(DEPLOYMENTS, "default", "shop-canary", {"spec": {"replicas": 2}})
    world.run()
    assert (world.side().current, world.side(Side.CANARY).current) == (4, 2)


def test_selectors_by_expression_count_as_the_sides_own_labels(world: World) -> None:
    expression = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["shop"]}], "matchLabels": None}
    world.edit(spec={"selector": expression})
    assert world.side().selector == {"app": "shop"}
    assert world.side().template.hash == world.side(Side.CANARY).template.hash


def test_a_new_default_of_the_api_server_changes_the_hash_and_neither_the_replica_set_nor_the_pods(
    world: World,
) -> None:
    upgraded = UpgradedApi(world)
    world.workloads = KubeWorkloads(world.api, FakeCache(upgraded), world.clock)  # type: ignore[arg-type]
    before = world.side()
    upgraded.filling = True
    after = world.side()
    assert after.template.hash != before.template.hash
    assert (after.replica_set, after.updated) == (before.replica_set, 4)
    assert after.replica_set is not None


def test_a_restart_and_another_version_have_replica_sets_of_their_own(world: World) -> None:
    found = [world.side().replica_set]
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-03-02T10:00:00Z"}}}
    for change in (restarted, {"spec": {"containers": [{"name": "app", "image": "shop:2"}]}}):
        world.edit(spec={"template": change})
        assert world.side().replica_set is None
        world.run(30)
        found.append(world.side().replica_set)
    assert len(set(found)) == 3


def limited(memory: str) -> dict[str, Any]:
    container = {"name": "app", "image": "shop:1", "resources": {"limits": {"memory": memory}}}
    return {"template": {"spec": {"containers": [container]}}}


@pytest.mark.parametrize(("counted", "revision", "updated"), [(4, "2", 4), (0, "2", 0), (4, "1", 0)])
def test_a_quantity_in_another_notation_keeps_the_replica_set_that_the_controller_counts(
    world: World, counted: int, revision: str, updated: int
) -> None:
    world.edit(spec=limited("1Gi"))
    world.run(30)
    before = world.side()
    world.edit(spec=limited("1073741824"), metadata={"annotations": {"deployment.kubernetes.io/revision": revision}})
    assert world.side().updated == 0
    world.status(observedGeneration=world.deployed()["metadata"]["generation"], updatedReplicas=counted)
    assert world.side().updated == updated
    assert (world.side().replica_set == before.replica_set) == (updated == 4)


class UpgradedApi:
    """A `FakeApi` that can fill one more default into every pod template when it is read."""

    def __init__(self, world: World) -> None:
        self.filling = False
        self._api = world.api

    def see(self, kind: Kind, namespace: str, name: str) -> Json:
        return self._filled(self._api.see(kind, namespace, name))

    def all(self, kind: Kind, namespace: str) -> list[Json]:
        return [self._filled(found) for found in self._api.all(kind, namespace)]

    def _filled(self, found: Json) -> Json:
        template = found["spec"].get("template")
        if self.filling and template is not None:
            template["spec"]["newDefault"] = True
        return found


class BusyApi:
    """A `FakeApi` on which somebody writes just before each of the first `times` patches, which take `seconds`."""

    def __init__(self, world: World, times: int, *, epoch: int | None = None, seconds: float = 0) -> None:
        self._world = world
        self._left = times
        self._epoch = epoch
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.api, name)

    def patch(self, *args: Any, **options: Any) -> Json:
        if self._left:
            self._left -= 1
            self._world.clock.advance(self._seconds)
            if self._epoch is None:
                self._world.status(replicas=self._left)
            else:
                self._world.edit(metadata={"annotations": {EPOCH: str(self._epoch)}})
        return self._world.api.patch(*args, **options)


class HeldCache(FakeCache):
    """Gives the same object as long as it has not changed, as a cache that is fed by a watch does."""

    def __init__(self, api: FakeApi) -> None:
        super().__init__(api)
        self._held: dict[str, Json] = {}

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        found = super().get(kind, namespace, name)
        return None if found is None else self._same(found)

    def items(self, kind: Kind, namespace: str) -> Sequence[Json]:
        return [self._same(found) for found in super().items(kind, namespace)]

    def _same(self, found: Json) -> Json:
        return self._held.setdefault(f"{found['metadata']['uid']} {found['metadata']['resourceVersion']}", found)


def test_what_has_not_changed_is_not_read_again(world: World) -> None:
    world.workloads = KubeWorkloads(world.api, HeldCache(world.api), world.clock)
    before = world.side()
    world.clock.advance(60)
    assert world.side() is before
    world.scale(4, 3)
    world.run()
    assert (before.replicas, world.side().replicas, world.side().current) == (4, 3, 3)


def test_a_pod_becomes_available_by_time_alone(world: World) -> None:
    world.workloads = KubeWorkloads(world.api, HeldCache(world.api), world.clock)
    world.edit(spec={"minReadySeconds": 3600})
    world.run()
    assert world.side().available == 0
    world.clock.advance(3600)
    assert world.side().available == 4
