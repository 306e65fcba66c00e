"""The daemon's HTTP port answers a kubelet and a Prometheus, and can't be used to change anything."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.request import urlopen

import pytest
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge

from analyzer.model.errors import ConfigError
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK
from analyzer.web import Health, ProbeServer
from analyzer.web.server import STOP_SECONDS


class Patient:
    """What is wrong with a daemon, as a test sets it."""

    def __init__(self) -> None:
        self.hanging: tuple[str, ...] = ()
        self.unready: tuple[str, ...] = ()
        self.blocks: Callable[[], object] = lambda: None
        self.registry = CollectorRegistry()
        self.server = ProbeServer(ANY_PORT, Health(self._hanging, lambda: self.unready), self.registry)

    def _hanging(self) -> tuple[str, ...]:
        self.blocks()
        return self.hanging

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and body."""
        connection = HTTPConnection(LOOPBACK, self.server.port, timeout=5)
        try:
            connection.request(method, path)
            answer: HTTPResponse = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def daemon() -> Iterator[Patient]:
    patient = Patient()
    patient.server.start()
    yield patient
    patient.server.stop()


def test_a_healthy_daemon_is_alive_and_ready(daemon: Patient) -> None:
    assert daemon.ask("/livez") == (200, "ok\n")
    assert daemon.ask("/readyz?verbose") == (200, "ok\n")


def test_what_hangs_fails_liveness_and_says_what(daemon: Patient) -> None:
    daemon.hanging = ("sweep/0:00:15 has not ended for 60 s",)
    assert daemon.ask("/livez") == (503, "sweep/0:00:15 has not ended for 60 s\n")
    assert daemon.ask("/readyz")[0] == 200


def test_what_is_not_ready_fails_readiness_alone(daemon: Patient) -> None:
    daemon.unready = ("not synced",)
    assert daemon.ask("/readyz") == (503, "not synced\n")
    assert daemon.ask("/livez")[0] == 200


def test_shows_metrics(daemon: Patient) -> None:
    Gauge("shown", "A number.", registry=daemon.registry).set(3)
    assert "shown 3.0" in daemon.ask("/metrics")[1]
    with urlopen(f"http://{LOOPBACK}:{daemon.server.port}/metrics", timeout=5) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE_LATEST


def test_head_has_no_body_and_other_paths_are_not_found(daemon: Patient) -> None:
    assert daemon.ask("/livez", "HEAD") == (200, "")
    assert daemon.ask("/")[0] == 404


def test_a_check_that_blocks_fails_alone_and_in_time(daemon: Patient) -> None:
    released = threading.Event()
    daemon.blocks = released.wait
    try:
        assert daemon.ask("/livez") == (503, "the check did not end within 2s\n")
        assert daemon.ask("/readyz")[0] == 200
        assert daemon.ask("/metrics")[0] == 200
    finally:
        released.set()
    daemon.blocks = lambda: None
    assert daemon.ask("/livez") == (200, "ok\n")


def test_a_server_is_stopped_also_while_a_check_blocks(daemon: Patient) -> None:
    blocked, released = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        released.wait()

    daemon.blocks = block
    with socket.create_connection((LOOPBACK, daemon.server.port)) as client:
        client.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert blocked.wait(5)
        began = time.monotonic()
        daemon.server.stop()
        assert time.monotonic() - began < STOP_SECONDS
    released.set()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(daemon: Patient, method: str) -> None:
    assert daemon.ask("/livez", method)[0] == 501


def test_a_client_that_goes_away_disturbs_no_other(daemon: Patient) -> None:
    with socket.create_connection((LOOPBACK, daemon.server.port)) as client:
        client.sendall(b"GET /met")
    assert daemon.ask("/livez")[0] == 200


def test_a_taken_port_is_said_in_words(daemon: Patient) -> None:
    with pytest.raises(ConfigError, match=f"--listen: cannot listen on {LOOPBACK}:{daemon.server.port}"):
        ProbeServer((LOOPBACK, daemon.server.port), Health(tuple, tuple), CollectorRegistry())


def test_a_server_that_never_started_can_be_stopped() -> None:
    ProbeServer(ANY_PORT, Health(tuple, tuple), CollectorRegistry()).stop()
