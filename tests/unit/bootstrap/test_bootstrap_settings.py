"""The composition root makes a daemon from any valid configuration, or says what can't be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import alerting, bootstrap
from analyzer.config import (
    Authorization,
    BasicAuth,
    Configuration,
    Log,
    PrometheusSettings,
    Receiver,
    RouteSettings,
    Webhook,
)
from analyzer.config.alerts import Channel, ReceiverKeys
from analyzer.model.alert import AlertEvent
from analyzer.model.errors import ConfigError
from analyzer.model.state import OutboxEntry
from tests.scenarios.stage import DEMO_TARGET, Stage
from tests.unit.alerting.http_receiver import http_receiver
from tests.unit.alerting.sample_alerts import NOW, an_alert

FULL = Configuration(
    prometheus=PrometheusSettings("http://127.0.0.1:9", basic_auth=BasicAuth("ann", password="x")),  # noqa: S106 - of nobody
    targets=(DEMO_TARGET,),
    receivers=(Receiver("log", Log()), Receiver("hook", Webhook(url="http://127.0.0.1:9/"))),
    routes=(RouteSettings(("hook",), events=(AlertEvent.ABORTED,)),),
)


def test_daemon_of_a_full_configuration_starts_and_stops() -> None:
    stage = Stage()
    daemon = bootstrap.daemon(FULL, bootstrap.World(stage.cluster, stage.store))
    daemon.start()
    daemon.stop()


def test_settings_follow_the_configuration() -> None:
    token = Authorization(credentials_file=Path("/nowhere/token"))  # read when Prometheus is asked, not before
    frozen = replace(FULL, freeze=True, prometheus=PrometheusSettings("http://127.0.0.1:9", authorization=token))
    settings = bootstrap.settings_of(frozen)
    assert settings.freeze
    assert settings.targets == (DEMO_TARGET,)
    assert settings.max_concurrent == 20


def test_every_kind_of_receiver_that_a_file_may_have_is_made() -> None:
    channels: dict[str, Channel] = {"log": Log(), "webhook": Webhook(url="http://127.0.0.1:9/")}
    assert set(channels) == set(ReceiverKeys.kinds())
    for kind, channel in channels.items():
        assert channel.kind == kind
        assert alerting.sink(kind, "oncall", **channel.options("oncall")).name == "oncall"


def test_webhook_url_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    with http_receiver() as receiver:
        file.write_text(f"http://{receiver.address}/from-the-file\n")
        settings = bootstrap.settings_of(replace(FULL, receivers=(Receiver("hook", Webhook(url_file=file)),)))
        left = settings.flush((OutboxEntry(an_alert()),), NOW)
    assert left == ()
    assert [path for path, _, _ in receiver.requests] == ["/from-the-file"]


def test_webhook_url_that_can_not_be_read_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "missing"
    with pytest.raises(ConfigError, match="expected the URL of receiver hook"):
        bootstrap.settings_of(replace(FULL, receivers=(Receiver("hook", Webhook(url_file=file)),)))


@pytest.mark.parametrize("content", ["", "T0KEN", "http://[T0KEN", "http://hooks:T0KEN/x", "http://hooks/x T0KEN"])
def test_webhook_file_without_a_url_is_a_mistake_that_does_not_show_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "url"
    file.write_text(content)
    with pytest.raises(ConfigError, match="beginning with http") as refused:
        bootstrap.settings_of(replace(FULL, receivers=(Receiver("hook", Webhook(url_file=file)),)))
    assert "T0KEN" not in str(refused.value)
    assert refused.value.__cause__ is None
