"""Clients that mean no good, on loopback; and what this process holds open."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from analyzer.sandbox.loopback import LOOPBACK

HOST = b"Host: analyzer\r\n"
LIVEZ = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
PATIENCE = 20.0
"""Seconds that a test waits for something that takes a moment on an idle machine."""


def connected(port: int, sent: bytes = b"") -> socket.socket:
    """A client that has sent this much."""
    client = socket.create_connection((LOOPBACK, port), timeout=PATIENCE)
    client.sendall(sent)
    return client


@contextlib.contextmanager
def crowd(port: int, clients: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many clients that have each sent this much."""
    with contextlib.ExitStack() as closing:
        yield [closing.enter_context(connected(port, sent)) for _ in range(clients)]


def answered(port: int, request: bytes) -> bytes:
    """All that comes back until the server closes the connection; a reset ends it too."""
    with connected(port) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(request)
        return rest(client)


def rest(client: socket.socket) -> bytes:
    """All that still comes."""
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while data := client.recv(65536):
            received += data
    return bytes(received)


def asked(port: int, path: str) -> tuple[int, float]:
    """A probe: its status, and how many seconds it took."""
    began = time.monotonic()
    connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - began
    finally:
        connection.close()


def is_open(client: socket.socket) -> bool:
    """Whether the server has not closed the connection."""
    client.settimeout(0)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def within(seconds: float, holds: Callable[[], object]) -> bool:
    """Whether this comes true in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def open_files() -> int:
    """Descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@contextlib.contextmanager
def many_files(wanted: int) -> Iterator[None]:
    """Lets this process open so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Drippers:
    """So many clients that send one header after another and never an end. Those that are closed come back."""

    def __init__(self, port: int, clients: int) -> None:
        self._port = port
        self._number = clients
        self._clients: list[socket.socket] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self.returned = 0
        """Times that a client found itself closed."""

    def __enter__(self) -> Self:
        self._clients = [self._beginner() for _ in range(self._number)]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for client in self._clients:
            client.close()

    def _beginner(self) -> socket.socket:
        return connected(self._port, b"GET /livez HTTP/1.1\r\n" + HOST)

    def _drip(self) -> None:
        while not self._over.wait(0.2):
            for index, client in enumerate(self._clients):
                try:
                    client.sendall(b"X-More: of it\r\n")
                except OSError:
                    client.close()
                    with contextlib.suppress(OSError):
                        self._clients[index] = self._beginner()
                    self.returned += 1
                if self._over.is_set():
                    return
