"""The gateway on a real API server: the contract of `Api`, and a cache that lives through the server's death."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from analyzer.kube.cache import Cache, may_watch_cluster
from analyzer.kube.client import KubeClient, connect
from analyzer.kube.errors import ExpiredError, StaleError
from analyzer.kube.objects import CONFIG_MAPS, DEPLOYMENTS, Api, Kind, PatchType
from tests.contracts.kube_api import KubeApiContract
from tests.e2e.lab.control_plane import ControlPlane
from tests.fakes.kube_objects import deployment

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("gateway")]  # one control plane for all of it

NAMESPACES = Kind("api/v1", "namespaces", "Namespace", namespaced=False)
numbers = count(1)


@pytest.fixture(name="plane", scope="module")
def _plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = ControlPlane(tmp_path_factory.mktemp("plane"))
    plane.start()
    yield plane
    plane.stop()


@pytest.fixture(name="client")
def _client(plane: ControlPlane) -> Iterator[KubeClient]:
    client = connect(plane.kubeconfig())
    yield client
    client.close()


@pytest.fixture(name="space")
def _space(client: KubeClient) -> str:
    name = f"gateway-{next(numbers)}"
    client.create(NAMESPACES, None, {"metadata": {"name": name}})
    return name


class TestRealServer(KubeApiContract):
    @pytest.fixture
    def api(self, client: KubeClient) -> Api:
        return client

    @pytest.fixture
    def namespace(self, space: str) -> str:
        return space


def test_the_cache_outlives_the_api_server(plane: ControlPlane, client: KubeClient, space: str) -> None:
    client.create(DEPLOYMENTS, space, deployment("web", 2, namespace=space))
    cache = Cache(client, [space], bound=4)
    cache.start()
    assert cache.wait_synced(10)
    version = client.list(CONFIG_MAPS, space).version

    plane.stop_api()
    eventually(lambda: stale(cache, space), "a cache whose server is gone is refused")
    assert cache.problems()

    plane.start_api()
    client.patch(DEPLOYMENTS, space, "web", {"spec": {"replicas": 3}}, PatchType.MERGE)
    eventually(lambda: not stale(cache, space) and replicas(cache, space) == 3, "the cache follows the server again")
    with pytest.raises(ExpiredError):
        list(client.watch(CONFIG_MAPS, space, str(int(version) // 2), seconds=1))
    cache.stop()


def test_the_whole_cluster_is_read_by_one_watch_for_each_kind(client: KubeClient, space: str) -> None:
    assert may_watch_cluster(client)
    cache = Cache(client, [space], cluster_wide=True)
    cache.start()
    assert cache.wait_synced(10)
    client.create(DEPLOYMENTS, space, deployment("web", 1, namespace=space))
    eventually(lambda: cache.get(DEPLOYMENTS, space, "web") is not None, "the new Deployment is seen")
    cache.stop()


def test_the_server_tells_its_time(client: KubeClient) -> None:
    assert abs(client.server_clock().timestamp() - time.time()) < 5


def test_credentials_that_change_on_disk_are_read_anew(plane: ControlPlane, tmp_path: Path) -> None:
    good = plane.kubeconfig().read_text()
    file = tmp_path / "kubeconfig"
    file.write_text(good.replace("token: ", "token: wrong"))
    client = connect(file)
    file.write_text(good)
    assert client.list(NAMESPACES, None).items
    client.close()


def stale(cache: Cache, namespace: str) -> bool:
    try:
        cache.items(DEPLOYMENTS, namespace)
    except StaleError:
        return True
    return False


def replicas(cache: Cache, namespace: str) -> int:
    found = cache.get(DEPLOYMENTS, namespace, "web")
    return int(found["spec"]["replicas"]) if found is not None else -1


def eventually(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)
