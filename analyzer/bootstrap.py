"""The composition root: a configuration becomes a ready daemon. The command line calls it; nothing else does.

Every adapter is chosen and put together here, and only here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from requests.auth import AuthBase

from analyzer import alerting
from analyzer.config import Configuration, Log, PrometheusSettings, Receiver, Webhook
from analyzer.engine.assembly import Parts, assemble
from analyzer.engine.clock import SystemClock
from analyzer.engine.daemon import Daemon, Settings
from analyzer.engine.lease import SoleHolder
from analyzer.engine.outbox import Flush
from analyzer.model.errors import ConfigError, Problem
from analyzer.model.state import OutboxEntry
from analyzer.observation import PasswordLogin, PrometheusConnection, PrometheusMetricSource, TokenLogin
from analyzer.ports import AlertSink, ReleaseStore, Reporter, Workloads
from analyzer.record import history_entry, status_of

THREADS = 16
"""Ticks and queries that may run at once."""

COURIERS = 4
"""Targets whose alerts may be on their way at once."""

WEBHOOK_TIMEOUT = 10.0
"""Seconds for one delivery."""

_SLACK = timedelta(seconds=5)
"""A query that times out is seen to do so before the sweep stops waiting for it."""


def daemon(
    configuration: Configuration,
    workloads: Workloads,
    store: ReleaseStore,
    *,
    reporters: Sequence[Reporter] = (),
    watch: Callable[[], Configuration | None] | None = None,
    status_every: timedelta = timedelta(seconds=15),
) -> Daemon:
    """A daemon that is ready to `start`, the only one that writes to `store` and `workloads`.

    `watch` gives a changed configuration, None without a change, or raises ConfigError. A status is written at once
    when the phase changes and else at most every `status_every`. Raises ConfigError when a secret's file can't be
    read.
    """
    parts = Parts(
        store=store,
        workloads=workloads,
        clock=SystemClock(),
        lease=SoleHolder(),
        executor=ThreadPoolExecutor(THREADS, thread_name_prefix="engine"),
        couriers=ThreadPoolExecutor(COURIERS, thread_name_prefix="courier"),
        status_of=status_of,
        history_entry=history_entry,
        reporters=reporters,
        patience=configuration.prometheus.timeout + _SLACK,
        status_every=status_every,
    )
    return assemble(settings_of(configuration), parts, _settings_watch(watch))


def settings_of(configuration: Configuration) -> Settings:
    """The part of a configuration that the engine follows. Raises ConfigError when a secret's file can't be read."""
    return Settings(
        targets=configuration.targets,
        metrics=_metric_source(configuration.prometheus),
        flush=_flush(configuration),
        max_concurrent=configuration.limits.max_concurrent,
        freeze=configuration.freeze,
    )


def _settings_watch(watch: Callable[[], Configuration | None] | None) -> Callable[[], Settings | None] | None:
    if watch is None:
        return None

    def changed() -> Settings | None:
        configuration = watch()
        return None if configuration is None else settings_of(configuration)

    return changed


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
        raise ConfigError(
            (Problem(str(webhook.url_file), None, "", f"{wanted}, which can't be read: {error}"),)
        ) from error
    if not _is_url(url):  # it may be a secret: never shown
        raise ConfigError((Problem(str(webhook.url_file), None, "", f"{wanted}, beginning with http:// or https://"),))
    return url


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and len(text.split()) == 1
    except ValueError:
        return False
