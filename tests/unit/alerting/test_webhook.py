"""What a webhook sends, how it reads answers, and that its URL stays secret."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterator
from datetime import timedelta

import pytest

from analyzer.alerting.webhook import WebhookSink
from analyzer.model.errors import AlertError
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK
from tests.unit.alerting.http_receiver import HttpReceiver, http_receiver
from tests.unit.alerting.sample_alerts import NOW, an_alert


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


def a_sink(receiver: HttpReceiver, timeout: float = 5) -> WebhookSink:
    return WebhookSink("oncall", f"http://{receiver.address}/hook", timeout)


def test_sends_a_cloud_event(receiver: HttpReceiver) -> None:
    a_sink(receiver).deliver(an_alert(namespace="shop front", at=NOW + timedelta(milliseconds=250)))

    [(path, headers, body)] = receiver.requests
    assert path == "/hook"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=UTF-8"
    assert body == {
        "specversion": "1.0",
        "id": "default/r-1/aborted",
        "source": "/canary-analyzer/shop%20front/my-app",
        "type": "canary-analyzer.aborted",
        "time": "2026-03-01T12:00:00.250000Z",
        "datacontenttype": "application/json",
        "data": {
            "target": "my-app",
            "namespace": "shop front",
            "release": "r-1",
            "event": "aborted",
            "severity": "critical",
            "summary": "my-app aborted: errors 12.1 % against 4.0 %",
            "key": "default/r-1",
            "details": {"culprit": "errors", "ratio": 3.0},
        },
    }


def test_a_repetition_carries_the_same_key(receiver: HttpReceiver) -> None:
    sink = a_sink(receiver)
    sink.deliver(an_alert("default/r-1/gestört\n"))
    sink.deliver(an_alert("default/r-1/gestört\n"))

    keys = [(headers["Idempotency-Key"], headers["webhook-id"]) for _, headers, _ in receiver.requests]
    assert keys == [("default/r-1/gest%C3%B6rt%0A",) * 2] * 2


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_takes_every_2xx_for_delivered(receiver: HttpReceiver, status: int) -> None:
    receiver.status = status

    a_sink(receiver).deliver(an_alert())


@pytest.mark.parametrize("status", [401, 403, 404, 408, 425, 429, 500, 502, 503, 504])
def test_tries_again_when_the_receiver_may_recover(receiver: HttpReceiver, status: int) -> None:
    receiver.status = status

    with pytest.raises(
        AlertError, match=f"answered HTTP {status} to alert default/r-1/aborted, expected 2xx"
    ) as raised:
        a_sink(receiver).deliver(an_alert())

    assert raised.value.retryable


@pytest.mark.parametrize(("status", "advice"), [(400, "check its URL"), (410, "check its URL"), (422, "check its URL")])
def test_gives_up_when_the_receiver_refuses(receiver: HttpReceiver, status: int, advice: str) -> None:
    receiver.status = status

    with pytest.raises(AlertError, match=advice) as raised:
        a_sink(receiver).deliver(an_alert())

    assert not raised.value.retryable


def test_does_not_follow_a_redirect_which_would_lose_the_alert(receiver: HttpReceiver) -> None:
    receiver.status, receiver.location = 302, f"http://{receiver.address}/elsewhere"

    with pytest.raises(AlertError, match="redirects are not followed") as raised:
        a_sink(receiver).deliver(an_alert())

    assert not raised.value.retryable
    assert len(receiver.requests) == 1


def test_tries_again_when_no_answer_comes_in_time(receiver: HttpReceiver) -> None:
    receiver.silent = True

    with pytest.raises(AlertError, match="connected, but no complete response within 50 ms") as raised:
        a_sink(receiver, timeout=0.05).deliver(an_alert())

    assert raised.value.retryable


def test_a_refused_connection_is_not_reported_as_a_time_out_and_tried_again() -> None:
    with socket.create_server(ANY_PORT) as free:
        port = free.getsockname()[1]

    with pytest.raises(AlertError) as raised:
        WebhookSink("oncall", f"http://{LOOPBACK}:{port}/", 10).deliver(an_alert())

    assert str(raised.value) == (
        f"alert default/r-1/aborted not delivered to receiver oncall (http://{LOOPBACK}:{port}): "
        "connection refused; check that it runs and listens on this port"
    )
    assert raised.value.retryable


def test_tls_with_a_receiver_that_has_none_says_so(receiver: HttpReceiver) -> None:
    with pytest.raises(AlertError, match=r"TLS handshake failed: .*or use http://") as raised:
        WebhookSink("oncall", f"https://{receiver.address}/hook", 5).deliver(an_alert())

    assert raised.value.retryable


def test_does_not_try_again_with_a_url_that_is_none() -> None:
    with pytest.raises(AlertError, match="its URL is not valid") as raised:
        WebhookSink("oncall", "hooks.example.com/x", 1).deliver(an_alert())

    assert not raised.value.retryable


def test_reaches_this_machine_without_a_proxy(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    a_sink(receiver).deliver(an_alert())

    assert receiver.ids == ["default/r-1/aborted"]


def test_signs_in_with_the_user_of_the_url(receiver: HttpReceiver) -> None:
    WebhookSink("oncall", f"http://ada:hunter2@{receiver.address}/hook", 5).deliver(an_alert())

    assert receiver.requests[0][1]["Authorization"] == "Basic YWRhOmh1bnRlcjI="


def test_never_shows_more_of_its_url_than_the_host(receiver: HttpReceiver) -> None:
    address = receiver.address
    receiver.status = 500
    refused = WebhookSink("oncall", f"http://ada:hunter2@{address}/services/T0K3N?key=s3cret", 5)
    unreachable = WebhookSink("oncall", "http://ada:hunter2@127.0.0.1:1/services/T0K3N?key=s3cret", 1)

    for sink in (refused, unreachable):
        with pytest.raises(AlertError) as raised:
            sink.deliver(an_alert())
        shown = repr(sink) + "".join(traceback.format_exception(raised.value))
        assert "http://127.0.0.1:" in shown
        assert not [secret for secret in ("hunter2", "T0K3N", "s3cret", "ada") if secret in shown]
