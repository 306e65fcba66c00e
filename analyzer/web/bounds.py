"""What uvicorn lacks against hostile clients: a deadline for each request, and bounds for connections and sizes.

A connection carries one request: `server` has uvicorn close it after the answer. `server` also gives uvicorn the
protocol, and wraps the application with `whole_requests`, which knows where the request ends. Of uvicorn's protocol
this uses what asyncio calls, and its `transport` and `loop`.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from analyzer.model.numbers import size

_SWEEP_SECONDS = 0.25
_WARN_SECONDS = 60.0
_CONNECTION = "connection"
_HINT = "probes are still answered; restrict who can reach the port, for instance with a NetworkPolicy"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClientBounds:
    """What a client may take. An answer has no deadline: it may be a stream."""

    request_seconds: float = 5.0
    """Line, headers and body of a request are complete within this time of connecting."""
    connections: int = 200
    """Open at once. One more closes another one: see `ConnectionStage`."""
    header_bytes: int = 16 * 1024
    """Of a request's line and headers."""
    body_bytes: int = 64 * 1024
    """Of a request's body, which is read as a whole before the application is called."""
    unread_seconds: float = 30.0
    """A client that reads nothing of its answer for this time is disconnected."""


class ConnectionStage(IntEnum):
    """What a connection waits for. To make room the lowest is closed first; among equals the one that waits longest."""

    REQUEST = 0
    """The rest of its request."""
    UNREAD = 1
    """The client, which does not read what it asked for."""
    ANSWER = 2
    """The application."""


class ClientConnections:
    """Those that are open. Used from the event loop alone."""

    def __init__(self, bounds: ClientBounds) -> None:
        self.bounds = bounds
        self._open: set[BoundedProtocol] = set()
        self._closing = False
        self._sweep: asyncio.TimerHandle | None = None
        self._displaced = 0
        self._warned = -math.inf

    def add(self, connection: BoundedProtocol) -> None:
        """A client has connected."""
        if self._closing:
            connection.transport.abort()
            return
        if len(self._open) >= self.bounds.connections:
            self._close(min(self._open, key=BoundedProtocol.rank))
            self._displaced += 1
        self._open.add(connection)
        if self._sweep is None:
            self._sweep = connection.loop.call_later(_SWEEP_SECONDS, self._close_overdue)

    def discard(self, connection: BoundedProtocol) -> None:
        """This one is closed."""
        self._open.discard(connection)

    def close(self, *, answering: bool) -> None:
        """Take no more, and close those that are open; with `answering` also those that wait for an answer."""
        self._closing = True
        for connection in tuple(self._open):
            if answering or connection.stage is not ConnectionStage.ANSWER:
                self._close(connection)

    def _close(self, connection: BoundedProtocol) -> None:
        """At once, without waiting until the client has read what was written."""
        self._open.discard(connection)
        connection.transport.abort()

    def _close_overdue(self) -> None:
        """Called each quarter of a second while a connection is open."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._open):
            if connection.overdue(now):
                self._close(connection)
        if self._displaced and now - self._warned >= _WARN_SECONDS:
            limit = self.bounds.connections
            _log.warning("http_connections_closed", connections=self._displaced, limit=limit, hint=_HINT)
            self._displaced, self._warned = 0, now
        self._sweep = loop.call_later(_SWEEP_SECONDS, self._close_overdue) if self._open else None


class BoundedProtocol(H11Protocol):
    """One connection, which carries one request. `server` makes a subclass that knows the `registry`."""

    registry: ClassVar[ClientConnections]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, _CONNECTION: self}, _loop)
        self._answering = False
        self._since = self.loop.time()
        self._deadline = self._since + self.registry.bounds.request_seconds
        self._unsent = 0
        self._read_at = self._since

    @property
    def stage(self) -> ConnectionStage:
        """What it waits for."""
        if not self._answering:
            return ConnectionStage.REQUEST
        return ConnectionStage.UNREAD if self.transport.get_write_buffer_size() else ConnectionStage.ANSWER

    def rank(self) -> tuple[ConnectionStage, float]:
        """The lowest is closed first."""
        return self.stage, self._since

    def overdue(self, now: float) -> bool:
        """Whether the client has not done its part in time. Has to be called at short intervals."""
        unsent = self.transport.get_write_buffer_size()
        if not 0 < self._unsent <= unsent:
            self._read_at = now
        self._unsent = unsent
        return now - self._read_at >= self.registry.bounds.unread_seconds if unsent else now >= self._deadline

    def answer(self) -> None:
        """The request is complete; how long the answer takes is for the application to say."""
        self._answering = True
        self._since = self.loop.time()
        self._deadline = math.inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Called by asyncio."""
        super().connection_made(transport)
        self.registry.add(self)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._answering:
            self.transport.pause_reading()  # the rest of what the client sends is not read
        else:
            super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override] # uvicorn always closes, and loses the answer
        """Called by asyncio when the client sends no more. It may be gone, or wait for its answer; True: stay open."""
        self._deadline = min(self._deadline, self.loop.time() + self.registry.bounds.request_seconds)
        return self._answering

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self.registry.discard(self)
        super().connection_lost(exc)
        self.app_state = {}  # refers to this object: a cycle would stay in memory for long, see `gc_tuning`


class _TooLargeError(Exception):
    """A request that is not worth reading to its end."""

    def __init__(self, status: int, expected: str) -> None:
        self.status = status
        super().__init__(f"expected {expected}\n")


def whole_requests(application: ASGIApp, bounds: ClientBounds) -> ASGIApp:
    """Calls the application when a request is complete; one that is too large is refused with 431 or 413."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        connection: BoundedProtocol = scope["state"].pop(_CONNECTION)
        try:
            body = await _whole_body(scope, receive, bounds)
        except _TooLargeError as error:
            await PlainTextResponse(str(error), error.status)(scope, receive, send)
            return
        if body is None:
            return
        connection.answer()
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def received() -> Message:
            return unread.pop() if unread else await receive()

        await application(scope, received, send)

    return called


async def _whole_body(scope: Scope, receive: Receive, bounds: ClientBounds) -> bytes | None:
    """None: the client is gone. Raises _TooLargeError."""
    line = len(scope["raw_path"]) + len(scope["query_string"])
    if line + sum(len(name) + len(value) for name, value in scope["headers"]) > bounds.header_bytes:
        raise _TooLargeError(431, f"a request line and headers of at most {size(bounds.header_bytes)}")
    announced = int(dict(scope["headers"]).get(b"content-length", 0))
    body, more = bytearray(), True
    while more and max(announced, len(body)) <= bounds.body_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        more = message["more_body"]
    if max(announced, len(body)) > bounds.body_bytes:
        raise _TooLargeError(413, f"a body of at most {size(bounds.body_bytes)}")
    return bytes(body)
