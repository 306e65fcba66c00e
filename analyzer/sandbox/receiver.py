"""A real receiver of webhook alerts on this machine: the demo and tests look here for what was delivered."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK


@dataclass(frozen=True, slots=True)
class Received:
    """One alert that arrived: when (UTC), its id, and its body as sent."""

    at: datetime
    id: str
    body: Mapping[str, Any]


class AlertReceiver:
    """Listens on a free port of this machine and keeps alerts, one for each id. Thread-safe.

    The id is the body's `id`, else the header `webhook-id`; an alert without either is refused with 400.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alerts: dict[str, Received] = {}
        self._repeated = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where to send alerts; valid after `start`."""
        port = self._server.server_address[1] if self._server else 0
        return f"http://{LOOPBACK}:{port}/alerts"

    @property
    def alerts(self) -> tuple[Received, ...]:
        """What arrived, oldest first, without repetitions."""
        with self._lock:
            return tuple(self._alerts.values())

    @property
    def repeated(self) -> int:
        """How many deliveries carried an id that had been there before."""
        with self._lock:
            return self._repeated

    def start(self) -> None:
        """Listen."""
        receiver = self

        class Handler(_ReceiverHandler):
            take = staticmethod(receiver._take)

        self._server = ThreadingHTTPServer(ANY_PORT, Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="receiver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; what arrived stays readable. May be called at any time, also before `start`."""
        if self._server is None:
            return
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def _take(self, content: bytes, header_id: str | None) -> HTTPStatus:
        try:
            body = json.loads(content)
        except ValueError:
            return HTTPStatus.BAD_REQUEST
        identity = (body.get("id") if isinstance(body, dict) else None) or header_id
        if not isinstance(body, dict) or not identity:
            return HTTPStatus.BAD_REQUEST
        with self._lock:
            if identity in self._alerts:
                self._repeated += 1
            else:
                self._alerts[identity] = Received(datetime.now(UTC), identity, body)
        return HTTPStatus.NO_CONTENT


class _ReceiverHandler(BaseHTTPRequestHandler):
    @staticmethod
    def take(content: bytes, header_id: str | None) -> HTTPStatus:
        raise NotImplementedError

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        status = self.take(self.rfile.read(length), self.headers.get("webhook-id"))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Stay silent: what arrived is in `alerts`."""
