"""/livez, /readyz and /metrics: what a kubelet and a Prometheus ask of the daemon. `bootstrap` starts it.

A handful of small answers: Python's own HTTP server carries them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from analyzer.model.errors import ConfigError, Problem

_CLIENT_TIMEOUT = 10.0  # seconds that a client may take to say what it wants
_TEXT = "text/plain; charset=utf-8"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong now, one sentence each: `hanging` needs a restart, `unready` needs time."""

    hanging: Callable[[], tuple[str, ...]]
    unready: Callable[[], tuple[str, ...]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], health: Health, registry: CollectorRegistry) -> None:
        super().__init__(address, _ProbeHandler)
        self.health = health
        self.registry = registry

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (the library's names)
        """A client that went away is not worth a line; the library would print a traceback."""
        _log.debug("probe_failed", client=str(client_address), exc_info=True)


class _ProbeHandler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "canary-analyzer"
    sys_version = ""
    timeout = _CLIENT_TIMEOUT

    def do_GET(self) -> None:
        """Answer one of three questions."""
        match self.path.partition("?")[0]:
            case "/livez":
                self._say_well(self.server.health.hanging())
            case "/readyz":
                self._say_well(self.server.health.unready())
            case "/metrics":
                self._answer(200, generate_latest(self.server.registry), CONTENT_TYPE_LATEST)
            case _:
                self._answer(404, b"expected /livez, /readyz or /metrics\n")

    do_HEAD = do_GET  # noqa: N815 (the library calls it so)

    def _say_well(self, wrong: tuple[str, ...]) -> None:
        if wrong:
            self._answer(503, "".join(f"{one}\n" for one in wrong).encode())
        else:
            self._answer(200, b"ok\n")

    def _answer(self, status: int, body: bytes, kind: str = _TEXT) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Probes come every few seconds: not logged."""


class ProbeServer:
    """Serves until `stop`. `address` (host, port): port 0 takes a free one, which `port` then names."""

    def __init__(self, address: tuple[str, int], health: Health, registry: CollectorRegistry) -> None:
        """Raises ConfigError when the address cannot be used."""
        host, port = address
        try:
            self._server = _Server(address, health, registry)
        except (OSError, OverflowError) as error:
            why = f"cannot listen on {host}:{port}: {error}; pass another address"
            raise ConfigError((Problem("--listen", None, "", why),)) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
