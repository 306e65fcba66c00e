"""A receiver of webhooks: a real HTTP server on this machine that answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK


class HttpReceiver:
    """Records each request as (path, headers, JSON body). `status` and `location` are what it answers.

    While `silent` it never answers, until `close`.
    """

    def __init__(self) -> None:
        self.status = 204
        self.location: str | None = None
        self.silent = False
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(ANY_PORT, self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self._server.server_port}"

    @property
    def ids(self) -> list[str]:
        """The ids of the events that came in."""
        return [body["id"] for _, _, body in self.requests]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers.items()), json.loads(body)))
                if receiver.silent:
                    receiver._closing.wait()
                    return
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
                """Say nothing."""

        return Handler


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    """A running receiver."""
    receiver = HttpReceiver()
    try:
        yield receiver
    finally:
        receiver.close()
