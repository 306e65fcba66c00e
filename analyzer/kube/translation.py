"""Answers of the API server that are no success, as `KubeError`s. Called by the client for every request and watch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from analyzer.kube.errors import (
    ExpiredError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionError,
    RejectedError,
    UnavailableError,
)
from analyzer.kube.objects import Json

SHOWN = 500
"""So many characters of a response are shown: the server repeats a whole object that it cannot read."""
REFUSED_PATCH = "(a test in the patch failed, or a path in it does not exist)"
LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def failure(request: str, code: int, body: bytes, headers: Mapping[str, str]) -> KubeError:
    """The error for an answer; `request` is how the request is called in it ("patch Deployment default/shop")."""
    status = _status(body)
    pause = _seconds(headers.get("Retry-After"))
    if status is None:
        text = " ".join(body.decode(errors="replace").split())
        return _error(request, code, text or "no reason given", {}, pause)
    return status_failure(request, status, code, pause)


def status_failure(request: str, status: Json, code: int | None = None, pause: float | None = None) -> KubeError:
    """The error for a Status object, as it also comes as the ERROR line of a watch."""
    details = status.get("details")
    found = code if code is not None else int(status.get("code") or HTTPStatus.INTERNAL_SERVER_ERROR)
    message = str(status.get("message") or status.get("reason") or "no reason given")
    return _error(request, found, message, details if isinstance(details, Mapping) else {}, pause)


def _error(request: str, code: int, message: str, details: Mapping[str, Any], pause: float | None) -> KubeError:
    shown = message if len(message) <= SHOWN else f"{message[: SHOWN // 2]} ... {message[-SHOWN // 2 :]}"
    text = f"{request}: the API server answered {code}: {shown}"
    match code:
        case HTTPStatus.NOT_FOUND:
            return NotFoundError(text)
        case HTTPStatus.CONFLICT:
            return PreconditionError(text)
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return RejectedError(text) if _invalid(details) else PreconditionError(f"{text} {REFUSED_PATCH}")
        case HTTPStatus.UNAUTHORIZED:
            return ForbiddenError(f"{text} (credentials not accepted: expired, or for another cluster?)")
        case HTTPStatus.FORBIDDEN:
            return ForbiddenError(text)
        case HTTPStatus.GONE:
            return ExpiredError(text)
        case _ if HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR and code not in LATER:
            return RejectedError(text)
        case _:
            return UnavailableError(text, retry_after=pause or _seconds(details.get("retryAfterSeconds")))


def _invalid(details: Mapping[str, Any]) -> bool:
    """Whether an object breaks a rule of its kind: each such field is a cause. A patch whose test fails has none; one
    for an object of another uid names only that, where it is no conflict."""
    fields = {str(cause.get("field")) for cause in details.get("causes") or () if isinstance(cause, Mapping)}
    return bool(fields - {"metadata.uid"})


def _status(body: bytes) -> Json | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("kind") == "Status" else None


def _seconds(found: object) -> float | None:
    try:
        return max(float(str(found)), 0.0)
    except ValueError:
        return None
