"""A Prometheus made of one function: real HTTP on a loopback port, with answers that the test chooses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `path` has no query string unless one was sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer. `announced` is the Content-Length when it lies; `until` holds the answer back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    announced: int | None = None
    until: threading.Event | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def success(data: object, **more: object) -> Reply:
    """The body of a successful response."""
    return Reply(json.dumps({"status": "success", "data": data, **more}).encode())


def failure(kind: str, message: str, status: int) -> Reply:
    """The body of an error response."""
    return Reply(json.dumps({"status": "error", "errorType": kind, "error": message}).encode(), status)


def matrix(*series: tuple[Mapping[str, str], Sequence[tuple[float, str]]]) -> Reply:
    """The answer to a range query."""
    result = [{"metric": dict(labels), "values": [list(pair) for pair in values]} for labels, values in series]
    return success({"resultType": "matrix", "result": result})


def vector(*series: tuple[Mapping[str, str], tuple[float, str]]) -> Reply:
    """The answer to an instant query."""
    result = [{"metric": dict(labels), "value": list(pair)} for labels, pair in series]
    return success({"resultType": "vector", "result": result})


def scalar(value: float) -> Reply:
    """The answer to `time()`."""
    return success({"resultType": "scalar", "result": [value, str(value)]})


class FakePrometheus:
    """Answers every request with `answer(asked)` and notes it in `asked`. Use as a context manager."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(ANY_PORT, _handler(self))
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    @property
    def queries(self) -> list[str]:
        """The PromQL of all requests so far."""
        return [asked.form["query"] for asked in self.asked if "query" in asked.form]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(fake: FakePrometheus) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            asked = Asked(method, self.path, dict(self.headers), dict(parse_qsl(form)))
            fake.asked.append(asked)
            reply = fake.answer(asked)
            if reply.until is not None:
                reply.until.wait(10)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(reply.announced or len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # nobody waited for it
                self.wfile.write(reply.body)
            self.close_connection = reply.announced is not None

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler
