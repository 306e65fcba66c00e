"""Why an HTTP request got no response, in words that name the layer that failed and a way out. Pure.

Used at each edge that sends requests (`observation`, `kube`, `alerting`). Libraries say "Max retries exceeded with url"
for all of it, and repeat URLs that may hold secrets; what is said here never holds any part of a URL.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from urllib3.exceptions import ConnectTimeoutError, DecodeError, NewConnectionError, ProtocolError, ReadTimeoutError

from analyzer.model.numbers import seconds

_READ = (requests.ReadTimeout, ReadTimeoutError)
_CONNECT = (requests.ConnectTimeout, ConnectTimeoutError)
_CUT = (ConnectionError, ProtocolError, DecodeError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class ConnectionFailure:
    """`what` happened, as half a sentence, and what to do about it (`hint`)."""

    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}"


def connection_failure(
    error: BaseException, timeout: float | None = None, connect_timeout: float | None = None
) -> ConnectionFailure | None:
    """Read an exception of requests, urllib3 or a socket; None where it is not about the connection.

    `timeout` in seconds is the one that the request had, where one number can be told; `connect_timeout` where
    connecting had another one.
    """
    chain = list(_chain(error))
    for one in chain:
        found = _by_cause(one)
        if found is not None:
            return found
    if any(isinstance(one, _CONNECT) and not isinstance(one, NewConnectionError) for one in chain):
        return ConnectionFailure(
            f"no connection {_within(connect_timeout or timeout)}", "check the address, firewalls and network policies"
        )
    if any(isinstance(one, (*_READ, TimeoutError)) for one in chain):
        return ConnectionFailure(
            f"connected, but no complete response {_within(timeout)}", "check its load and its own log"
        )
    if any(isinstance(one, _CUT) for one in chain):
        return ConnectionFailure("connection closed before the response was complete", "check its own log")
    return _unreachable(chain)


def _by_cause(error: BaseException) -> ConnectionFailure | None:
    """What one exception of the chain says beyond doubt."""
    match error:
        case requests.exceptions.ProxyError():
            return ConnectionFailure("the proxy did not connect", "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY")
        case socket.gaierror():
            return ConnectionFailure("host name cannot be resolved", "check the name, and DNS where this runs")
        case ConnectionRefusedError():
            return ConnectionFailure("connection refused", "check that it runs and listens on this port")
        case ssl.SSLCertVerificationError():
            return ConnectionFailure(
                f"TLS certificate not accepted: {error.verify_message or error.reason}",
                "check its host name and expiry, and that the system trusts the CA that signed it",
            )
        case ssl.SSLError():
            return ConnectionFailure(
                f"TLS handshake failed: {(error.reason or 'no reason given').replace('_', ' ').lower()}",
                "check that this port serves HTTPS, or use http://",
            )
        case _:
            return None


def _unreachable(chain: list[BaseException]) -> ConnectionFailure | None:
    """No route, a network that is down: the system's own words."""
    said = next((one.strerror for one in reversed(chain) if isinstance(one, OSError) and one.strerror), None)
    return None if said is None else ConnectionFailure(said.lower(), "check the address and the network")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from; urllib3 keeps some causes as `reason`, requests some as an argument."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]


def _within(timeout: float | None) -> str:
    return "in time" if timeout is None else f"within {seconds(timeout)}"
