"""Several targets in one daemon: they share slots and Prometheus, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from analyzer.engine.assembly import assemble
from analyzer.model.errors import RecordError
from analyzer.model.phase import Phase
from analyzer.model.state import TargetState
from analyzer.model.target import Roles
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import CANARY, DEMO_TARGET, Stage

CART = replace(DEMO_TARGET, name="cart", roles=Roles("cart-stable", "cart-canary"))


class TwoTargets(Stage):
    """`shop` and `cart`, five pods each; requests are for both together."""

    def __init__(self, max_concurrent: int = 20) -> None:
        super().__init__(traffic=Traffic(rps=800, seed=1), replicas=5)
        self.cluster.create("cart-stable", "v1", 5)
        self.cluster.create("cart-canary", "v1", 0)
        self.max_concurrent = max_concurrent
        self.reconfigure(self.target, CART)
        self.look()

    @property
    def cart(self) -> TargetState:
        stored = self.store.load("cart")
        assert stored is not None
        return stored.state


def test_releases_of_two_targets_run_side_by_side_with_one_question_each_sweep() -> None:
    stage = TwoTargets()
    stage.release("v2")
    stage.cluster.deploy("cart-canary", "v2")
    stage.run_until(lambda: {stage.phase, stage.cart.phase} == {Phase.SUCCEEDED}, within=300)
    assert {request.target for request in stage.metrics.asked} == {"shop", "shop (before)", "cart", "cart (before)"}


def test_second_release_waits_for_the_only_slot_and_then_starts() -> None:
    stage = TwoTargets(max_concurrent=1)
    stage.release("v2")
    stage.run(1)
    stage.cluster.deploy("cart-canary", "v2")
    stage.run(10)
    assert stage.phase.active
    assert stage.cart.phase is Phase.PENDING
    stage.run_to(Phase.SUCCEEDED)
    stage.run_until(lambda: stage.cart.phase is Phase.PROGRESSING, within=3)


def test_slots_are_counted_although_documents_could_not_be_looked_through_at_the_start() -> None:
    stage = TwoTargets(max_concurrent=1)
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.cluster.deploy("cart-canary", "v2")
    stage.run(3)
    stage.daemon = assemble(stage.settings((CART, stage.target)), stage.parts)
    stage.store.fail_with = RecordError("the API server does not answer")
    stage.daemon.lead()
    stage.store.fail_with = None
    stage.run(1)
    assert (stage.phase.active, stage.cart.phase) == (True, Phase.PENDING)


def test_waiting_target_that_can_not_be_read_any_more_gives_its_turn_away() -> None:
    stage = TwoTargets(max_concurrent=1)
    stage.cluster.create("auth-stable", "v1", 5)
    stage.cluster.create("auth-canary", "v1", 0)
    auth = replace(DEMO_TARGET, name="auth", roles=Roles("auth-stable", "auth-canary"))
    stage.reconfigure(stage.target, CART, auth)
    stage.run(1)
    for canary in (CANARY, "cart-canary", "auth-canary"):
        stage.cluster.deploy(canary, "v2")
        stage.run(2)
    assert stage.cart.phase is Phase.PENDING
    stage.cluster.forbidden.add("cart")
    stage.run_to(Phase.SUCCEEDED)
    stage.run(3)
    youngest = stage.store.load("auth")
    assert youngest is not None
    assert youngest.state.phase is Phase.PROGRESSING


def test_slots_are_counted_again_after_a_restart() -> None:
    stage = TwoTargets(max_concurrent=1)
    stage.release("v2")
    stage.run_to(Phase.PROGRESSING)
    stage.restart()
    stage.reconfigure(CART, stage.target)
    stage.cluster.deploy("cart-canary", "v2")
    stage.run(5)
    assert stage.cart.phase is Phase.PENDING


def test_target_whose_deployments_can_not_be_read_disturbs_no_other() -> None:
    stage = TwoTargets()
    stage.cluster.forbidden.add("cart")
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    errors = {report.target.name for report in stage.notebook.reports if report.error is not None}
    assert errors == {"cart"}


def test_target_whose_document_is_broken_holds_and_disturbs_no_other() -> None:
    stage = TwoTargets()
    stage.store.put("cart", b"not JSON")
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    errors = {report.target.name for report in stage.notebook.reports if report.error is not None}
    assert errors == {"cart"}
    assert stage.store.document("cart") == b"not JSON"
