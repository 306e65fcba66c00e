"""The promises of an `Api`, on the fake and on the real client with the fake behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.kube.client import connect
from analyzer.kube.errors import ExpiredError
from analyzer.kube.objects import CONFIG_MAPS, Api
from tests.contracts.kube_api import KubeApiContract
from tests.fakes.kube_api import FakeApi
from tests.fakes.kube_http import wire_server
from tests.fakes.kube_served import answering


def fake() -> FakeApi:
    """A server in memory that remembers nothing of before."""
    api = FakeApi(watch_seconds=0)
    api.expire_watches()
    return api


class ForgetfulContract(KubeApiContract):
    """Of a real server the same is proved in the end-to-end suite, when it is started again."""

    def test_a_version_of_long_ago_is_expired(self, api: Api, namespace: str) -> None:
        with pytest.raises(ExpiredError):
            list(api.watch(CONFIG_MAPS, namespace, "1", seconds=1))


class TestFake(ForgetfulContract):
    @pytest.fixture
    def api(self) -> Api:
        return fake()

    @pytest.fixture
    def namespace(self) -> str:
        return "contract"


class TestClient(ForgetfulContract):
    @pytest.fixture
    def api(self, tmp_path: Path) -> Iterator[Api]:
        with wire_server() as wire:
            wire.answering = answering(fake())
            client = connect(wire.kubeconfig(tmp_path))
            yield client
            client.close()

    @pytest.fixture
    def namespace(self) -> str:
        return "contract"
