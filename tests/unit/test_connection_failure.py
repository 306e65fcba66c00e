"""Each way in which a request can get no response has its own words and its own way out."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import requests
import urllib3

from analyzer.connection_failure import ConnectionFailure, connection_failure
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK

TIMEOUT = 0.2
PATIENT = 5.0


def failure(url: str, timeout: float = PATIENT) -> ConnectionFailure:
    """What is said of a GET that fails."""
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.RequestException) as raised:
            session.get(url, timeout=timeout)
    found = connection_failure(raised.value, timeout)
    assert found is not None
    return found


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A socket that accepts nobody by itself."""
    with socket.create_server(ANY_PORT) as server:
        yield server


def port_of(server: socket.socket) -> int:
    port = server.getsockname()[1]
    assert isinstance(port, int)
    return port


def answer(server: socket.socket, response: bytes) -> threading.Thread:
    """Answer one connection with these bytes as soon as it has sent something, and close it."""

    def once() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(response)

    thread = threading.Thread(target=once)
    thread.start()
    return thread


def test_a_refused_connection_is_no_time_out() -> None:
    with socket.create_server(ANY_PORT) as free:
        port = port_of(free)
    found = failure(f"http://{LOOPBACK}:{port}/")
    assert str(found) == "connection refused; check that it runs and listens on this port"


def test_a_server_that_never_answers_was_reached(listening: socket.socket) -> None:
    found = failure(f"http://{LOOPBACK}:{port_of(listening)}/", TIMEOUT)
    assert found.what == "connected, but no complete response within 200 ms"
    assert "load" in found.hint


def test_a_server_that_accepts_no_connection_was_not_reached() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(ANY_PORT)
        full.listen(0)
        for held in (first, second):  # fill the queue: the kernel drops what comes after
            held.setblocking(False)  # noqa: FBT003 - the name is the library's
            held.connect_ex(full.getsockname())
        found = failure(f"http://{LOOPBACK}:{port_of(full)}/", TIMEOUT)
    assert found.what == "no connection within 200 ms"
    assert "firewalls" in found.hint


def test_a_connection_that_is_closed_early_is_said_to_be(listening: socket.socket) -> None:
    thread = answer(listening, b"")
    found = failure(f"http://{LOOPBACK}:{port_of(listening)}/")
    thread.join()
    assert found.what == "connection closed before the response was complete"


def test_tls_to_a_port_without_tls_says_so(listening: socket.socket) -> None:
    thread = answer(listening, b"HTTP/1.1 400 Bad Request\r\n\r\n")
    found = failure(f"https://{LOOPBACK}:{port_of(listening)}/")
    thread.join()
    assert found.what.startswith("TLS handshake failed: ")
    assert "use http://" in found.hint


def test_a_certificate_that_is_not_accepted_says_why() -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_message = "self-signed certificate"
    wrapped = requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(_POOL, "/T0K3N", refused))
    found = connection_failure(wrapped, PATIENT)
    assert found is not None
    assert found.what == "TLS certificate not accepted: self-signed certificate"
    assert "CA" in found.hint


def test_a_host_name_without_an_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # a real look-up would leave this machine
    found = failure("http://prometheus.monitoring/")
    assert str(found) == "host name cannot be resolved; check the name, and DNS where this runs"


def test_a_network_that_is_down_is_told_in_the_systems_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert failure("http://127.0.0.1:1/").what == "network is unreachable"


def test_errors_of_urllib3_alone_are_read_too() -> None:
    with urllib3.PoolManager(retries=False) as pool, pytest.raises(urllib3.exceptions.HTTPError) as raised:
        pool.request("GET", "http://127.0.0.1:1/")
    found = connection_failure(raised.value, PATIENT)
    assert found is not None
    assert found.what == "connection refused"


def test_what_is_not_about_the_connection_is_left_to_others() -> None:
    assert connection_failure(requests.exceptions.MissingSchema("no scheme"), PATIENT) is None


_POOL = urllib3.HTTPSConnectionPool(LOOPBACK)
