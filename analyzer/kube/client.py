"""The `Api` of a real cluster. Called by the adapters and by the cache; made by `connect`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from analyzer.kube.errors import ExpiredError, UnavailableError
from analyzer.kube.objects import LEASES, Change, Json, Kind, Listed, PatchType
from analyzer.kube.rate_limit import Rate, TokenBucket
from analyzer.kube.settings import find_access, own_namespace
from analyzer.kube.translation import failure, status_failure
from analyzer.kube.transport import RawResponse, Request, Transport
from analyzer.model.numbers import seconds

FIELD_MANAGER = "canary-analyzer"
PAGE = 500
GRACE_SECONDS = 5.0
"""So much longer than it was asked for may a watch last, or stay silent, before the server counts as hanging."""
SHORTEST_REQUEST = 0.1
"""Seconds that are left at least to a request whose turn came at the last moment."""
CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK"})

OnWrite = Callable[[str, str], None]
"""Called with "before" or "after" and the request ("patch Deployment default/shop") around each write."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Seconds that a request and a list may take, and how many a second: asked by the adapters, and for watching.

    The two rates are apart so that hundreds of watches that come back after an outage hold up no write.
    A request for a Lease waits for neither.
    """

    request_seconds: float = 10.0
    list_seconds: float = 30.0
    requests: Rate = field(default_factory=Rate)
    watches: Rate = field(default_factory=lambda: Rate(per_second=100.0, burst=200))


def connect(
    kubeconfig: Path | None = None,
    context: str | None = None,
    *,
    limits: RequestLimits | None = None,
    on_write: OnWrite | None = None,
) -> KubeClient:
    """A client for the kubeconfig and context, else for the pod's own cluster, else for the usual kubeconfig.

    Makes no request. Raises ClusterSettingsError, which names the contexts that there are.
    """
    access = find_access(kubeconfig, context)
    return KubeClient(
        Transport(access), namespace=access.namespace, limits=limits or RequestLimits(), on_write=on_write
    )


class KubeClient:
    """An `Api` (see `kube.objects`) over HTTP. Thread-safe.

    `namespace` is that of the context or of the pod. Writes carry the field manager `canary-analyzer`; none is
    repeated after a failure, because it may have happened.
    """

    def __init__(
        self, transport: Transport, *, namespace: str, limits: RequestLimits, on_write: OnWrite | None = None
    ) -> None:
        self.namespace = namespace
        self.where = transport.where
        self.on_write = on_write
        self._transport = transport
        self._limits = limits
        self._requests = TokenBucket(limits.requests)
        self._watches = TokenBucket(limits.watches)

    def get(self, kind: Kind, namespace: str | None, name: str, *, timeout: float | None = None) -> Json:
        """One object."""
        request = Request(_named("get", kind, namespace, name), "GET", kind.url(namespace, name))
        return self._asked(kind, request, timeout)

    def list(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Listed:
        """All objects of a kind."""
        pages = tuple(self.pages(kind, namespace, labels=labels))
        return Listed(tuple(found for page in pages for found in page.items), pages[-1].version)

    def pages(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Iterator[Listed]:
        """The same, 500 at a time. Raises ExpiredError when it took so long that the rest is from another moment."""
        name = _named("list", kind, namespace)
        query = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            self._turn(self._watches, name, self._limits.list_seconds)
            request = Request(name, "GET", kind.url(namespace), query)
            page = self._read(request, self._transport.exchange(request, self._limits.list_seconds))
            metadata = page.get("metadata") or {}
            if not isinstance(page.get("items"), list) or not metadata.get("resourceVersion"):
                raise UnavailableError(f"{name}: expected a list from the API server, found something else")
            yield Listed(tuple(page["items"]), str(metadata["resourceVersion"]))
            if not metadata.get("continue"):
                return
            query = {**query, "continue": str(metadata["continue"])}

    def create(self, kind: Kind, namespace: str | None, body: Json, *, timeout: float | None = None) -> Json:
        """Make an object; `apiVersion` and `kind` are filled in."""
        name = str((body.get("metadata") or {}).get("name") or "")
        sent = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        request = Request(
            _named("create", kind, namespace, name), "POST", kind.url(namespace), {"fieldManager": FIELD_MANAGER}, sent
        )
        return self._written(kind, request, timeout)

    def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: Json | Sequence[Json],
        how: PatchType,
        *,
        timeout: float | None = None,
    ) -> Json:
        """Change an object; gives it as it is then."""
        # The library sends a JSON patch as something else unless its body is a list.
        sent = list(body) if how is PatchType.JSON else body
        request = Request(
            _named("patch", kind, namespace, name),
            "PATCH",
            kind.url(namespace, name),
            {"fieldManager": FIELD_MANAGER},
            sent,
            how.value,
        )
        return self._written(kind, request, timeout)

    def delete(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Remove an object; what it owns goes after it."""
        request = Request(_named("delete", kind, namespace, name), "DELETE", kind.url(namespace, name))
        self._written(kind, request, None)

    def watch(
        self, kind: Kind, namespace: str | None, version: str, *, labels: str = "", seconds: int = 25
    ) -> Iterator[Change]:
        """Changes after a version; the server ends the request by itself after `seconds`."""
        name = _named("watch", kind, namespace)
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        query |= {"timeoutSeconds": str(seconds)} | ({"labelSelector": labels} if labels else {})
        self._turn(self._watches, name, self._limits.list_seconds)
        longest = seconds + GRACE_SECONDS
        lines = self._transport.stream(Request(name, "GET", kind.url(namespace), query), longest, longest)
        if isinstance(lines, RawResponse):
            raise failure(name, lines.code, lines.body, lines.headers)
        with closing(lines):
            for line in lines:
                yield _change(name, line)

    def server_clock(self) -> datetime:
        """What time the API server says it is, to the second."""
        request = Request("get /version", "GET", "/version")
        answer = self._transport.exchange(request, self._limits.request_seconds)
        try:
            return parsedate_to_datetime(answer.headers["Date"])
        except (KeyError, ValueError) as error:
            raise UnavailableError(f"{request.name}: expected a Date header from the API server, found none") from error

    def close(self) -> None:
        """End all watches, so that the threads in them go on at once, and drop the connections."""
        self._transport.close()

    def _written(self, kind: Kind, request: Request, timeout: float | None) -> Json:
        if self.on_write is not None:
            self.on_write("before", request.name)
        try:
            return self._asked(kind, request, timeout)
        finally:
            if self.on_write is not None:
                self.on_write("after", request.name)

    def _asked(self, kind: Kind, request: Request, timeout: float | None) -> Json:
        most = timeout if timeout is not None else self._limits.request_seconds
        if kind == LEASES:
            return self._read(request, self._transport.exchange(request, most))
        until = time.monotonic() + most  # waiting for its turn is a part of the time that a request may take
        self._turn(self._requests, request.name, most)
        left = max(until - time.monotonic(), SHORTEST_REQUEST)
        return self._read(request, self._transport.exchange(request, left))

    def _turn(self, bucket: TokenBucket, name: str, most: float) -> None:
        if not bucket.take(most):
            raise UnavailableError(f"{name}: not sent: client-side rate limit reached, no turn within {seconds(most)}")

    def _read(self, request: Request, answer: RawResponse) -> dict[str, Any]:
        if not HTTPStatus.OK <= answer.code < HTTPStatus.MULTIPLE_CHOICES:
            raise failure(request.name, answer.code, answer.body, answer.headers)
        try:
            found = json.loads(answer.body)
        except ValueError as error:
            raise UnavailableError(f"{request.name}: expected JSON from the API server: {error}") from error
        if not isinstance(found, dict):
            raise UnavailableError(f"{request.name}: expected a JSON object from the API server, found something else")
        return found


def _change(name: str, line: bytes) -> Change:
    """One line of a watch. Raises the error that the line carries, or UnavailableError for one that is broken."""
    try:
        found = json.loads(line)
        kind, changed = found["type"], found["object"]
        if kind == "ERROR":
            raise _in_watch(name, changed)
        if kind not in CHANGES:
            raise UnavailableError(f"{name}: unknown type of watch event {kind!r}")
        if not changed["metadata"]["resourceVersion"]:
            raise UnavailableError(f"{name}: watch event without a resourceVersion")
    except (ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"{name}: unreadable watch event: {error}") from error
    return Change(kind, changed)


def _in_watch(name: str, status: Json) -> Exception:
    if status.get("reason") == "Expired":
        return ExpiredError(f"{name}: {status.get('message')}")
    return status_failure(name, status)


def _named(verb: str, kind: Kind, namespace: str | None, name: str = "") -> str:
    return f"{verb} {kind.kind} {'/'.join(part for part in (namespace, name) if part)}".strip()


__all__ = ["FIELD_MANAGER", "KubeClient", "OnWrite", "RequestLimits", "connect", "own_namespace"]
