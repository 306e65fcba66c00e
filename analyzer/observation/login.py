"""Log-ins to Prometheus whose secret is read again for each request, so that a rotated file just works.

Made by the composition root and given to `PrometheusConnection`.
"""

from __future__ import annotations

from collections.abc import Callable

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from analyzer.model.errors import ObservationError


class PasswordLogin(AuthBase):
    """HTTP basic authentication; `password` gives the present password and may raise OSError."""

    def __init__(self, username: str, password: Callable[[], str]) -> None:
        self._username = username
        self._password = password

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign one request. Raises ObservationError when the password cannot be read."""
        HTTPBasicAuth(self._username, _read(self._password))(request)
        return request


class TokenLogin(AuthBase):
    """An Authorization header, such as `Bearer ...`; `credentials` gives the present ones and may raise OSError."""

    def __init__(self, kind: str, credentials: Callable[[], str]) -> None:
        self._kind = kind
        self._credentials = credentials

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign one request. Raises ObservationError when the credentials cannot be read."""
        request.headers["Authorization"] = f"{self._kind} {_read(self._credentials)}"
        return request


def _read(secret: Callable[[], str]) -> str:
    try:
        found = secret().strip()
    except (OSError, ValueError) as error:
        raise ObservationError(f"cannot read the secret for Prometheus: {error}") from error
    if not (found and found.isascii() and found.isprintable()):
        raise ObservationError(
            "secret for Prometheus: expected one line of printable ASCII, found something else or nothing"
        )
    return found
