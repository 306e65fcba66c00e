"""The whole daemon of a cluster, on an API server in memory: what it needs, what it leaves behind, what it says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from analyzer.actuation.lease import LeaseAt
from analyzer.bootstrap import ClusterDaemon, ClusterOptions
from analyzer.bootstrap.cluster import LONGEST_SYNC
from analyzer.config import ConfigWatch
from analyzer.kube.errors import ForbiddenError, UnavailableError
from analyzer.kube.objects import CONFIG_MAPS, DEPLOYMENTS, LEASES, Json
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK
from tests.fakes.clock import FakeClock
from tests.fakes.kube_api import FakeApi

pytestmark = pytest.mark.integration

HOME = "canary-analyzer"
PATIENCE = 20.0

CONFIG = """\
prometheus: {url: "http://127.0.0.1:9"}
canaries:
  - {name: my-app, namespace: shop, stable: my-app-v1, canary: my-app-v2,
     analysis: {interval: 1s, metrics: [{preset: http-errors}]}}
"""
OTHER = CONFIG.replace("shop", "market").replace("my-app", "other")


def deployment(namespace: str, name: str, replicas: int) -> Json:
    labels = {"app": name}
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}},
        },
    }


def within(seconds: float, holds: Callable[[], object]) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Installation:
    """A cluster with two pairs of Deployments, and a configuration that names one of them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "canary.yaml"
        self.file.write_text(CONFIG)
        self.api = FakeApi(FakeClock(), watch_seconds=0.5)
        for namespace, name in (("shop", "my-app"), ("market", "other")):
            self.api.put(DEPLOYMENTS, deployment(namespace, f"{name}-v1", 4))
            self.api.put(DEPLOYMENTS, deployment(namespace, f"{name}-v2", 0))
        self.stopping = threading.Event()
        self.daemon = self.another("one")

    def another(self, identity: str) -> ClusterDaemon:
        """One more daemon of the same configuration."""
        options = ClusterOptions(LeaseAt(HOME, identity=identity), ANY_PORT, "1.2.3")
        return ClusterDaemon(self.api, ConfigWatch([self.file]), options)

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body of the daemon's HTTP port."""
        connection = HTTPConnection(LOOPBACK, self.daemon.port or 0, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def documents(self) -> list[str]:
        """Names of the daemon's ConfigMaps."""
        return [one["metadata"]["name"] for one in self.api.all(CONFIG_MAPS, HOME)]

    def holder(self) -> str:
        """Who holds the Lease."""
        leases = self.api.all(LEASES, HOME)
        return (leases[0]["spec"].get("holderIdentity") or "") if leases else ""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path)
    yield installation
    installation.stopping.set()
    installation.daemon.stop()


def test_looks_at_its_targets_keeps_documents_and_answers_probes(installed: Installation) -> None:
    installed.daemon.start(installed.stopping)
    assert within(PATIENCE, lambda: "canary-analyzer-state-my-app" in installed.documents()), installed.documents()
    assert installed.ask("/readyz") == (200, "ok\n")
    assert installed.ask("/livez") == (200, "ok\n")
    metrics = installed.ask("/metrics")[1]
    assert "canary_analyzer_leading 1.0" in metrics
    assert "canary_analyzer_config_last_reload_successful 1.0" in metrics
    assert installed.holder() == "one"


def test_gives_the_lease_back_when_it_stops_and_writes_no_more(installed: Installation) -> None:
    installed.daemon.start(installed.stopping)
    assert within(PATIENCE, lambda: installed.holder() == "one")
    installed.daemon.stop()
    assert installed.holder() == ""
    written = len(installed.api.writes)
    time.sleep(1.5)
    assert len(installed.api.writes) == written


def test_a_second_daemon_waits_and_takes_over_when_the_first_stops(installed: Installation) -> None:
    installed.daemon.start(installed.stopping)
    assert within(PATIENCE, lambda: installed.holder() == "one")
    second = installed.another("two")
    try:
        second.start(installed.stopping)
        time.sleep(1)
        assert installed.holder() == "one"
        installed.daemon.stop()
        assert within(PATIENCE, lambda: installed.holder() == "two")
    finally:
        second.stop()


def test_follows_a_changed_configuration_into_another_namespace(installed: Installation) -> None:
    installed.daemon.start(installed.stopping)
    assert within(PATIENCE, lambda: "canary-analyzer-state-my-app" in installed.documents())
    installed.file.write_text(OTHER)
    assert within(PATIENCE, lambda: "canary-analyzer-state-other" in installed.documents()), installed.documents()


def test_a_bad_configuration_is_shown_and_the_old_one_stays(installed: Installation) -> None:
    installed.daemon.start(installed.stopping)
    installed.file.write_text(OTHER + "freez: true\n")
    bad = "canary_analyzer_config_last_reload_successful 0.0"
    assert within(PATIENCE, lambda: bad in installed.ask("/metrics")[1])
    assert within(PATIENCE, lambda: "canary-analyzer-state-my-app" in installed.documents())
    assert "canary-analyzer-state-other" not in installed.documents()


def test_a_deprecated_api_version_is_logged_at_the_start_and_with_each_change(installed: Installation) -> None:
    deprecated = "apiVersion: canary-analyzer/v1\n"
    with capture_logs() as lines:

        def warned() -> list[str]:
            return [line["reason"] for line in lines if line["event"] == "config_deprecated"]

        installed.daemon.stop()
        installed.file.write_text(deprecated + CONFIG)
        installed.daemon = installed.another("one")
        assert len(warned()) == 1
        assert warned()[0].startswith(f"{installed.file}:1: apiVersion: canary-analyzer/v1 is deprecated")
        installed.daemon.start(installed.stopping)
        installed.file.write_text(deprecated + OTHER)
        assert within(PATIENCE, lambda: len(warned()) == 2)


def test_says_at_once_which_permission_is_missing_at_home(installed: Installation) -> None:
    installed.api.denied |= {("create", "configmaps"), ("patch", "leases")}
    with pytest.raises(ForbiddenError) as refused:
        installed.daemon.start(installed.stopping)
    assert "not allowed to create configmaps or patch leases in namespace canary-analyzer" in str(refused.value)


def test_says_at_once_that_the_api_server_does_not_answer(installed: Installation) -> None:
    installed.api.fail(1, UnavailableError("connection refused"))
    with pytest.raises(UnavailableError, match="connection refused"):
        installed.daemon.start(installed.stopping)


def test_a_daemon_that_is_stopped_while_it_starts_never_acts(installed: Installation) -> None:
    installed.stopping.set()
    installed.daemon.start(installed.stopping)
    assert installed.holder() == ""


def test_what_may_not_be_listed_does_not_hold_up_the_start_for_long(installed: Installation) -> None:
    installed.api.denied.add(("list", "deployments"))
    began = time.monotonic()
    installed.daemon.start(installed.stopping)
    assert time.monotonic() - began < LONGEST_SYNC / 2
    assert within(PATIENCE, lambda: installed.holder() == "one")
    assert within(
        PATIENCE, lambda: 'canary_analyzer_ticks_total{result="failed"} 0.0' not in installed.ask("/metrics")[1]
    )
