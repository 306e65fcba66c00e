"""What every `Workloads` promises. A test class for an adapter inherits these tests and gives a `Stage`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import pytest

from analyzer.model.errors import ActuationError, ConflictError
from analyzer.model.metric import Analysis
from analyzer.model.plan import Plan
from analyzer.model.target import Roles, Side, Target
from analyzer.model.workload import Scale, Snapshot, Workload, WriteTemplate
from analyzer.ports import Workloads

STABLE, CANARY = "shop-stable", "shop-canary"
ROLES = Roles(stable=STABLE, canary=CANARY)
OURSELVES = "canary-analyzer"


class Stage(ABC):
    """An adapter on a cluster, and what a user does there. It begins with 3 settled pods of version 1 in stable, and
    the canary at 0 with the same version; both in namespace `namespace`."""

    namespace = "default"
    someone = "kubectl"
    """As which writer the user's changes are known."""

    @property
    @abstractmethod
    def workloads(self) -> Workloads: ...
    @abstractmethod
    def deploy(self, name: str, version: str) -> None: ...
    @abstractmethod
    def scale(self, name: str, replicas: int) -> None: ...
    @abstractmethod
    def delete(self, name: str) -> None: ...
    @abstractmethod
    def create(self, name: str, version: str, replicas: int) -> None: ...
    @abstractmethod
    def wait(self, until: Callable[[], bool]) -> None:
        """Let time pass until this holds; fails when it never does."""

    @abstractmethod
    def next_second(self) -> None:
        """Go on in another second than now: of two writers of one template in the same second either may be named."""

    @property
    def target(self) -> Target:
        return Target("shop", self.namespace, ROLES, Plan(steps=()), Analysis(metrics=()))

    def see(self) -> Snapshot:
        return self.workloads.snapshot(self.target, ROLES)

    def side(self, name: str) -> Workload:
        snapshot = self.see()
        found = snapshot.stable if name == STABLE else snapshot.canary
        assert found is not None, f"{name} does not exist"
        return found

    def settle(self, name: str) -> Workload:
        self.wait(lambda: self.side(name).settled)
        return self.side(name)

    def move(self, name: str, before: int, after: int, *, uid: str | None = None) -> Scale:
        side = Side.STABLE if name == STABLE else Side.CANARY
        return Scale(side=side, deployment=name, uid=uid or self.side(name).uid, before=before, after=after)

    def apply(self, move: Scale | WriteTemplate, epoch: int = 1) -> None:
        self.workloads.apply(self.target, move, epoch)

    def claim(self, epoch: int) -> None:
        self.workloads.claim(self.target, ROLES, epoch)


class WorkloadsContract:
    """To be inherited; the class there gives the fixture `stage`."""

    def test_sees_both_sides_with_their_pods(self, stage: Stage) -> None:
        stable, canary = stage.side(STABLE), stage.side(CANARY)
        assert (stable.replicas, stable.current, stable.updated, stable.available) == (3, 3, 3, 3)
        assert (canary.replicas, canary.current, canary.updated, canary.available) == (0, 0, 0, 0)
        assert stable.settled
        assert canary.settled
        assert len(stable.pods) == 3
        assert all(pod.ready and pod.available and not pod.deleted for pod in stable.pods)
        assert all(pod.ready_at is not None and pod.created_at <= pod.ready_at for pod in stable.pods)
        assert not canary.pods

    def test_the_same_version_has_one_hash_on_both_sides(self, stage: Stage) -> None:
        assert stage.side(STABLE).template.hash == stage.side(CANARY).template.hash

    def test_another_version_has_another_hash(self, stage: Stage) -> None:
        before = stage.side(CANARY).template.hash
        stage.deploy(CANARY, "2")
        stage.wait(lambda: stage.side(CANARY).template.hash != before)
        stage.deploy(CANARY, "1")
        stage.wait(lambda: stage.side(CANARY).template.hash == before)

    def test_a_deployment_that_does_not_exist_is_none(self, stage: Stage) -> None:
        stage.delete(CANARY)
        stage.wait(lambda: stage.see().canary is None)
        assert stage.see().stable is not None

    def test_a_write_is_seen_at_once_and_is_not_settled(self, stage: Stage) -> None:
        stage.apply(stage.move(CANARY, 0, 2))
        assert (stage.side(CANARY).replicas, stage.side(CANARY).settled) == (2, False)
        canary = stage.settle(CANARY)
        assert (canary.current, canary.available, len(canary.pods)) == (2, 2, 2)
        assert not {pod.name for pod in canary.pods} & {pod.name for pod in stage.side(STABLE).pods}

    def test_scaled_down_pods_are_no_longer_counted(self, stage: Stage) -> None:
        stage.apply(stage.move(STABLE, 3, 1))
        assert stage.side(STABLE).replicas == 1
        assert stage.settle(STABLE).current == 1

    def test_a_scale_from_another_number_is_refused(self, stage: Stage) -> None:
        with pytest.raises(ConflictError):
            stage.apply(stage.move(STABLE, 2, 1))
        assert stage.side(STABLE).replicas == 3

    def test_the_same_scale_is_not_made_twice(self, stage: Stage) -> None:
        move = stage.move(STABLE, 3, 2)
        stage.apply(move)
        with pytest.raises(ConflictError):
            stage.apply(move)
        assert stage.side(STABLE).replicas == 2

    def test_a_write_to_a_deployment_that_was_made_again_is_refused(self, stage: Stage) -> None:
        former = stage.side(CANARY).uid
        stage.delete(CANARY)
        stage.create(CANARY, "1", 0)
        stage.wait(lambda: stage.see().canary is not None and stage.side(CANARY).uid != former)
        with pytest.raises(ConflictError):
            stage.apply(stage.move(CANARY, 0, 1, uid=former))
        assert stage.side(CANARY).replicas == 0

    def test_a_write_to_a_deployment_that_is_gone_is_refused(self, stage: Stage) -> None:
        move = stage.move(CANARY, 0, 1)
        stage.delete(CANARY)
        stage.wait(lambda: stage.see().canary is None)
        with pytest.raises(ActuationError):
            stage.apply(move)

    def test_a_users_scale_is_seen_with_its_writer(self, stage: Stage) -> None:
        stage.scale(STABLE, 4)
        stage.wait(lambda: stage.side(STABLE).replicas == 4)
        assert stage.side(STABLE).writers["replicas"] == stage.someone
        stage.apply(stage.move(STABLE, 4, 3))
        assert stage.side(STABLE).writers["replicas"] == OURSELVES
        assert stage.side(STABLE).writers["template"] == stage.someone

    def test_after_a_claim_an_older_epoch_is_refused(self, stage: Stage) -> None:
        stage.claim(5)
        with pytest.raises(ConflictError):
            stage.apply(stage.move(STABLE, 3, 2), epoch=4)
        with pytest.raises(ConflictError):
            stage.apply(stage.move(CANARY, 0, 1), epoch=4)
        assert (stage.side(STABLE).replicas, stage.side(CANARY).replicas) == (3, 0)
        stage.apply(stage.move(STABLE, 3, 2), epoch=5)
        assert stage.side(STABLE).replicas == 2

    def test_a_claim_can_be_repeated_and_raised_but_not_lowered(self, stage: Stage) -> None:
        stage.claim(5)
        stage.claim(5)
        stage.claim(7)
        with pytest.raises(ConflictError):
            stage.claim(6)
        stage.apply(stage.move(STABLE, 3, 2), epoch=7)

    def test_a_write_claims_too(self, stage: Stage) -> None:
        stage.apply(stage.move(STABLE, 3, 2), epoch=5)
        with pytest.raises(ConflictError):
            stage.apply(stage.move(STABLE, 2, 1), epoch=4)
        stage.apply(stage.move(STABLE, 2, 1), epoch=6)
        assert stage.side(STABLE).replicas == 1

    def test_a_missing_deployment_hinders_no_claim(self, stage: Stage) -> None:
        stage.delete(CANARY)
        stage.wait(lambda: stage.see().canary is None)
        stage.claim(5)
        with pytest.raises(ConflictError):
            stage.apply(stage.move(STABLE, 3, 2), epoch=4)

    def test_stable_takes_the_canarys_version_and_keeps_its_own_labels(self, stage: Stage) -> None:
        stage.deploy(CANARY, "2")
        old = stage.side(STABLE)
        stage.wait(lambda: stage.side(CANARY).template.hash != old.template.hash)
        new = stage.side(CANARY).template
        stage.apply(stage.move(STABLE, 3, 0))
        stage.settle(STABLE)
        stage.next_second()
        stage.apply(WriteTemplate(Side.STABLE, STABLE, old.uid, old.template.hash, old.template_for(new)))
        assert stage.side(STABLE).template.hash == new.hash
        assert stage.side(STABLE).writers["template"] == OURSELVES
        stage.apply(stage.move(STABLE, 0, 2))
        stable = stage.settle(STABLE)
        assert (stable.updated, stable.template.hash, stable.selector) == (2, new.hash, old.selector)

    def test_a_template_is_not_written_over_another_one(self, stage: Stage) -> None:
        old = stage.side(STABLE)
        stage.deploy(CANARY, "2")
        stage.wait(lambda: stage.side(CANARY).template.hash != old.template.hash)
        new = stage.side(CANARY).template
        stage.deploy(STABLE, "3")
        with pytest.raises(ConflictError):
            stage.apply(WriteTemplate(Side.STABLE, STABLE, old.uid, old.template.hash, old.template_for(new)))
        stage.wait(lambda: stage.side(STABLE).template.hash not in (old.template.hash, new.hash))

    def test_pods_of_a_former_template_are_not_updated(self, stage: Stage) -> None:
        former = {pod.name for pod in stage.side(STABLE).pods}
        seen: list[tuple[int, int]] = []

        def replaced() -> bool:
            stable = stage.side(STABLE)
            seen.append((stable.updated, stable.available))
            return stable.settled and not former & {pod.name for pod in stable.pods if not pod.deleted}

        stage.deploy(STABLE, "2")
        stage.wait(replaced)
        assert any(updated < 3 for updated, _ in seen)
        assert all(available >= 2 for _, available in seen)
