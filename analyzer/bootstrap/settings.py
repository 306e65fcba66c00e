"""A configuration becomes what the engine follows: a metric source, and receivers with their routes.

Called at the start and again for each changed configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from requests.auth import AuthBase

from analyzer import alerting
from analyzer.config import Configuration, Log, PrometheusSettings, Receiver, Webhook
from analyzer.engine.daemon import Settings
from analyzer.engine.outbox import Flush
from analyzer.model.errors import ConfigError, Problem
from analyzer.model.state import OutboxEntry
from analyzer.observation import PasswordLogin, PrometheusConnection, PrometheusMetricSource, TokenLogin
from analyzer.ports import AlertSink, Preflight, Sightings

WEBHOOK_TIMEOUT = 10.0
"""Seconds for one delivery."""

PreflightMaker = Callable[[Sightings], Preflight]
"""Makes the checks before a release, which ask the Prometheus of the same configuration."""


def settings_of(configuration: Configuration, preflight: PreflightMaker | None = None) -> Settings:
    """The part of a configuration that the engine follows. Raises ConfigError when a secret's file cannot be read."""
    metrics = _metric_source(configuration.prometheus)
    return Settings(
        targets=configuration.targets,
        metrics=metrics,
        flush=_flush(configuration),
        max_concurrent=configuration.limits.max_concurrent,
        freeze=configuration.freeze,
        preflight=preflight(metrics) if preflight else None,
    )


def _metric_source(prometheus: PrometheusSettings) -> PrometheusMetricSource:
    connection = PrometheusConnection(
        prometheus.url,
        timeout=prometheus.timeout.total_seconds(),
        headers=prometheus.headers,
        auth=_login(prometheus),
    )
    delay = None if prometheus.delay is None else prometheus.delay.total_seconds()
    return PrometheusMetricSource(connection, prometheus.labels, delay)


def _login(prometheus: PrometheusSettings) -> AuthBase | None:
    if basic := prometheus.basic_auth:
        return PasswordLogin(basic.username, _secret(basic.password, basic.password_file))
    if header := prometheus.authorization:
        return TokenLogin(header.type, _secret(header.credentials, header.credentials_file))
    return None


def _secret(value: str | None, file: Path | None) -> Callable[[], str]:
    """Read anew each time, so that a rotated secret counts at once."""
    return file.read_text if file is not None else lambda: value or ""


def _flush(configuration: Configuration) -> Flush:
    sinks = [_sink(receiver) for receiver in configuration.receivers]
    routes = [
        alerting.Route(
            receivers=route.receivers,
            events=frozenset(route.events),
            targets=frozenset(route.targets),
            severities=frozenset(route.severities),
        )
        for route in configuration.routes
    ]
    router = alerting.Router(routes, sinks)

    def flush(entries: tuple[OutboxEntry, ...], now: datetime) -> tuple[OutboxEntry, ...]:
        return alerting.flush(entries, router, now)

    return flush


def _sink(receiver: Receiver) -> AlertSink:
    match receiver.channel:
        case Webhook() as webhook:
            return alerting.WebhookSink(receiver.name, _url(receiver.name, webhook), WEBHOOK_TIMEOUT)
        case Log():
            return alerting.LogSink(receiver.name)
        case _:
            assert_never(receiver.channel)


def _url(name: str, webhook: Webhook) -> str:
    if webhook.url_file is None:
        return webhook.url or ""
    wanted = f"expected the URL of receiver {name} in this file"
    try:
        url = webhook.url_file.read_text().strip()
    except (OSError, ValueError) as error:
        raise ConfigError((Problem(str(webhook.url_file), None, "", f"{wanted}, cannot read it: {error}"),)) from error
    if not _is_url(url):  # it may be a secret: never shown
        raise ConfigError((Problem(str(webhook.url_file), None, "", f"{wanted}, beginning with http:// or https://"),))
    return url


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and len(text.split()) == 1
    except ValueError:
        return False
