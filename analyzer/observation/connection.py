"""The line to Prometheus: one query out, typed series back, every failure as an ObservationError.

Used by `source` and `measure`. prometheus-api-client holds the connection (URL, headers, log-in, adapters); the
requests are our own, because the library's have the query in the URL, no total time-out, retries that hide
the error, rounded times, and answers without their warnings.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from prometheus_api_client import PrometheusConnect
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import DecodeError, ProtocolError, ReadTimeoutError
from urllib3.util.retry import Retry

from analyzer.connection_failure import connection_failure
from analyzer.model.errors import ObservationError
from analyzer.model.loopback import is_loopback
from analyzer.observation.response import Series, decode, read_series

MAX_POINTS = 11_000
"""Prometheus refuses more points than this in one series of a range query."""

_CHUNK = 65_536

_TIME_OVER = "the time for all queries of this tick is used up"


class PrometheusConnection:
    """A connection that may be used from several threads; each has its own HTTP connections.

    `timeout` is in seconds, for each query as a whole. A user and password in `url` are used for the log-in,
    unless `auth` is given, and are never shown. `auth` is asked anew for each request.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 10.0,
        headers: Mapping[str, str] | None = None,
        auth: AuthBase | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.username is not None and auth is None:
            auth = HTTPBasicAuth(unquote(parts.username), unquote(parts.password or ""))
        self.url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
        self._local_host = is_loopback(parts.hostname or "")
        self.timeout = timeout
        self._deadline: float | None = None
        self._headers = dict(headers or {})
        self._auth = auth
        self._thread = threading.local()
        self._opened: list[PrometheusConnect] = []

    def until(self, deadline: float) -> PrometheusConnection:
        """The same connection for queries that must all end by then, on the monotonic clock."""
        bounded = copy.copy(self)
        bounded._deadline = deadline  # noqa: SLF001 - it is one of ours
        return bounded

    def instant(self, query: str, at: float | None = None) -> tuple[Series, ...]:
        """Evaluate at one moment (None: now, on Prometheus' clock). Raises ObservationError."""
        form = {"query": query} if at is None else {"query": query, "time": _seconds(at)}
        return read_series(self._post("query", form))

    def range(self, query: str, start: float, end: float, step: float) -> tuple[Series, ...]:
        """Evaluate at start, start + step, ... up to end; long ranges are asked for in parts.

        Each part's series stand on their own in the answer: labels may occur more than once. Times are exact to
        the millisecond. Raises ObservationError.
        """
        return tuple(
            series
            for first, last in _parts(start, end, step)
            for series in read_series(
                self._post(
                    "query_range",
                    {"query": query, "start": _seconds(first), "end": _seconds(last), "step": _seconds(step)},
                )
            )
        )

    def server_time(self) -> float:
        """Seconds since the epoch on Prometheus' clock. Raises ObservationError."""
        match self.instant("time()"):
            case (Series(samples=((_, now),)),):
                return now
            case _:
                raise ObservationError(
                    f"Prometheus {self.url}: expected its time as the answer to time(), found something else"
                )

    def version(self) -> str:
        """Prometheus' version, such as "2.42.0". Raises ObservationError."""
        found = self._request("GET", "status/buildinfo", {})
        if not isinstance(found, dict) or "version" not in found:
            raise ObservationError(f"Prometheus {self.url}: expected a version in status/buildinfo, found none")
        return str(found["version"])

    def close(self) -> None:
        """Close the HTTP connections of all threads."""
        while self._opened:
            self._opened.pop().close()
        self._thread = threading.local()

    def _post(self, endpoint: str, form: Mapping[str, str]) -> Any:
        # Thanos answers with what it has unless told not to; Prometheus ignores the parameter.
        return self._request("POST", endpoint, {**form, "timeout": f"{self.timeout:g}", "partial_response": "false"})

    def _request(self, method: str, endpoint: str, form: Mapping[str, str]) -> Any:
        client = self._client()
        deadline = self._ends_at()
        left = deadline - time.monotonic()
        if left <= 0:
            raise ObservationError(f"request to Prometheus {self.url} not sent: {_TIME_OVER}")
        try:
            with client._session.request(  # noqa: SLF001 - the session is ours; the library only prepared it
                method,
                f"{client.url}/api/v1/{endpoint}",
                data=form,
                headers=client.headers,
                auth=client.auth,
                timeout=left,
                allow_redirects=False,  # a redirected POST loses its form
                stream=True,
            ) as response:
                if response.is_redirect:
                    place = _without_user(response.headers["Location"])
                    raise ObservationError(f"Prometheus {self.url} redirects to {place}; set prometheus.url to that")
                body = _body(response, deadline)
                return decode(response.status_code, response.headers.get("Content-Type", ""), body)
        except requests.RequestException as error:
            raise ObservationError(f"request to Prometheus {self.url} failed: {self._why(error)}") from error

    def _ends_at(self) -> float:
        end = time.monotonic() + self.timeout
        return end if self._deadline is None else min(end, self._deadline)

    def _client(self) -> PrometheusConnect:
        client = getattr(self._thread, "client", None)
        if client is None:
            session = requests.Session()
            if self._local_host:
                session.trust_env = False  # a proxy does not reach this machine's own addresses
            client = PrometheusConnect(
                self.url, headers=self._headers, auth=self._auth, retry=Retry(0), session=session, method="POST"
            )
            self._thread.client = client
            self._opened.append(client)
        return client

    def _why(self, error: requests.RequestException) -> str:
        match error:
            case requests.exceptions.ContentDecodingError():
                return "the response is damaged"
            case requests.exceptions.InvalidHeader():
                return "one of prometheus.headers is not allowed in HTTP"  # its own text would show the value
            case _:
                return str(connection_failure(error, self.timeout) or _root(error))


def _body(response: requests.Response, deadline: float) -> bytes:
    """Read piece by piece as it comes: any other way waits for more, and begins to wait anew with each byte."""
    parts = []
    try:
        while part := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(part)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout
    except ReadTimeoutError as error:
        raise requests.ReadTimeout from error
    except ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError from error
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError from error
    return b"".join(parts)


def _parts(start: float, end: float, step: float) -> Iterator[tuple[float, float]]:
    points = round((end - start) / step) + 1
    for first in range(0, points, MAX_POINTS):
        last = min(first + MAX_POINTS, points) - 1
        yield start + first * step, start + last * step


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _root(error: BaseException) -> str:
    """The innermost cause: the outer ones repeat URLs and memory addresses."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return told or type(error).__name__


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
