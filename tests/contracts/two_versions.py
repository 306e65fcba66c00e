"""What holds between a daemon of this version and one of an earlier version on the same Deployments.

Inherited by a test class that gives a `Stage` which is a `TwoVersions` too: on the API server in memory, and, in the
end-to-end suite, on a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from analyzer.actuation.workloads import KubeWorkloads
from analyzer.kube.objects import DEPLOYMENTS, Api, Cached, Json, PatchType
from analyzer.model.errors import ConflictError
from analyzer.ports import Clock
from tests.contracts.workloads import ROLES, STABLE, Stage
from tests.fakes.earlier_version import EarlierWorkloads

NEW, OLD = "canary-analyzer.io/epoch", "canary-analyzer/epoch"
VERSIONS = pytest.mark.parametrize(
    ("first", "second"), [(KubeWorkloads, EarlierWorkloads), (EarlierWorkloads, KubeWorkloads)], ids=["new", "old"]
)
"""Of which version the daemon is that leads first; the other one takes over."""


class TwoVersions(Stage):
    """A stage on an API server that several adapters can write to."""

    api: Api
    cache: Cached
    clock: Clock

    def annotations(self) -> dict[str, str]:
        """The epochs on stable."""
        found = self.api.get(DEPLOYMENTS, self.namespace, STABLE)["metadata"].get("annotations") or {}
        return {key: value for key, value in found.items() if key in (NEW, OLD)}

    def annotate(self, epochs: dict[str, str | None]) -> None:
        """A user changes stable's annotations; returns when the cache shows it."""
        self.api.patch(DEPLOYMENTS, self.namespace, STABLE, {"metadata": {"annotations": epochs}}, PatchType.MERGE)
        self.wait(lambda: self._cached().items() >= {k: v for k, v in epochs.items() if v is not None}.items())

    def _cached(self) -> dict[str, str]:
        found = self.cache.get(DEPLOYMENTS, self.namespace, STABLE)
        return {} if found is None else dict(found["metadata"].get("annotations") or {})

    def daemon(self, version: type[KubeWorkloads], before_patch: Callable[[], None] | None = None) -> KubeWorkloads:
        """A daemon's adapter; `before_patch` happens once between its look at a Deployment and its first patch."""
        api = self.api if before_patch is None else InterruptedApi(self.api, before_patch)
        return version(api, self.cache, self.clock)


class InterruptedApi:
    """An `Api` on which something else happens just before the first patch."""

    def __init__(self, api: Api, before_patch: Callable[[], None]) -> None:
        self._api = api
        self._pending: list[Callable[[], None]] = [before_patch]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def patch(self, *args: Any, **options: Any) -> Json:
        while self._pending:
            self._pending.pop()()
        return self._api.patch(*args, **options)


class TwoVersionsContract:
    """To be inherited; the class there gives the fixture `stage`."""

    @VERSIONS
    def test_after_a_take_over_writes_of_the_former_daemon_are_refused(
        self, stage: TwoVersions, first: type[KubeWorkloads], second: type[KubeWorkloads]
    ) -> None:
        former, latter = stage.daemon(first), stage.daemon(second)
        former.claim(stage.target, ROLES, 5)
        latter.claim(stage.target, ROLES, 6)
        with pytest.raises(ConflictError):
            former.apply(stage.target, stage.move(STABLE, 3, 2), 5)
        latter.apply(stage.target, stage.move(STABLE, 3, 4), 6)
        assert stage.side(STABLE).replicas == 4

    @VERSIONS
    def test_a_write_on_its_way_is_refused_when_the_other_version_takes_over_meanwhile(
        self, stage: TwoVersions, first: type[KubeWorkloads], second: type[KubeWorkloads]
    ) -> None:
        latter = stage.daemon(second)
        stage.daemon(first).claim(stage.target, ROLES, 5)
        frozen = stage.daemon(first, before_patch=lambda: latter.claim(stage.target, ROLES, 6))
        with pytest.raises(ConflictError, match="claimed by epoch 6"):
            frozen.apply(stage.target, stage.move(STABLE, 3, 2), 5)
        assert stage.side(STABLE).replicas == 3

    @VERSIONS
    def test_the_first_write_of_all_is_refused_when_the_other_version_claims_before_it(
        self, stage: TwoVersions, first: type[KubeWorkloads], second: type[KubeWorkloads]
    ) -> None:
        latter = stage.daemon(second)
        frozen = stage.daemon(first, before_patch=lambda: latter.claim(stage.target, ROLES, 6))
        with pytest.raises(ConflictError, match="claimed by epoch 6"):
            frozen.apply(stage.target, stage.move(STABLE, 3, 2), 5)
        assert stage.side(STABLE).replicas == 3

    @VERSIONS
    def test_versions_may_take_turns(
        self, stage: TwoVersions, first: type[KubeWorkloads], second: type[KubeWorkloads]
    ) -> None:
        daemons = [stage.daemon(first), stage.daemon(second)]
        for epoch in range(5, 9):
            holder, other = daemons[epoch % 2], daemons[(epoch + 1) % 2]
            holder.claim(stage.target, ROLES, epoch)
            with pytest.raises(ConflictError):
                other.apply(stage.target, stage.move(STABLE, epoch - 2, epoch), epoch - 1)
            holder.apply(stage.target, stage.move(STABLE, epoch - 2, epoch - 1), epoch)
        assert stage.side(STABLE).replicas == 7

    @pytest.mark.parametrize(
        "found",
        [{OLD: "5"}, {NEW: "5"}, {NEW: "5", OLD: "4"}, {NEW: "4", OLD: "5"}, {NEW: "spoiled", OLD: "5"}],
        ids=["old", "new", "new-higher", "old-higher", "new-spoiled"],
    )
    def test_the_higher_epoch_counts_and_a_claim_raises_both(
        self, stage: TwoVersions, found: dict[str, str | None]
    ) -> None:
        stage.annotate(found)
        daemon = stage.daemon(KubeWorkloads)
        with pytest.raises(ConflictError, match="claimed by epoch 5"):
            daemon.apply(stage.target, stage.move(STABLE, 3, 2), 4)
        with pytest.raises(ConflictError, match="claimed by epoch 5"):
            daemon.claim(stage.target, ROLES, 4)
        assert stage.annotations() == found
        daemon.claim(stage.target, ROLES, 6)
        assert stage.annotations() == {NEW: "6", OLD: "6"}
        daemon.apply(stage.target, stage.move(STABLE, 3, 2), 6)
        assert stage.side(STABLE).replicas == 2

    @pytest.mark.parametrize("found", [{OLD: "5"}, {NEW: "5"}, {NEW: "5", OLD: "4"}, {NEW: "4", OLD: "5"}], ids=str)
    def test_a_holder_whose_epoch_is_not_under_both_keys_raises_it_with_its_next_write(
        self, stage: TwoVersions, found: dict[str, str | None]
    ) -> None:
        stage.annotate(found)
        stage.daemon(KubeWorkloads).apply(stage.target, stage.move(STABLE, 3, 2), 5)
        assert stage.annotations() == {NEW: "5", OLD: "5"}
        assert stage.side(STABLE).replicas == 2

    @pytest.mark.parametrize(
        ("found", "meanwhile"),
        [({OLD: "5"}, {NEW: "8"}), ({NEW: "5"}, {OLD: "8"}), ({NEW: "5", OLD: "5"}, {OLD: "8"}), ({}, {OLD: "8"})],
        ids=["new-appears", "old-appears", "old-raised", "first-claim"],
    )
    def test_an_epoch_raised_under_one_key_meanwhile_is_not_lowered(
        self, stage: TwoVersions, found: dict[str, str | None], meanwhile: dict[str, str | None]
    ) -> None:
        """A patch cannot test that a key is missing: without the resourceVersion it would write over this one."""
        stage.annotate(found)
        daemon = stage.daemon(KubeWorkloads, before_patch=lambda: stage.annotate(meanwhile))
        with pytest.raises(ConflictError, match="claimed by epoch 8"):
            daemon.apply(stage.target, stage.move(STABLE, 3, 2), 6)
        assert stage.annotations() == {**found, **meanwhile}
        assert stage.side(STABLE).replicas == 3
