"""The client against real HTTP: what it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config.config_exception import ConfigException

from analyzer.kube.client import KubeClient, RequestLimits, connect
from analyzer.kube.errors import (
    ExpiredError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionError,
    RejectedError,
    UnavailableError,
)
from analyzer.kube.objects import CONFIG_MAPS, DEPLOYMENTS, LEASES, PODS, PatchType
from analyzer.kube.rate_limit import Rate
from analyzer.kube.settings import Access, find_access
from analyzer.kube.transport import Transport
from tests.fakes.kube_http import Reply, WireServer, lines, refused, said, wire_server

POD: dict[str, Any] = {"metadata": {"name": "p", "namespace": "shop", "resourceVersion": "7"}}


@pytest.fixture(name="wire")
def _wire() -> Iterator[WireServer]:
    with wire_server() as wire:
        yield wire


@pytest.fixture(name="client")
def _client(wire: WireServer, tmp_path: Path) -> Iterator[KubeClient]:
    client = connect(wire.kubeconfig(tmp_path, namespace="shop"))
    yield client
    client.close()


def test_sends_a_json_patch_as_a_json_patch_with_our_field_manager(client: KubeClient, wire: WireServer) -> None:
    operations = ({"op": "replace", "path": "/spec/replicas", "value": 3},)
    wire.script(said({"kind": "Deployment"}))
    assert client.patch(DEPLOYMENTS, "shop", "web", operations, PatchType.JSON) == {"kind": "Deployment"}
    sent = wire.received[0]
    assert (sent.method, sent.path) == ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web")
    assert sent.headers["Content-Type"] == "application/json-patch+json"
    assert sent.headers["authorization"] == "Bearer t0ken"
    assert sent.query == {"fieldManager": "canary-analyzer"}
    assert sent.body == list(operations)


def test_sends_a_merge_patch_as_a_merge_patch(client: KubeClient, wire: WireServer) -> None:
    client.patch(LEASES, "shop", "l", {"spec": {"holderIdentity": "a"}}, PatchType.MERGE)
    assert wire.received[0].headers["Content-Type"] == "application/merge-patch+json"
    assert wire.received[0].path == "/apis/coordination.k8s.io/v1/namespaces/shop/leases/l"


def test_creates_with_the_kind_filled_in(client: KubeClient, wire: WireServer) -> None:
    client.create(CONFIG_MAPS, "shop", {"metadata": {"name": "c"}})
    assert wire.received[0].body == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert wire.received[0].path == "/api/v1/namespaces/shop/configmaps"


def test_knows_the_namespace_of_the_context(client: KubeClient) -> None:
    assert client.namespace == "shop"


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (refused(404, 'deployments "web" not found'), NotFoundError, 'get Deployment shop/web.*404.*"web" not found'),
        (refused(409, "the object has been modified"), PreconditionError, "409: the object has been modified"),
        (refused(422, "the server rejected our request"), PreconditionError, "422.*a test in the patch failed"),
        (refused(422, "field is immutable", causes=[{"field": "metadata.uid"}]), PreconditionError, "immutable"),
        (
            refused(422, "x" * 5000 + "the end", causes=[{"field": "patch"}]),
            RejectedError,
            r"422: x{250} \.\.\. .*the end",
        ),
        (
            refused(422, "Deployment is invalid", causes=[{"field": "spec"}]),
            RejectedError,
            "422: Deployment is invalid",
        ),
        (refused(403, 'User "me" cannot get resource "deployments"'), ForbiddenError, "cannot get resource"),
        (refused(401, "Unauthorized"), ForbiddenError, "credentials not accepted"),
        (refused(400, "bad"), RejectedError, "400: bad"),
        (refused(410, "too old"), ExpiredError, "too old"),
        (refused(500, "etcd is slow"), UnavailableError, "500: etcd is slow"),
        (Reply(503, b"no\nbackend"), UnavailableError, "503: no backend"),
        (Reply(302, b"", {"Location": "/elsewhere"}), UnavailableError, "302"),
        (Reply(200, b"<html>"), UnavailableError, "expected JSON from the API server"),
        (Reply(200, b"[]"), UnavailableError, "expected a JSON object"),
        (
            Reply(200, b'{"kind": "Depl', declared=500),
            UnavailableError,
            r"get Deployment shop/web: request to the API server \(.*context lab\) failed: connection closed",
        ),
        (Reply(200, b"{}", hangs=True, declared=500), UnavailableError, "connected, but no complete response"),
    ],
)
def test_translates_what_is_no_success(
    client: KubeClient, wire: WireServer, reply: Reply, error: type[KubeError], text: str
) -> None:
    wire.script(reply)
    with pytest.raises(error, match=f"(?s){text}"):
        client.get(DEPLOYMENTS, "shop", "web", timeout=0.2)


def test_says_where_no_server_answers(tmp_path: Path) -> None:
    with wire_server() as wire:
        client = connect(wire.kubeconfig(tmp_path))
    with pytest.raises(
        UnavailableError,
        match=r"get Pod shop/p: request to the API server \(kubeconfig .*\) failed: connection refused",
    ):
        client.get(PODS, "shop", "p")


def test_passes_on_the_pause_that_the_server_asks_for(client: KubeClient, wire: WireServer) -> None:
    wire.script(Reply(429, b"slow down", {"Retry-After": "3"}))
    with pytest.raises(UnavailableError) as caught:
        client.get(PODS, "shop", "p")
    assert caught.value.retry_after == 3.0


def test_gives_up_an_answer_that_comes_in_drops(client: KubeClient, wire: WireServer) -> None:
    def drops() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.01)
            yield b" "

    wire.script(Reply(chunks=drops()))
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="no complete response from the API server in time"):
        client.get(PODS, "shop", "p", timeout=0.1)
    assert time.monotonic() - begun < 0.8


def test_reads_credentials_anew_when_they_are_refused(client: KubeClient, wire: WireServer, tmp_path: Path) -> None:
    wire.kubeconfig(tmp_path, bearer="fresh")
    wire.script(refused(401, "Unauthorized"), said({"kind": "Pod"}))
    assert client.get(PODS, "shop", "p") == {"kind": "Pod"}
    assert [sent.headers["authorization"] for sent in wire.received] == ["Bearer t0ken", "Bearer fresh"]


def test_a_write_that_is_refused_is_tried_once_with_new_credentials(client: KubeClient, wire: WireServer) -> None:
    wire.script(refused(401, "Unauthorized"))
    for _ in range(2):
        with pytest.raises(ForbiddenError):
            client.delete(PODS, "shop", "p")
    assert len(wire.received) == 3  # not again within seconds: a plugin that makes credentials may be slow


def test_a_broken_kubeconfig_at_renewal_is_a_kube_error(client: KubeClient, wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig.yaml").write_text("{}")
    wire.script(refused(401, "Unauthorized"))
    with pytest.raises(KubeError, match=r"kubeconfig\.yaml"):
        client.get(PODS, "shop", "p")


def test_lists_page_by_page(client: KubeClient, wire: WireServer) -> None:
    wire.script(
        said({"metadata": {"resourceVersion": "9", "continue": "more"}, "items": [POD]}),
        said({"metadata": {"resourceVersion": "9"}, "items": [POD]}),
    )
    listed = client.list(PODS, "shop", labels="app=web")
    assert (len(listed.items), listed.version) == (2, "9")
    assert wire.received[0].query == {"limit": "500", "labelSelector": "app=web"}
    assert wire.received[1].query == {"limit": "500", "labelSelector": "app=web", "continue": "more"}


def test_a_list_that_is_none_is_refused(client: KubeClient, wire: WireServer) -> None:
    wire.script(said({"kind": "PodList", "metadata": {}}))
    with pytest.raises(UnavailableError, match="expected a list"):
        client.list(PODS, None)
    assert wire.received[0].path == "/api/v1/pods"


def test_watches_line_by_line(client: KubeClient, wire: WireServer) -> None:
    whole = b"".join(lines(("ADDED", POD), ("BOOKMARK", POD), ("DELETED", POD)))
    wire.script(Reply(chunks=[whole[:30], whole[30:31], whole[31:] + b"\n"]))
    assert [change.kind for change in client.watch(PODS, "shop", "5")] == ["ADDED", "BOOKMARK", "DELETED"]
    query = wire.received[0].query
    assert query["resourceVersion"] == "5"
    assert query["allowWatchBookmarks"] == "true"
    assert query["timeoutSeconds"] == "25"


@pytest.mark.parametrize(
    ("chunks", "error", "text"),
    [
        (lines(("ADDED", POD), end=b"null\n"), UnavailableError, "unreadable watch event"),
        (lines(("ADDED", POD), end=b"{oops\n"), UnavailableError, "unreadable watch event"),
        (lines(("ADDED", POD), end=b'{"type": "ADD'), UnavailableError, "ended early"),
        (lines(("ADDED", POD), ("ADDED", {"metadata": {}})), UnavailableError, "unreadable watch event"),
        (lines(("ADDED", POD), ("RENAMED", POD)), UnavailableError, "RENAMED"),
        (lines(("ADDED", POD), ("ERROR", {"code": 410, "message": "too old"})), ExpiredError, "too old"),
        (lines(("ADDED", POD), ("ERROR", {"code": 410, "reason": "Expired"})), ExpiredError, "watch Pod shop"),
        (lines(("ADDED", POD), ("ERROR", {"code": 500, "message": "boom"})), UnavailableError, "500: boom"),
    ],
)
def test_a_bad_line_ends_a_watch_after_the_good_ones(
    client: KubeClient, wire: WireServer, chunks: list[bytes], error: type[KubeError], text: str
) -> None:
    wire.script(Reply(chunks=chunks))
    watch = client.watch(PODS, "shop", "5")
    assert next(watch).kind == "ADDED"
    with pytest.raises(error, match=text):
        next(watch)


def test_a_watch_that_is_cut_is_no_clean_end(client: KubeClient, wire: WireServer) -> None:
    wire.script(Reply(chunks=lines(("ADDED", POD)), cut=True))
    watch = client.watch(PODS, "shop", "5")
    next(watch)
    with pytest.raises(UnavailableError, match="watch Pod shop: request to the API server"):
        next(watch)


def test_a_watch_that_is_refused_says_why(client: KubeClient, wire: WireServer) -> None:
    wire.script(refused(403, 'cannot watch resource "pods"'))
    with pytest.raises(ForbiddenError, match="cannot watch"):
        next(client.watch(PODS, "shop", "5"))


def test_closing_the_client_ends_a_watch_that_hangs(client: KubeClient, wire: WireServer) -> None:
    wire.script(Reply(chunks=lines(("ADDED", POD)), hangs=True))
    watch = client.watch(PODS, "shop", "5")
    next(watch)
    client.close()
    with suppress(UnavailableError):  # on the wire it is an end like any other that was not the server's
        assert next(watch, None) is None


def test_the_hook_sees_each_write_before_and_after(client: KubeClient, wire: WireServer) -> None:
    moments: list[tuple[str, str, int]] = []
    client.on_write = lambda moment, what: moments.append((moment, what, len(wire.received)))
    wire.script(Reply(), Reply(), refused(422, "no"))
    client.get(PODS, "shop", "p")
    client.create(CONFIG_MAPS, "shop", {"metadata": {"name": "c"}})
    with pytest.raises(PreconditionError):
        client.patch(DEPLOYMENTS, "shop", "web", [], PatchType.JSON)
    assert moments == [
        ("before", "create ConfigMap shop/c", 1),
        ("after", "create ConfigMap shop/c", 2),
        ("before", "patch Deployment shop/web", 2),
        ("after", "patch Deployment shop/web", 3),
    ]


def test_beyond_the_limit_of_requests_nothing_is_sent_but_for_the_lease(wire: WireServer, tmp_path: Path) -> None:
    client = connect(wire.kubeconfig(tmp_path), limits=RequestLimits(requests=Rate(per_second=0.01, burst=2)))
    for _ in range(2):
        client.get(PODS, "shop", "p", timeout=1)
    with pytest.raises(UnavailableError, match="not sent: client-side rate limit reached"):
        client.get(PODS, "shop", "p", timeout=1)
    client.get(LEASES, "shop", "l", timeout=1)
    assert len(wire.received) == 3


def test_credentials_that_can_not_be_read_anew_are_no_answer_like_any_other(wire: WireServer, tmp_path: Path) -> None:
    def unreadable(_: Any) -> None:
        raise ConfigException("the token file is empty")

    access = find_access(wire.kubeconfig(tmp_path))
    configuration = access.configuration()
    configuration.refresh_api_key_hook = unreadable
    spoiled = Access("here", "shop", lambda: configuration)
    client = KubeClient(Transport(spoiled), namespace="shop", limits=RequestLimits())
    with pytest.raises(UnavailableError, match=r"get Pod shop/p: not sent.*the token file is empty"):
        client.get(PODS, "shop", "p")
    assert wire.received == []


def test_tells_the_time_of_the_server(client: KubeClient, wire: WireServer) -> None:
    assert client.server_clock().tzinfo is not None
    assert wire.received[0].path == "/version"


def test_bodies_are_left_as_the_server_wrote_them(client: KubeClient, wire: WireServer) -> None:
    body = {"kind": "Pod", "spec": {"fieldOfTheFuture": [1, None]}}
    wire.script(Reply(body=json.dumps(body).encode()))
    assert client.get(PODS, "shop", "p") == body
