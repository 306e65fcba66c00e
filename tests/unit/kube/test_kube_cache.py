"""The cache: reflectors in threads, reads that refuse what is too old, namespaces that come and go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analyzer.kube.cache import FOLLOWED, OUR_DOCUMENTS, Cache, may_watch_cluster
from analyzer.kube.errors import StaleError
from analyzer.kube.objects import (
    ACCESS_REVIEWS,
    AUTOSCALERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    PatchType,
)
from analyzer.kube.reflector import WatchTiming
from analyzer.record.configmaps.names import DocumentKind
from tests.fakes.clock import FakeClock
from tests.fakes.kube_api import FakeApi
from tests.fakes.kube_objects import autoscaler, deployment, settle


class Setting:
    """A started cache of the namespace `default` on a fake server whose watches last; age is in fake time."""

    def __init__(self, api: FakeApi | None = None, *, cluster_wide: bool = False) -> None:
        self.clock = FakeClock()
        self.api = api or FakeApi(self.clock)
        timing = WatchTiming(monotonic=self.clock.monotonic)
        self.cache = Cache(self.api, ["default"], cluster_wide=cluster_wide, bound=60, timing=timing)

    def synced(self) -> Cache:
        self.cache.start()
        assert self.cache.wait_synced(2)
        return self.cache


@pytest.fixture(name="setting")
def _setting() -> Iterator[Setting]:
    setting = Setting()
    setting.api.put(DEPLOYMENTS, deployment("web", 2))
    settle(setting.api, "web")
    setting.api.put(AUTOSCALERS, autoscaler("scaler", "web"))
    yield setting
    setting.cache.stop()
    setting.api.close_watches()


def test_reads_what_is_there_without_further_calls(setting: Setting) -> None:
    cache = setting.synced()
    calls = len(setting.api.calls)
    web = cache.get(DEPLOYMENTS, "default", "web")
    assert web is not None
    (replica_set,) = cache.owned(REPLICA_SETS, "default", web["metadata"]["uid"])
    assert len(cache.owned(PODS, "default", replica_set["metadata"]["uid"])) == 2
    assert len(cache.items(AUTOSCALERS, "default")) == 1
    assert cache.get(DEPLOYMENTS, "default", "other") is None
    assert len(setting.api.calls) <= calls + len(FOLLOWED)  # no more than the watches that begin


def test_an_own_write_is_seen_at_once(setting: Setting) -> None:
    cache = setting.synced()
    scale = [{"op": "replace", "path": "/spec/replicas", "value": 7}]
    cache.put(DEPLOYMENTS, setting.api.patch(DEPLOYMENTS, "default", "web", scale, PatchType.JSON))
    web = cache.get(DEPLOYMENTS, "default", "web")
    assert web is not None
    assert web["spec"]["replicas"] == 7
    assert web["metadata"]["writers"]["replicas"] == "canary-analyzer"


def test_before_the_first_list_nothing_can_be_read(setting: Setting) -> None:
    with pytest.raises(StaleError, match="Deployment cache for namespace default is not synced yet"):
        setting.cache.get(DEPLOYMENTS, "default", "web")
    assert setting.cache.age() is None
    assert not setting.cache.wait_synced(0)


def test_says_why_it_could_not_list() -> None:
    setting = Setting()
    setting.api.denied.add(("list", "pods"))
    setting.cache.start()
    assert not setting.cache.wait_synced(0.1)
    assert setting.cache.problems() == ["list Pod default: 403: may not list pods"]
    with pytest.raises(StaleError, match="is not synced yet: list Pod default: 403"):
        setting.cache.items(PODS, "default")
    setting.cache.stop()
    setting.api.close_watches()


def test_what_is_older_than_the_bound_is_not_read(setting: Setting) -> None:
    cache = setting.synced()
    setting.clock.advance(60)
    assert cache.get(DEPLOYMENTS, "default", "web") is not None
    setting.clock.advance(1)
    with pytest.raises(StaleError, match=r"Deployment cache for namespace default is stale: 1m1s old, limit 1m"):
        cache.get(DEPLOYMENTS, "default", "web")
    assert cache.age() == 61


def test_a_namespace_that_is_not_watched_is_refused_not_empty(setting: Setting) -> None:
    cache = setting.synced()
    with pytest.raises(StaleError, match="no Deployment cache for namespace other: it is not watched"):
        cache.items(DEPLOYMENTS, "other")


def test_namespaces_come_and_go(setting: Setting) -> None:
    setting.api.put(DEPLOYMENTS, deployment("there", namespace="other"))
    cache = setting.synced()
    cache.follow(["other"])
    assert cache.wait_synced(2)
    assert cache.get(DEPLOYMENTS, "other", "there") is not None
    with pytest.raises(StaleError):
        cache.get(DEPLOYMENTS, "default", "web")


def test_many_namespaces_need_one_watch_for_each_kind() -> None:
    setting = Setting(cluster_wide=True)
    setting.api.put(DEPLOYMENTS, deployment("web"))
    setting.api.put(DEPLOYMENTS, deployment("there", namespace="other"))
    cache = setting.synced()
    assert {call.namespace for call in setting.api.calls} == {None}
    assert cache.get(DEPLOYMENTS, "default", "web") is not None
    cache.follow(["default", "other"])
    with pytest.raises(StaleError, match="is not synced yet"):
        cache.get(DEPLOYMENTS, "other", "there")
    setting.api.expire_watches()
    assert cache.wait_synced(2)
    assert cache.get(DEPLOYMENTS, "other", "there") is not None
    cache.stop()
    setting.api.close_watches()


def test_of_config_maps_only_commands_are_watched(setting: Setting) -> None:
    ours = {"app.kubernetes.io/managed-by": "canary-analyzer"}
    new, old = "canary-analyzer.io/document", "canary-analyzer/document"
    followed = {
        "both": ours | {new: "commands", old: "commands"},
        "new": ours | {new: "commands"},
        "old": ours | {old: "commands"},
    }
    others = {f"{kind}-{key.partition('/')[0]}": ours | {key: kind} for kind in OUR_DOCUMENTS for key in (new, old)}
    for name, labels in {**followed, **others, "foreign": {}}.items():
        setting.api.put(CONFIG_MAPS, {"metadata": {"name": name, "namespace": "default", "labels": labels}, "data": {}})
    names = [found["metadata"]["name"] for found in setting.synced().items(CONFIG_MAPS, "default")]
    assert names == ["both", "new", "old"]


def test_every_document_but_the_commands_is_one_of_our_own() -> None:
    assert {*OUR_DOCUMENTS, "commands"} == {kind.value for kind in DocumentKind}


def test_starting_twice_starts_once(setting: Setting) -> None:
    setting.cache.start()
    setting.synced()
    assert len([call for call in setting.api.calls if call.verb == "list"]) == len(FOLLOWED)


def test_asks_whether_the_whole_cluster_may_be_watched() -> None:
    api = FakeApi()
    assert may_watch_cluster(api)
    api.denied.add(("watch", "pods"))
    assert not may_watch_cluster(api)
    assert may_watch_cluster(api, [DEPLOYMENTS])


def test_who_may_not_even_ask_watches_each_namespace() -> None:
    api = FakeApi()
    api.denied.add(("create", ACCESS_REVIEWS.plural))
    assert not may_watch_cluster(api)
