"""The webhook receiver: one POST per alert, as a CloudEvent in JSON, which most event routers take as it is."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from analyzer.connection_failure import connection_failure
from analyzer.model.alert import Alert
from analyzer.model.errors import AlertError
from analyzer.model.loopback import is_loopback

_SUCCESS = range(200, 300)
_TRY_AGAIN = frozenset({401, 403, 404, 408, 425, 429})
"""People fix credentials and addresses, and a proxy answers 404 while what is behind it starts."""
_SERVER_ERRORS = range(500, 600)
_TIMEOUT = 10.0
"""Seconds for one delivery."""


class WebhookSink:
    """POSTs alerts to one URL; `timeout` in seconds.

    `Idempotency-Key` and `webhook-id` carry the alert's id, so a receiver can drop the repetition that follows a
    kill between sending and noting that it was sent. The URL may hold a secret in any part of it: what is shown of
    it, in texts and in `repr`, ends with the port.
    """

    def __init__(self, name: str, url: str, timeout: float = _TIMEOUT) -> None:
        self._name = name
        self._url = url
        self._timeout = timeout
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        self._shown = f"{parts.scheme}://{parts.hostname}{port}"
        self._nearby = is_loopback(parts.hostname or "")

    def __repr__(self) -> str:
        return f"WebhookSink({self._name!r}, {self._shown!r})"

    @property
    def name(self) -> str:
        """The receiver's name in the configuration."""
        return self._name

    def deliver(self, alert: Alert) -> None:
        """Send once. Raises AlertError: retryable for what may be mended, 5xx, and when no answer came."""
        status = self._post(alert)
        if status in _SUCCESS:
            return
        raise AlertError(
            f"receiver {self._name} ({self._shown}) answered HTTP {status} to alert {alert.id}, expected 2xx; "
            + _advice(status),
            retryable=status in _TRY_AGAIN or status in _SERVER_ERRORS,
        )

    def _post(self, alert: Alert) -> int:
        """The status of the answer. Redirects are answers: following one would turn the POST into a GET."""
        key = quote(alert.id, safe=":/.~")
        headers = {
            "Content-Type": "application/cloudevents+json; charset=UTF-8",
            "Idempotency-Key": key,
            "webhook-id": key,
        }
        body = json.dumps(cloud_event(alert)).encode()
        try:
            with requests.Session() as session:
                session.trust_env = not self._nearby  # a proxy would look for it on its own machine
                with session.post(
                    self._url,
                    data=body,
                    headers=headers,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return response.status_code
        except requests.RequestException as error:
            # Not chained: the library's error repeats the URL, which may be the secret.
            raise AlertError(
                f"alert {alert.id} not delivered to receiver {self._name} ({self._shown}): {self._why(error)}",
                retryable=not isinstance(error, ValueError),
            ) from None

    def _why(self, error: requests.RequestException) -> str:
        if isinstance(error, ValueError):
            return "its URL is not valid; expected one that begins with http:// or https://"
        return str(connection_failure(error, self._timeout) or f"{type(error).__name__}; check its URL")


SINK = WebhookSink


def cloud_event(alert: Alert) -> dict[str, Any]:
    """The alert as a CloudEvent 1.0 in structured mode, as plain JSON."""
    return {
        "specversion": "1.0",
        "id": alert.id,
        "source": "/".join(("/canary-analyzer", *filter(None, (quote(alert.namespace), quote(alert.target))))),
        "type": f"canary-analyzer.{alert.event.value}",
        "time": alert.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "target": alert.target,
            "namespace": alert.namespace,
            "release": alert.release,
            "event": alert.event.value,
            "severity": alert.severity.value,
            "summary": alert.summary,
            "key": alert.key,
            "details": dict(alert.details),
        },
    }


def _advice(status: int) -> str:
    if status in (401, 403):
        return "check the credentials in its URL"
    if status < 400:  # noqa: PLR2004 - where client errors begin
        return "redirects are not followed: configure the address that it redirects to"
    return "check its URL and its own log"
