"""One HTTP exchange with the API server, through the `kubernetes` package's own connection and credentials.

Called by the client. Bodies are left as bytes: the library's models drop fields that they do not know. Everything has
a limit in time, also an answer that comes in drops; credentials that the server refuses are read anew, once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from kubernetes.client.api_client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from analyzer.connection_failure import connection_failure
from analyzer.kube.errors import UnavailableError
from analyzer.kube.settings import Access

CONNECT_SECONDS = 5.0
CHUNK = 1 << 16
REREAD_SECONDS = 5.0
"""Credentials are read anew at most this often: a plugin may be slow, and the ones that are refused may be all."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `name` is how messages call it, `content_type` that of the body."""

    name: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A whole answer, of any status."""

    code: int
    body: bytes
    headers: Mapping[str, str]


class Transport:
    """A connection pool to one API server. Thread-safe."""

    def __init__(self, access: Access, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.where = access.where
        self._access = access
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: Any = ApiClient(access.configuration())
        self._read_at = monotonic() - REREAD_SECONDS
        self._streams: set[Any] = set()

    def exchange(self, request: Request, seconds: float) -> RawResponse:
        """Send a request and read the whole answer within `seconds`. Raises UnavailableError."""
        deadline = self._monotonic() + seconds
        response = self._send(request, seconds)
        try:
            body = b"".join(self._chunks(response, request, deadline))
        finally:
            response.close() if self._monotonic() > deadline else response.release_conn()
        return RawResponse(response.status, body, response.headers)

    def stream(self, request: Request, seconds: float, silence: float) -> Generator[bytes] | RawResponse:
        """Open a request whose answer never is whole: the lines that come, until the server ends it.

        `silence` is the longest pause between two bytes, `seconds` the longest duration of all. An answer that is no
        success is given as such. The iterator raises UnavailableError.
        """
        response = self._send(request, silence)
        if response.status != HTTPStatus.OK:
            body = b"".join(self._chunks(response, request, self._monotonic() + silence))
            return RawResponse(response.status, body, response.headers)
        return self._lines(response, request, self._monotonic() + seconds)

    def close(self) -> None:
        """End all open streams, from any thread, and drop the connections."""
        with self._lock:
            streams, client = set(self._streams), self._client
        for response in streams:
            try:
                response.shutdown()
            except (OSError, ValueError, RuntimeError):
                continue  # it ended by itself meanwhile
        client.rest_client.close()

    def _send(self, request: Request, silence: float) -> Any:
        client = self._client
        response = self._sent(client, request, silence)
        if response.status == HTTPStatus.UNAUTHORIZED and self._renew(client):
            response.drain_conn()
            response = self._sent(self._client, request, silence)
        return response

    def _renew(self, refused: Any) -> bool:
        """Whether there is a client with credentials that were read after those that were refused."""
        with self._lock:
            if self._client is not refused:
                return True
            if self._monotonic() - self._read_at < REREAD_SECONDS:
                return False
            self._read_at = self._monotonic()
            self._client = ApiClient(self._access.configuration())
            return True

    def _sent(self, client: Any, request: Request, silence: float) -> Any:
        headers = {"Accept": "application/json", "User-Agent": "canary-analyzer"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        query = urlencode(request.query)
        try:
            client.update_params_for_auth(headers, [], ["BearerToken"], request.path, request.method, None)
            return client.call_api(
                request.method,
                f"{client.configuration.host}{request.path}" + (f"?{query}" if query else ""),
                headers,
                request.body,
                _request_timeout=(min(CONNECT_SECONDS, silence), silence),
            ).response
        except ConfigException as error:  # from reading the credentials anew, shortly before they end
            raise UnavailableError(f"{request.name}: not sent, no credentials from {self.where}: {error}") from error
        except (HTTPError, ApiException, OSError, ValueError) as error:
            raise self._lost(request, error, silence) from error

    def _chunks(self, response: Any, request: Request, deadline: float) -> Iterator[bytes]:
        try:
            while chunk := response.read1(CHUNK):
                yield chunk
                if self._monotonic() > deadline:
                    response.close()
                    raise UnavailableError(f"{request.name}: no complete response from the API server in time")
        except (HTTPError, OSError, ValueError) as error:
            raise self._lost(request, error) from error

    def _lines(self, response: Any, request: Request, deadline: float) -> Generator[bytes]:
        with self._lock:
            self._streams.add(response)
        rest = b""
        try:
            for chunk in self._chunks(response, request, deadline):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line for line in lines if line.strip())
            if rest.strip():
                raise UnavailableError(f"{request.name}: the response of the API server ended early")
        finally:
            with self._lock:
                self._streams.discard(response)
            response.close()

    def _lost(self, request: Request, error: Exception, silence: float | None = None) -> UnavailableError:
        connecting = None if silence is None else min(CONNECT_SECONDS, silence)
        failure = connection_failure(error, silence, connecting)
        reason = failure or str(error.__cause__ or error).strip() or type(error).__name__
        return UnavailableError(f"{request.name}: request to the API server ({self.where}) failed: {reason}")
