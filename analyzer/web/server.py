"""An ASGI application on a port, in a thread with an event loop of its own. `probes` starts it.

uvicorn serves it, without its signal handlers and without its logging; `bounds` adds what it lacks.
"""

from __future__ import annotations

import asyncio
import socket
import threading

import structlog
import uvicorn
from starlette.types import ASGIApp

from analyzer.model.errors import ConfigError, Problem
from analyzer.web.bounds import BoundedProtocol, ClientBounds, ClientConnections, whole_requests

STOP_SECONDS = 5.0
"""A stop takes no longer, whatever clients and checks do."""

_GRACE_SECONDS = 1.0  # of a stop, for answers that are on their way
_QUEUE = 1024  # connections that the kernel keeps until they are accepted
_ACCEPT = 20  # accepted in one turn of the event loop: for three turns they may be open beyond the bound
_BUFFER = 64 * 1024  # bytes in the kernel, per connection and direction; by default it grows to megabytes

_log = structlog.get_logger(__name__)


class HttpServer:
    """Serves until `stop`. `address` (host, port): port 0 takes a free one, which `port` then names."""

    def __init__(self, address: tuple[str, int], application: ASGIApp, bounds: ClientBounds = ClientBounds()) -> None:
        """Listens already; answers come after `start`. Raises ConfigError when the address cannot be used."""
        host, port = address
        try:
            self._socket = _listening(host, port)
        except (OSError, OverflowError, UnicodeError) as error:
            why = f"cannot listen on {host}:{port}: {error}; pass another address"
            raise ConfigError((Problem("--listen", None, "", why),)) from error
        self.port = int(self._socket.getsockname()[1])
        self._server = _BoundedServer(application, bounds)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more. Answers that are on their way have a second."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
            if self._thread.is_alive():
                _log.warning("http_server_not_stopped", seconds=STOP_SECONDS, hint="the process ends without it")
        self._socket.close()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:  # noqa: BLE001 - probes then fail, which the kubelet sees
            _log.exception("http_server_failed", hint="a bug: please report it; probes fail until a restart")


class _BoundedServer(uvicorn.Server):
    def __init__(self, application: ASGIApp, bounds: ClientBounds) -> None:
        self._connections = ClientConnections(bounds)

        class Protocol(BoundedProtocol):
            """uvicorn makes one for each connection, and passes nothing of ours."""

        Protocol.registry = self._connections
        super().__init__(
            uvicorn.Config(
                whole_requests(application, bounds),
                interface="asgi3",
                loop="asyncio",
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # its warnings are about what clients send
                access_log=False,  # probes come every few seconds
                proxy_headers=False,
                server_header=False,
                headers=[("Server", "canary-analyzer"), ("Connection", "close")],
                h11_max_incomplete_event_size=bounds.header_bytes,
                backlog=_ACCEPT,
                timeout_graceful_shutdown=round(2 * _GRACE_SECONDS),
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn, which has the kernel queue only as many connections as are accepted at once."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(_QUEUE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn, which waits for all clients."""
        self._connections.close(answering=False)
        asyncio.get_running_loop().call_later(_GRACE_SECONDS, lambda: self._connections.close(answering=True))
        await super().shutdown(sockets)


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # connections take them over
            listener.setsockopt(socket.SOL_SOCKET, buffer, _BUFFER)
        listener.bind((host, port))
        listener.listen(_QUEUE)
    except BaseException:
        listener.close()
        raise
    return listener
