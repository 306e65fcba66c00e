"""A configuration becomes what the engine follows: a metric source, and receivers with their routes.

Called at the start and again for each changed configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from requests.auth import AuthBase

from analyzer import alerting
from analyzer.config import Configuration, PrometheusSettings
from analyzer.engine.daemon import Settings
from analyzer.engine.outbox import Flush
from analyzer.model.state import OutboxEntry
from analyzer.observation import PasswordLogin, PrometheusConnection, PrometheusMetricSource, TokenLogin
from analyzer.ports import Preflight, Sightings

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
    channels = [(receiver.name, receiver.channel) for receiver in configuration.receivers]
    sinks = [alerting.sink(channel.kind, name, **channel.options(name)) for name, channel in channels]
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
