"""What every `Api` promises the adapters. Run on the fake, on the real client with the fake behind it, and, in the
end-to-end suite, on the real client with a real API server.

The objects are small, live in a namespace of the test's own, and are left to whoever made the namespace.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import pytest

from analyzer.kube.errors import NotFoundError, PreconditionError, RejectedError
from analyzer.kube.objects import CONFIG_MAPS, DEPLOYMENTS, LEASES, PODS, Api, Change, Json, PatchType
from analyzer.kube.transform import transformed
from tests.fakes.kube_objects import deployment

EPOCH = "/metadata/annotations/canary-analyzer.io~1epoch"
LEGACY_EPOCH = "/metadata/annotations/canary-analyzer~1epoch"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"made-by": "contract"}}, "data": data}


class KubeApiContract(ABC):
    """Subclasses give the fixtures: `api`, `namespace` (its own, empty), and who else can write (`other`)."""

    @abstractmethod
    @pytest.fixture
    def api(self) -> Api | Iterator[Api]:
        """The subject."""

    @abstractmethod
    @pytest.fixture
    def namespace(self) -> str:
        """A namespace without objects."""

    @pytest.fixture
    def web(self, api: Api, namespace: str) -> Json:
        """A Deployment with two replicas, which nobody scales meanwhile."""
        return api.create(DEPLOYMENTS, namespace, deployment("web", 2, namespace=namespace))

    def test_an_object_gets_an_identity(self, api: Api, namespace: str, web: Json) -> None:
        assert web["kind"] == "Deployment"
        assert web["metadata"]["uid"]
        assert web["metadata"]["generation"] == 1
        assert int(web["metadata"]["resourceVersion"]) > 0
        assert api.get(DEPLOYMENTS, namespace, "web")["metadata"]["uid"] == web["metadata"]["uid"]

    def test_what_is_not_there_is_not_found(self, api: Api, namespace: str) -> None:
        with pytest.raises(NotFoundError):
            api.get(CONFIG_MAPS, namespace, "none")
        with pytest.raises(NotFoundError):
            api.delete(CONFIG_MAPS, namespace, "none")
        with pytest.raises(NotFoundError):
            api.patch(CONFIG_MAPS, namespace, "none", {"data": {}}, PatchType.MERGE)

    def test_a_name_is_given_once(self, api: Api, namespace: str) -> None:
        api.create(CONFIG_MAPS, namespace, config_map("once"))
        with pytest.raises(PreconditionError):
            api.create(CONFIG_MAPS, namespace, config_map("once"))
        api.delete(CONFIG_MAPS, namespace, "once")
        api.create(CONFIG_MAPS, namespace, config_map("once"))

    def test_a_fenced_patch_scales_and_counts_generations(self, api: Api, namespace: str, web: Json) -> None:
        claim = {"metadata": {"annotations": {"canary-analyzer.io/epoch": "7", "canary-analyzer/epoch": "7"}}}
        claimed = api.patch(DEPLOYMENTS, namespace, "web", claim, PatchType.MERGE)
        assert claimed["metadata"]["generation"] == 2  # a Deployment's annotations count
        fenced = [
            {"op": "test", "path": EPOCH, "value": "7"},
            {"op": "test", "path": LEGACY_EPOCH, "value": "7"},
            {"op": "test", "path": "/metadata/uid", "value": web["metadata"]["uid"]},
            {"op": "test", "path": "/spec/replicas", "value": 2},
            {"op": "replace", "path": "/spec/replicas", "value": 0},
        ]
        scaled = api.patch(DEPLOYMENTS, namespace, "web", fenced, PatchType.JSON)
        assert (scaled["spec"]["replicas"], scaled["metadata"]["generation"]) == (0, 3)
        assert transformed(DEPLOYMENTS, scaled)["metadata"]["writers"]["replicas"] == "canary-analyzer"

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (EPOCH, "7"),
            ("/metadata/uid", "somebody-else"),
            ("/spec/replicas", 3),
            ("/spec/template/metadata/labels/none", "x"),
        ],
    )
    def test_a_patch_whose_test_fails_changes_nothing(
        self, api: Api, namespace: str, web: Json, path: str, value: object
    ) -> None:
        body = [
            {"op": "replace", "path": "/spec/replicas", "value": 5},
            {"op": "test", "path": path, "value": value},
        ]
        with pytest.raises(PreconditionError):
            api.patch(DEPLOYMENTS, namespace, "web", body, PatchType.JSON)
        assert api.get(DEPLOYMENTS, namespace, "web")["spec"]["replicas"] == 2

    def test_a_merge_patch_conflicts_on_another_version_or_uid(self, api: Api, namespace: str) -> None:
        first = api.create(CONFIG_MAPS, namespace, config_map("c", a="1"))
        version = {"resourceVersion": first["metadata"]["resourceVersion"]}
        second = api.patch(
            CONFIG_MAPS, namespace, "c", {"metadata": version, "data": {"a": None, "b": "2"}}, PatchType.MERGE
        )
        assert second["data"] == {"b": "2"}
        with pytest.raises(PreconditionError):
            api.patch(CONFIG_MAPS, namespace, "c", {"metadata": version, "data": {"b": "3"}}, PatchType.MERGE)
        foreign = {"metadata": {"uid": "00000000-0000-4000-8000-000000000000"}, "data": {"b": "3"}}
        with pytest.raises(PreconditionError):
            api.patch(CONFIG_MAPS, namespace, "c", foreign, PatchType.MERGE)
        assert api.get(CONFIG_MAPS, namespace, "c")["data"] == {"b": "2"}

    def test_a_patch_that_changes_nothing_leaves_the_version(self, api: Api, namespace: str) -> None:
        first = api.create(CONFIG_MAPS, namespace, config_map("c", a="1"))
        again = api.patch(CONFIG_MAPS, namespace, "c", {"data": {"a": "1"}}, PatchType.MERGE)
        assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]

    def test_leases_are_objects_like_others(self, api: Api, namespace: str) -> None:
        spec = {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-03-02T10:00:00.000000Z"}
        lease = api.create(LEASES, namespace, {"metadata": {"name": "l"}, "spec": spec})
        version = lease["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": "b"}}
        assert api.patch(LEASES, namespace, "l", body, PatchType.MERGE)["spec"]["holderIdentity"] == "b"
        with pytest.raises(PreconditionError):
            api.patch(LEASES, namespace, "l", body, PatchType.MERGE)

    def test_a_list_is_by_namespace_and_label(self, api: Api, namespace: str) -> None:
        for name in ("b", "a"):
            api.create(CONFIG_MAPS, namespace, config_map(name))
        api.create(CONFIG_MAPS, namespace, {"metadata": {"name": "other", "labels": {"kind": "small"}}})
        listed = api.list(CONFIG_MAPS, namespace, labels="made-by=contract")
        assert [found["metadata"]["name"] for found in listed.items] == ["a", "b"]
        for selector in (
            "made-by=contract,!kind",
            "!kind,made-by notin (somebody, else)",
            "kind notin (small),made-by",
        ):
            found = api.list(CONFIG_MAPS, namespace, labels=selector).items
            assert [one["metadata"]["name"] for one in found if "labels" in one["metadata"]] == ["a", "b"]
        assert api.list(PODS, namespace).items == ()
        paged = [found for page in api.pages(CONFIG_MAPS, namespace, labels="made-by=contract") for found in page.items]
        assert [found["metadata"]["name"] for found in paged] == ["a", "b"]

    def test_a_watch_tells_what_happened_since_and_ends(self, api: Api, namespace: str) -> None:
        version = api.list(CONFIG_MAPS, namespace, labels="made-by=contract").version
        api.create(CONFIG_MAPS, namespace, config_map("c", a="1"))
        api.patch(CONFIG_MAPS, namespace, "c", {"data": {"a": "2"}}, PatchType.MERGE)
        api.create(CONFIG_MAPS, namespace, {"metadata": {"name": "other"}})
        api.delete(CONFIG_MAPS, namespace, "c")
        seen = list(self._seen(api, namespace, version))
        assert [change.kind for change in seen] == ["ADDED", "MODIFIED", "DELETED"]
        versions = [int(change.object["metadata"]["resourceVersion"]) for change in seen]
        assert versions == sorted(set(versions))
        assert [change.kind for change in self._seen(api, namespace, str(versions[-2]))] == ["DELETED"]

    def test_a_watch_loses_what_no_longer_matches(self, api: Api, namespace: str) -> None:
        api.create(CONFIG_MAPS, namespace, config_map("c"))
        version = api.list(CONFIG_MAPS, namespace).version
        api.patch(CONFIG_MAPS, namespace, "c", {"metadata": {"labels": {"made-by": None}}}, PatchType.MERGE)
        assert [change.kind for change in self._seen(api, namespace, version)] == ["DELETED"]

    def test_an_object_that_is_too_large_is_rejected(self, api: Api, namespace: str) -> None:
        with pytest.raises(RejectedError):
            api.create(CONFIG_MAPS, namespace, config_map("large", text="x" * 1_100_000))

    def _seen(self, api: Api, namespace: str, version: str) -> Iterator[Change]:
        changes = api.watch(CONFIG_MAPS, namespace, version, labels="made-by=contract", seconds=1)
        return (change for change in changes if change.kind != "BOOKMARK")
