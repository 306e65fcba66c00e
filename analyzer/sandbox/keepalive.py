"""HTTP/1.1 with persistent connections, as much as a pod needs: GET without bodies, answered in order.

`pod` serves its app with it. The standard library's server keeps a thread per connection and cannot drain.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

REASONS = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Unready",
}

Count = Callable[[int, float], None]  # told status and seconds of each request that took time


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP response, sent `delay` seconds after the request."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    delay: float = 0.0

    def encode(self, *, keep_alive: bool) -> bytes:
        """The response as HTTP/1.1."""
        connection = "keep-alive" if keep_alive else "close"
        head = (
            f"HTTP/1.1 {self.status} {REASONS[self.status]}\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\nConnection: {connection}\r\n\r\n"
        )
        return head.encode("ascii") + self.body


class Connections:
    """The open connections of this pod, and whether it still takes more."""

    def __init__(self) -> None:
        self.draining = False
        self.open: set[Connection] = set()
        self.idle = asyncio.Event()

    def drain(self) -> None:
        """Close what is idle now, and the rest as soon as it is answered; `idle` is set when all are gone."""
        self.draining = True
        for connection in tuple(self.open):
            connection.close_if_idle()
        self.note_closed()

    def note_closed(self) -> None:
        """Tell whoever waits for the end."""
        if self.draining and not self.open:
            self.idle.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection; answers one request after the other, in order."""

    def __init__(self, connections: Connections, answer: Callable[[str], HttpAnswer], count: Count) -> None:
        self._connections = connections
        self._answer = answer
        self._count = count
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows what asyncio promises for TCP
        self._transport = transport
        self._connections.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End, whoever ended it."""
        self._connections.open.discard(self)
        self._connections.note_closed()

    def data_received(self, data: bytes) -> None:
        """Collect requests; they have no bodies."""
        self._buffer += data
        if not self._busy:
            self._next()

    def close_if_idle(self) -> None:
        """Close unless a request is being answered."""
        if self._transport is not None and not self._busy:
            self._transport.close()

    def _next(self) -> None:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        self._buffer = rest
        self._busy = True
        method, _, target = head.partition(b" ")
        path = target.split(b" ", 1)[0].split(b"?", 1)[0].decode("latin-1")
        answer = self._answer(path) if method == b"GET" else HttpAnswer(405)
        began = time.perf_counter()
        if answer.delay:
            asyncio.get_running_loop().call_later(answer.delay, self._finish, answer, began)
        else:
            self._finish(answer, began)

    def _finish(self, answer: HttpAnswer, began: float) -> None:
        self._busy = False
        if answer.delay:
            self._count(answer.status, time.perf_counter() - began)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        keep_alive = answer.status != 405 and not self._connections.draining  # noqa: PLR2004 - it may have a body
        transport.write(answer.encode(keep_alive=keep_alive))
        if keep_alive:
            self._next()
        else:
            transport.close()
