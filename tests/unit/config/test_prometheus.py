"""How Prometheus is reached: what is said, and that no secret of it is repeated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from analyzer.config import Authorization, BasicAuth
from analyzer.model.metric import SeriesLabels
from tests.unit.config.sources import CANARY, load_text, mistakes


def test_prometheus_can_be_told_where_and_how(tmp_path: Path) -> None:
    text = """\
prometheus:
  url: https://prometheus.example/mimir
  delay: 45s
  timeout: 2s500ms
  labels: {pod: kubernetes_pod_name}
  authorization: {credentials_file: /etc/token}
"""
    settings = load_text(tmp_path, text + CANARY).prometheus
    assert settings.delay == timedelta(seconds=45)
    assert settings.timeout == timedelta(milliseconds=2500)
    assert settings.labels == SeriesLabels("namespace", "kubernetes_pod_name")
    assert settings.authorization == Authorization("Bearer", None, Path("/etc/token"))


def test_a_secret_in_plain_text_is_not_in_the_representation(tmp_path: Path) -> None:
    text = """\
prometheus: {url: http://prometheus:9090, headers: {X-Key: hunter2}, basic_auth: {username: me, password: hunter2}}
alerts: {receivers: [{name: hook, webhook: {url: http://example.org/hunter2}}]}
"""
    configuration = load_text(tmp_path, text + CANARY)
    assert configuration.prometheus.basic_auth == BasicAuth("me", "hunter2")
    assert "hunter2" not in repr(configuration)


def test_a_header_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    text = 'prometheus: {url: http://prometheus:9090, headers: {"X Key": "1"}}\n'
    assert mistakes(tmp_path, text + CANARY) == [
        "0.yaml:1: prometheus.headers.X Key: expected the name of an HTTP header, found a string"
    ]
