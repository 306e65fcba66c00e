"""An API server on the wire: real HTTP on a free port, with an answer of the test's choice for each request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import yaml

from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. With `chunks` it is a stream, which ends cleanly, is `cut`, or hangs until the server stops.

    `declared` is a Content-Length that is not that of the body.
    """

    code: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None
    cut: bool = False
    hangs: bool = False
    declared: int | None = None


def said(body: Mapping[str, Any], code: int = 200, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(code, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def refused(code: int, message: str, **details: Any) -> Reply:
    """A Status that says no."""
    status = {"kind": "Status", "status": "Failure", "message": message, "code": code, "details": details}
    return said(status, code)


def lines(*changes: tuple[str, Mapping[str, Any]], end: bytes = b"") -> list[bytes]:
    """The chunks of a watch: one line for each change, and what comes after them."""
    written = [json.dumps({"type": kind, "object": body}).encode() + b"\n" for kind, body in changes]
    return [*written, end] if end else written


class WireServer:
    """Gives `replies` in order, the last one for ever; `received` is what it was asked.

    With `answering` it gives what that makes of a request.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.replies: list[Reply] = [Reply()]
        self.answering: Callable[[Received], Reply] | None = None
        self.received: list[Received] = []
        self.stopped = threading.Event()
        self.url = f"http://{LOOPBACK}:{server.server_address[1]}"

    def script(self, *replies: Reply) -> None:
        """What to answer from now on."""
        self.replies = list(replies)

    def next_reply(self, received: Received) -> Reply:
        """The answer to a request."""
        self.received.append(received)
        if self.answering is not None:
            return self.answering(received)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def kubeconfig(self, folder: Path, *, bearer: str = "t0ken", namespace: str | None = None) -> Path:
        """A kubeconfig with the contexts `lab` (the current one) and `other`."""
        context = {"cluster": "lab", "user": "me"} | ({"namespace": namespace} if namespace else {})
        path = folder / "kubeconfig.yaml"
        settings = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": bearer}}],
            "contexts": [{"name": "lab", "context": context}, {"name": "other", "context": context}],
        }
        path.write_text(yaml.safe_dump(settings))
        return path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: ClassVar[WireServer]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(sent) if sent else None
        received = Received(self.command, url.path, dict(parse_qsl(url.query)), dict(self.headers.items()), body)
        with suppress(ConnectionError):  # the client has hung up
            self._answer(self.wire.next_reply(received))

    def do_POST(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.code)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.chunks is None:
            length = len(reply.body) if reply.declared is None else reply.declared
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = self.close_connection or length != len(reply.body)
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in reply.chunks:
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if reply.hangs:
            self.wire.stopped.wait(5)
        if reply.cut or reply.hangs:
            self.close_connection = True
        elif reply.chunks is not None:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server uses
        """Tests are quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server's."""


@contextmanager
def wire_server() -> Iterator[WireServer]:
    """A server on a free port, until the block ends."""

    class Handler(_Handler):
        pass

    server = _Server(ANY_PORT, Handler)
    Handler.wire = WireServer(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Handler.wire
    finally:
        Handler.wire.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
