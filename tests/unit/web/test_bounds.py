"""The HTTP port withstands hostile clients: they are bounded in time, number and size, and probes are answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from analyzer.sandbox.loopback import ANY_PORT
from analyzer.web import Health, ProbeServer
from analyzer.web.bounds import ClientBounds
from analyzer.web.server import STOP_SECONDS, HttpServer
from tests.unit.web.hostile import (
    HOST,
    LIVEZ,
    PATIENCE,
    Drippers,
    answered,
    asked,
    connected,
    crowd,
    is_open,
    many_files,
    open_files,
    rest,
    within,
)

PROBES = ("/livez", "/readyz", "/metrics")
PROMPT = 4.0
"""Seconds: less than a kubelet waits. Some milliseconds are usual, but the machine may be busy."""

SLACK = 80
"""Connections that may be open beyond the bound for a moment, and a few descriptors of the server itself."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The daemon's port, with the bounds that it really has."""
    registry = CollectorRegistry()
    Gauge("shown", "A number.", registry=registry).set(3)
    server = ProbeServer(ANY_PORT, Health(tuple, tuple), registry)
    server.start()
    with many_files(4000):
        yield server.port
    server.stop()


class Pages:
    """A server of pages that take long, are large, or fail. The bounds are tight, so that the tests are."""

    def __init__(self, bounds: ClientBounds) -> None:
        routes = [
            Route("/stream", self.stream),
            Route("/flood", self.flood),
            Route("/echo", self.echo, methods=["POST"]),
            Route("/fails", self.fails),
        ]
        self.bounds = bounds
        self.server = HttpServer(ANY_PORT, Starlette(routes=routes), bounds)
        self.port = self.server.port
        self.streams_ended = 0

    async def stream(self, request: Request) -> Response:
        """A line each tenth of a second."""

        async def lines() -> AsyncIterator[str]:
            try:
                for number in range(int(request.query_params["lines"])):
                    yield f"{number}\n"
                    await asyncio.sleep(0.1)
            finally:
                self.streams_ended += 1

        return StreamingResponse(lines())

    async def flood(self, _request: Request) -> Response:
        """More than the kernel takes for a client that does not read."""
        return PlainTextResponse("x" * 8_000_000)

    async def echo(self, request: Request) -> Response:
        """What was sent."""
        return Response(await request.body())

    async def fails(self, _request: Request) -> Response:
        """A mistake in a page."""
        raise ValueError("no such thing")


@pytest.fixture
def pages() -> Iterator[Pages]:
    found = Pages(ClientBounds(request_seconds=1.0, connections=10, unread_seconds=1.0))
    found.server.start()
    yield found
    found.server.stop()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n"


def test_the_bounds_are_those_that_are_documented() -> None:
    assert ClientBounds() == ClientBounds(
        request_seconds=5.0, connections=200, header_bytes=16 * 1024, body_bytes=64 * 1024, unread_seconds=30.0
    )


def test_probes_are_answered_while_300_clients_drip_headers(port: int) -> None:
    assert asked(port, "/livez")[0] == 200
    files, threads = open_files(), threading.active_count()
    with Drippers(port, 300) as drippers:
        end = time.monotonic() + 3.0
        while time.monotonic() < end:
            for path in PROBES:
                status, seconds = asked(port, path)
                assert status == 200
                assert seconds < PROMPT
            assert open_files() <= files + 300 + ClientBounds().connections + SLACK
            assert threading.active_count() <= threads + 1 + len(PROBES)
            time.sleep(0.1)
    assert drippers.returned >= 100


def test_of_1000_idle_clients_200_stay_and_those_not_for_long(port: int) -> None:
    with crowd(port, 1000) as clients:
        assert asked(port, "/livez")[0] == 200
        assert sum(map(is_open, clients)) <= ClientBounds().connections
        assert within(PATIENCE, lambda: not any(map(is_open, clients)))


def test_a_client_that_connects_while_all_connections_are_taken_displaces_the_oldest(pages: Pages) -> None:
    with crowd(pages.port, 12) as clients:
        assert within(PATIENCE, lambda: not is_open(clients[1]))
        assert [is_open(client) for client in clients] == [False] * 2 + [True] * 10


def test_a_stream_and_clients_that_do_not_read_leave_room_for_others(pages: Pages) -> None:
    with connected(pages.port, get("/stream?lines=10")) as stream:
        assert stream.recv(1) == b"H"
        with crowd(pages.port, 30, get("/flood")):
            assert answered(pages.port, get("/none")).startswith(b"HTTP/1.1 404")
            assert b"\r\n9\n\r\n" in rest(stream)


def test_a_request_that_is_not_completed_in_time_is_not_answered(pages: Pages) -> None:
    beginnings = (
        b"",
        b"GET /livez HT",
        b"GET /livez HTTP/1.1\r\n" + HOST,
        b"POST /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n1234",
        b"POST /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
    )
    began = time.monotonic()
    with contextlib.ExitStack() as closing:
        clients = [closing.enter_context(connected(pages.port, begun)) for begun in beginnings]
        assert [rest(client) for client in clients] == [b""] * len(beginnings)
    assert time.monotonic() - began > pages.bounds.request_seconds - 0.1


def test_endless_headers_are_refused(port: int) -> None:
    answer = answered(port, b"GET /livez HTTP/1.1\r\n" + HOST + b"X-Large: " + b"x" * 300_000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert asked(port, "/livez")[0] == 200


def test_large_headers_are_refused_also_where_they_come_at_once(port: int) -> None:
    answer = answered(port, b"GET /livez HTTP/1.1\r\n" + HOST + b"X-Large: " + b"x" * 20_000 + b"\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))


def test_a_large_body_is_refused_before_it_is_sent(port: int) -> None:
    answer = answered(port, b"POST /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 65537\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"expected a body of at most 64.0 KiB\n")


def test_a_large_body_of_unknown_length_is_not_read_to_its_end(port: int) -> None:
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    answer = answered(port, b"POST /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 100)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert asked(port, "/livez")[0] == 200


def test_a_body_within_the_bounds_arrives_whole(pages: Pages) -> None:
    body = random.Random(1).randbytes(64 * 1024)
    head = b"POST /echo HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 65536\r\n\r\n"
    with connected(pages.port, head) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(body)
        assert rest(client).endswith(b"\r\n\r\n" + body)


def test_a_connection_carries_one_request(port: int) -> None:
    answer = answered(port, LIVEZ * 3)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert answer.lower().count(b"connection: close") == 1


def test_what_is_sent_after_a_request_is_not_read(pages: Pages) -> None:
    with connected(pages.port, get("/stream?lines=1000")) as client:
        assert client.recv(1) == b"H"
        client.settimeout(1.0)
        with pytest.raises(TimeoutError):
            client.sendall(b"x" * 32_000_000)


def test_a_stream_may_take_longer_than_a_request(pages: Pages) -> None:
    began = time.monotonic()
    answer = answered(pages.port, get("/stream?lines=15"))
    assert time.monotonic() - began > 1.4 > pages.bounds.request_seconds
    assert answer.endswith(b"\r\n14\n\r\n0\r\n\r\n")


def test_a_client_that_leaves_ends_its_stream(pages: Pages) -> None:
    with connected(pages.port, get("/stream?lines=1000")) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert within(PATIENCE, lambda: pages.streams_ended)


def test_a_client_that_reads_nothing_is_disconnected(pages: Pages) -> None:
    assert answered(pages.port, get("/none"))
    files = open_files()
    with connected(pages.port, get("/flood")) as client:
        assert within(PATIENCE, lambda: open_files() >= files + 2)
        assert within(PATIENCE, lambda: open_files() <= files + 1)
        assert len(rest(client)) < 8_000_000


def test_a_client_that_reads_slowly_gets_all(pages: Pages) -> None:
    received = 0
    with connected(pages.port, get("/flood")) as client:
        began = time.monotonic()
        while data := client.recv(400_000):
            received += len(data)
            time.sleep(0.05)
        assert time.monotonic() - began > pages.bounds.unread_seconds
    assert received > 8_000_000


def test_a_client_that_sends_no_more_gets_its_answer(port: int) -> None:
    with connected(port, LIVEZ) as client:
        client.shutdown(socket.SHUT_WR)
        assert rest(client).endswith(b"\r\n\r\nok\n")


def test_a_client_that_sends_no_more_gets_a_stream_no_longer_than_a_request_may_take(pages: Pages) -> None:
    with connected(pages.port, get("/stream?lines=1000")) as client:
        client.shutdown(socket.SHUT_WR)
        assert b"\r\n3\n\r\n" in rest(client)


def test_garbage_is_refused_and_not_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    lines = (
        b"GET /livez HTTP/1.1\r\n",
        b"POST /livez HTTP/1.1\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"GET * HTTP/1.0\r\n",
    )
    heads = (
        b"Content-Length: " + b"9" * 6000,
        b"Content-Length: -1",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Transfer-Encoding: chunked\r\n\r\nZZ",
        b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 30_000,
        b"Transfer-Encoding: chunked\r\n\r\n1\r\naXX",
        b"Upgrade: h2c\r\nConnection: upgrade",
        b"Upgrade: websocket\r\nConnection: upgrade",
        b"Expect: 100-continue\r\nContent-Length: 1",
        b"X: \xff\x00",
        b" folded: \r\n\tfolded",
    )
    requests = [line + HOST + head + b"\r\n\r\n" for line in lines for head in heads]
    requests += [chance.randbytes(chance.randrange(1, 3000)) + b"\r\n\r\n" for _ in range(50)]
    requests += [
        b"\r\n\r\n",
        b"\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    for request in requests:
        with connected(port, request) as client:
            client.shutdown(socket.SHUT_WR)
            answer = rest(client)
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5", b"HTTP/1.1 1", b"HTTP/1.1 200"))
    assert asked(port, "/livez")[0] == 200
    assert caplog.records == []


def test_nothing_stays_open(port: int) -> None:
    assert asked(port, "/livez")[0] == 200
    before = open_files()
    for request in (b"", LIVEZ, LIVEZ[:-2], get("/metrics") * 50, b"\x00\r\n\r\n", get("/none")):
        with crowd(port, 40, request) as clients:
            for client in clients[::2]:
                client.shutdown(socket.SHUT_WR)
                rest(client)
    assert within(PATIENCE, lambda: open_files() <= before)


def test_a_stop_during_an_attack_is_quick() -> None:
    server = ProbeServer(ANY_PORT, Health(tuple, tuple), CollectorRegistry())
    server.start()
    with Drippers(server.port, 250):
        assert asked(server.port, "/livez")[0] == 200
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < STOP_SECONDS
        with pytest.raises(ConnectionError):
            connected(server.port)


def test_a_stop_waits_a_second_for_answers(pages: Pages) -> None:
    with (
        connected(pages.port, get("/stream?lines=5")) as short,
        connected(pages.port, get("/stream?lines=1000")) as long,
    ):
        assert short.recv(1) == long.recv(1) == b"H"
        began = time.monotonic()
        pages.server.stop()
        assert time.monotonic() - began < STOP_SECONDS
        assert rest(short).endswith(b"\r\n4\n\r\n0\r\n\r\n")
        assert not rest(long).endswith(b"0\r\n\r\n")
    assert pages.streams_ended == 2


def test_a_page_that_fails_is_logged_and_answered(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    assert answered(pages.port, get("/fails")).startswith(b"HTTP/1.1 500")
    assert within(PATIENCE, lambda: caplog.records)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


def test_too_many_clients_are_one_warning(pages: Pages) -> None:
    with capture_logs() as logged, crowd(pages.port, 40) as clients:
        assert within(PATIENCE, lambda: not any(map(is_open, clients)))
    (warning,) = logged
    assert warning["event"] == "http_connections_closed"
    assert warning["log_level"] == "warning"
    assert 10 <= warning["connections"] <= 30


def test_neither_signals_nor_logging_are_changed() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    root = logging.getLogger().handlers[:], logging.getLogger().level
    server = ProbeServer(ANY_PORT, Health(tuple, tuple), CollectorRegistry())
    server.start()
    assert asked(server.port, "/livez")[0] == 200
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert (logging.getLogger().handlers[:], logging.getLogger().level) == root
    assert logging.getLogger("uvicorn.error").handlers == []
    server.stop()
