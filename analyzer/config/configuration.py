"""What a configuration says, as frozen values. Made by `load`, read by the composition root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from analyzer.model.alert import AlertEvent, Severity
from analyzer.model.errors import Problem
from analyzer.model.metric import SeriesLabels
from analyzer.model.target import Target


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user name with exactly one of a password and a file that holds it (read again for each request)."""

    username: str
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """An Authorization header: its type, and exactly one of the credentials and a file that holds them."""

    type: str = "Bearer"
    credentials: str | None = field(default=None, repr=False)
    credentials_file: Path | None = None


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """How Prometheus is reached and where it keeps a pod's name. `delay` None: measured from the scrapes."""

    url: str
    timeout: timedelta = timedelta(seconds=10)
    delay: timedelta | None = None
    labels: SeriesLabels = field(default_factory=SeriesLabels)
    headers: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Alerts as JSON by POST; exactly one of the URL and a file that holds it."""

    url: str | None = field(default=None, repr=False)
    url_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """Alerts as lines in the daemon's own log."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is told, by a name that routes use."""

    name: str
    channel: Webhook | Log


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Alerts that match go to these receivers. An empty tuple matches everything."""

    receivers: tuple[str, ...]
    events: tuple[AlertEvent, ...] = ()
    targets: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseLimits:
    """`max_concurrent` releases may be in progress at once; others wait in PENDING, oldest first."""

    max_concurrent: int = 20


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole, valid configuration. Without `routes` every receiver gets every alert.

    `warnings`: what is accepted in it and should be written in another way.
    """

    prometheus: PrometheusSettings
    targets: tuple[Target, ...] = ()
    receivers: tuple[Receiver, ...] = (Receiver("log", Log()),)
    routes: tuple[RouteSettings, ...] = ()
    limits: ReleaseLimits = ReleaseLimits()
    freeze: bool = False
    warnings: tuple[Problem, ...] = ()
