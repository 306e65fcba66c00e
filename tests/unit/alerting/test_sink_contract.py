"""What every AlertSink promises: the same tests on the fake and on the webhook against a real HTTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import pytest

from analyzer.alerting.webhook import WebhookSink
from analyzer.model.errors import AlertError
from analyzer.ports import AlertSink
from tests.fakes.sinks import MemorySink
from tests.unit.alerting.http_receiver import http_receiver
from tests.unit.alerting.sample_alerts import an_alert


class Subject(Protocol):
    @property
    def sink(self) -> AlertSink: ...
    def break_down(self, *, retryable: bool) -> None: ...
    def repair(self) -> None: ...
    def received(self) -> list[str]: ...


@contextmanager
def in_memory() -> Iterator[Subject]:
    class Memory:
        sink = MemorySink("oncall")

        def break_down(self, *, retryable: bool) -> None:
            self.sink.break_down(retryable=retryable)

        def repair(self) -> None:
            self.sink.repair()

        def received(self) -> list[str]:
            return self.sink.ids

    yield Memory()


@contextmanager
def webhook() -> Iterator[Subject]:
    with http_receiver() as receiver:

        class Webhook:
            sink = WebhookSink("oncall", f"http://{receiver.address}/hook", timeout=5)
            refused = 0

            def break_down(self, *, retryable: bool) -> None:
                receiver.status = 503 if retryable else 400

            def repair(self) -> None:
                self.refused = len(receiver.ids)
                receiver.status = 204

            def received(self) -> list[str]:
                return receiver.ids[self.refused :]

        yield Webhook()


@pytest.fixture(params=[in_memory, webhook])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    kind: Callable[[], AbstractContextManager[Subject]] = request.param
    with kind() as found:
        yield found


def test_has_the_name_of_the_configuration(subject: Subject) -> None:
    assert subject.sink.name == "oncall"


def test_delivers_alerts_in_order(subject: Subject) -> None:
    for ident in ("a", "b", "c"):
        subject.sink.deliver(an_alert(ident))

    assert subject.received() == ["a", "b", "c"]


@pytest.mark.parametrize("retryable", [True, False])
def test_says_whether_trying_again_can_help(subject: Subject, *, retryable: bool) -> None:
    subject.break_down(retryable=retryable)

    with pytest.raises(AlertError) as raised:
        subject.sink.deliver(an_alert())

    assert raised.value.retryable is retryable
    assert "oncall" in str(raised.value)


def test_delivers_again_after_a_failure(subject: Subject) -> None:
    subject.break_down(retryable=True)
    with pytest.raises(AlertError):
        subject.sink.deliver(an_alert("a"))
    subject.repair()

    subject.sink.deliver(an_alert("a"))

    assert subject.received() == ["a"]
