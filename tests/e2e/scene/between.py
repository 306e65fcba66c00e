"""A real HTTP server between the daemon and Prometheus, or a receiver of alerts, that spoils what passes through."""

from __future__ import annotations

import json
import threading
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests

from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK

LONGEST_HANG = 60.0
JSON_TYPE = "application/json"


class Trouble(StrEnum):
    """What becomes of an answer."""

    NONE = "none"
    UNAVAILABLE = "503"
    REFUSED = "400"
    TRUNCATED = "truncated"
    HANGING = "hanging"
    WARNED = "warned"


class Between:
    """Passes requests on to `upstream` (scheme, host and port) and answers back. Use as a context manager.

    It can be taken away, as a process that ended, and comes back on the same port. Thread-safe.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream.rstrip("/")
        self._address = ANY_PORT
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._trouble = Trouble.NONE
        self._changed = threading.Event()
        self._spoiled = 0

    @property
    def url(self) -> str:
        """Where to ask instead of upstream."""
        return f"http://{LOOPBACK}:{self._address[1]}"

    @property
    def spoiled(self) -> int:
        """How many answers were spoiled since the last `suffer`."""
        with self._lock:
            return self._spoiled

    def suffer(self, trouble: Trouble) -> None:
        """Spoil every answer like this from now on; those that hang are let go."""
        with self._lock:
            self._trouble, self._spoiled = trouble, 0
            changed, self._changed = self._changed, threading.Event()
        changed.set()

    def start(self) -> None:
        """Listen, on the same port as the last time."""
        self._server = ThreadingHTTPServer(self._address, _handler(self))
        self._server.daemon_threads = True
        self._address = (LOOPBACK, self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="between", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more: connections are refused. Stopping twice does no harm."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.shutdown()
        self._thread.join()
        server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.suffer(Trouble.NONE)
        self.stop()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes, int]:
        """Status, content type, body, and the length to announce."""
        with self._lock:
            trouble, changed = self._trouble, self._changed
            self._spoiled += trouble is not Trouble.NONE
        if trouble is Trouble.UNAVAILABLE:
            return _whole(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"no healthy upstream")
        if trouble is Trouble.REFUSED:
            refusal = {"status": "error", "errorType": "bad_data", "error": "invalid parameter"}
            return _whole(HTTPStatus.BAD_REQUEST, JSON_TYPE, json.dumps(refusal).encode())
        if trouble is Trouble.HANGING:
            changed.wait(LONGEST_HANG)
        status, kind, content = self._pass_on(method, path, headers, body)
        if trouble is Trouble.TRUNCATED:
            return status, kind, content[: len(content) // 2], len(content)
        if trouble is Trouble.WARNED:
            content = json.dumps({**json.loads(content), "warnings": ["a store is missing"]}).encode()
        return _whole(status, kind, content)

    def _pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        kept = {name: value for name, value in headers.items() if name.lower() in {"content-type", "webhook-id"}}
        try:
            answer = requests.request(method, self._upstream + path, headers=kept, data=body, timeout=10.0)
        except requests.RequestException as error:
            return HTTPStatus.BAD_GATEWAY, "text/plain", str(error).encode()
        return answer.status_code, answer.headers.get("Content-Type", ""), answer.content


def _whole(status: int, kind: str, body: bytes) -> tuple[int, str, bytes, int]:
    return status, kind, body, len(body)


def _handler(between: Between) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, content, announced = between.answer(method, self.path, dict(self.headers), body)
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(announced))
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                self.close_connection = True  # nobody waited for it

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Stay silent."""

    return Handler
