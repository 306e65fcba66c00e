"""A `FakeApi` on the wire: lets the real client talk to the server in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from analyzer.kube import objects
from analyzer.kube.errors import (
    ExpiredError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionError,
    RejectedError,
    UnavailableError,
)
from analyzer.kube.objects import Kind, PatchType
from tests.fakes.kube_api import FakeApi
from tests.fakes.kube_http import Received, Reply, refused, said

KINDS = {f"{kind.path}/{kind.plural}": kind for kind in vars(objects).values() if isinstance(kind, Kind)}
CODES: dict[type[KubeError], int] = {
    NotFoundError: 404,
    PreconditionError: 409,
    ForbiddenError: 403,
    RejectedError: 400,
    UnavailableError: 503,
    ExpiredError: 410,
}


def answering(api: FakeApi) -> Callable[[Received], Reply]:
    """What a `WireServer` answers when this server is behind it."""

    def answer(received: Received) -> Reply:
        try:
            return _answer(api, received)
        except KubeError as error:
            return refused(CODES[type(error)], str(error))

    return answer


def _answer(api: FakeApi, received: Received) -> Reply:
    kind, namespace, name = _parsed(received.path)
    labels = received.query.get("labelSelector", "")
    match received.method:
        case "POST":
            return said(api.create(kind, namespace, received.body), 201)
        case "PATCH":
            how = PatchType(received.headers["Content-Type"])
            return said(api.patch(kind, namespace, name, received.body, how))
        case "DELETE":
            api.delete(kind, namespace, name)
            return said({"kind": "Status", "status": "Success"})
        case _ if name:
            return said(api.get(kind, namespace, name))
        case _ if "watch" in received.query:
            return Reply(chunks=_lines(api, kind, namespace, received))
        case _:
            listed = api.list(kind, namespace, labels=labels)
            return said({"items": listed.items, "metadata": {"resourceVersion": listed.version}})


def _lines(api: FakeApi, kind: Kind, namespace: str | None, received: Received) -> Iterator[bytes]:
    version, seconds = received.query["resourceVersion"], int(received.query["timeoutSeconds"])
    labels = received.query.get("labelSelector", "")
    try:
        for change in api.watch(kind, namespace, version, labels=labels, seconds=seconds):
            yield _line(change.kind, change.object)
    except ExpiredError as error:
        yield _line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": str(error)})


def _line(kind: str, found: Any) -> bytes:
    return json.dumps({"type": kind, "object": found}).encode() + b"\n"


def _parsed(path: str) -> tuple[Kind, str | None, str]:
    parts = path.strip("/").split("/")
    namespace = None
    if "namespaces" in parts:
        at = parts.index("namespaces")
        namespace = parts[at + 1]
        parts[at : at + 2] = []
    depth = 3 if parts[0] == "api" else 4
    name = parts[depth] if len(parts) > depth else ""
    return KINDS["/".join(parts[:depth])], namespace, name
