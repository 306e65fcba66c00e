"""The configuration names other Deployments for a target: a release ends where it began, then the new ones are seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from analyzer.model.phase import Phase
from analyzer.model.plan import Promotion
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Snapshot
from analyzer.ports import Workloads
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, DEMO_TARGET, STABLE, Stage, with_plan

MALL = replace(DEMO_TARGET, namespace="mall")
NEW = Roles("store-stable", "store-canary")


class Located:
    """`Workloads` that note in which namespace they were used."""

    def __init__(self, workloads: Workloads, places: list[str]) -> None:
        self._workloads = workloads
        self._places = places

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        self._places.append(target.namespace)
        return self._workloads.snapshot(target, roles)

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        self._places.append(target.namespace)
        self._workloads.apply(target, move, epoch)

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        self._places.append(target.namespace)
        self._workloads.claim(target, roles, epoch)


class Relocation(Stage):
    """`places` has the namespaces that were looked at or written in, in order."""

    def __init__(self, target: Target = DEMO_TARGET) -> None:
        self.places: list[str] = []
        super().__init__(target, Traffic(seed=1))
        self.around_workloads = lambda workloads: Located(workloads, self.places)
        self.cluster.create(NEW.stable, "v7", 10)
        self.cluster.create(NEW.canary, "v7", 0)
        self.restart()

    @property
    def status(self) -> dict[str, object]:
        return self.store.status("shop") or {}

    @property
    def warnings(self) -> str:
        return str(self.status["warnings"])


def _to_first_step(stage: Stage) -> None:
    stage.release("v2", errors=0.12)
    stage.run_until(lambda: stage.phase is Phase.PROGRESSING and stage.sides == (9, 1), within=30)


def test_a_release_whose_namespace_is_changed_is_finished_where_it_began() -> None:
    stage = Relocation()
    _to_first_step(stage)
    stage.target = MALL
    stage.reconfigure(MALL)
    asked = len(stage.metrics.asked)
    stage.run(20)
    stage.restart()
    stage.lease.win(2)
    stage.run_to(Phase.ABORTED)
    assert set(stage.places) == {"default"}
    assert {request.namespace for request in stage.metrics.asked[asked:]} == {"default"}
    assert "in mall; finishing this release with shop-stable and shop-canary in default" in stage.warnings


def test_the_new_namespace_is_seen_for_the_first_time_once_the_release_has_ended() -> None:
    stage = Relocation()
    _to_first_step(stage)
    stage.reconfigure(MALL)
    stage.run_to(Phase.ABORTED)
    stage.run(1)
    assert (stage.phase, stage.state.unmanaged, stage.state.namespace) == (Phase.IDLE, True, "mall")
    assert stage.places[-1] == "mall"
    assert [entry["result"] for entry in stage.store.history("shop")] == ["aborted"]
    stage.release("v3")
    stage.run_to(Phase.SUCCEEDED)
    assert stage.current.id.endswith("-2")


def test_a_namespace_that_is_changed_while_idle_is_a_first_sight() -> None:
    stage = Relocation()
    stage.cluster.scale(CANARY, 3)
    stage.reconfigure(MALL)
    stage.run(2)
    assert stage.last.decision.reason.startswith("unmanaged")
    assert stage.sides == (10, 3)
    assert (stage.state.namespace, stage.status["namespace"]) == ("mall", "mall")


def test_a_document_that_names_no_namespace_is_believed() -> None:
    stage = Relocation()
    document = json.loads(stage.store.document("shop"))
    del document["namespace"]
    document["releases"], document["unmanaged"] = 7, False
    stage.store.put("shop", json.dumps(document).encode())
    stage.run(2)
    assert stage.phase is Phase.IDLE
    assert not stage.state.unmanaged


def test_other_names_while_idle_are_a_first_sight_of_the_new_pair() -> None:
    stage = Relocation()
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    stage.reconfigure(replace(DEMO_TARGET, roles=NEW))
    stage.run(1)
    assert (stage.state.roles, stage.phase, stage.state.release) == (NEW, Phase.IDLE, None)
    stage.cluster.deploy(NEW.canary, "v8")
    stage.run_to(Phase.SUCCEEDED)
    assert stage.cluster.version(NEW.stable) == "v8"
    assert stage.cluster.version(STABLE) == "v2"
    assert len(stage.cluster.claims) == 2  # under one epoch, but other Deployments


def test_other_names_wait_for_the_end_of_the_release() -> None:
    stage = Relocation()
    _to_first_step(stage)
    stage.reconfigure(replace(DEMO_TARGET, roles=NEW))
    stage.run_to(Phase.ABORTED)
    assert stage.sides == (10, 0)
    assert "names store-stable and store-canary in default;" in stage.warnings
    stage.run(1)
    assert (stage.state.roles, stage.phase) == (NEW, Phase.IDLE)


def test_other_names_that_do_not_exist_yet_are_waited_for() -> None:
    stage = Relocation()
    stage.release("v2")
    stage.run_to(Phase.PENDING)
    stage.reconfigure(replace(DEMO_TARGET, roles=Roles("late-stable", "late-canary")))
    stage.run(1)
    assert "Deployments late-stable and late-canary to be created" in stage.last.decision.reason
    assert stage.phase is Phase.IDLE
    stage.cluster.create("late-stable", "v1", 10)
    stage.cluster.create("late-canary", "v1", 0)
    stage.run(1)
    assert stage.last.decision.reason.startswith("unmanaged: replicas are left alone")


def test_roles_that_a_swap_exchanged_are_no_edit() -> None:
    stage = Relocation(with_plan(promote=Promotion.SWAP, bake=timedelta(0)))
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    stage.run(5)
    stage.restart()
    stage.run(5)
    assert (stage.phase, stage.state.roles) == (Phase.SUCCEEDED, DEMO_TARGET.roles.swapped())
