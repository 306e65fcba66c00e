"""Keys of a whole file: Prometheus, alerts, limits, defaults and canaries."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from analyzer.config.configuration import Authorization, PrometheusSettings, ReleaseLimits
from analyzer.config.keys import Keys, SnakeKeys
from analyzer.config.keys_analysis import AnalysisKeys
from analyzer.config.keys_plan import PlanKeys
from analyzer.config.scalars import (
    DurationText,
    HeaderName,
    HeaderValue,
    KubernetesLabel,
    KubernetesName,
    LabelName,
    PositiveDuration,
    Text,
    UrlText,
)
from analyzer.model.alert import AlertEvent, Severity
from analyzer.model.metric import SeriesLabels
from analyzer.model.plan import Mode, OnDrift

_SETTINGS = PrometheusSettings(url="")
_LABELS = SeriesLabels()


class LabelsKeys(SnakeKeys):
    """Where the pod's name stands on the series."""

    namespace: LabelName = Field(default=_LABELS.namespace, description="The label that holds the pod's namespace.")
    pod: LabelName = Field(default=_LABELS.pod, description="The label that holds the pod's name.")


class BasicAuthKeys(SnakeKeys):
    """A user name and a password."""

    username: Text = Field(description="User name.")
    password: Text | None = Field(default=None, description="Password. Better in a file.")
    password_file: Text | None = Field(
        default=None, description="File with the password, read at each request; relative to this file."
    )


class AuthorizationKeys(SnakeKeys):
    """An Authorization header."""

    type: Text = Field(default=Authorization().type, description="The scheme.")
    credentials: Text | None = Field(default=None, description="The token. Better in a file.")
    credentials_file: Text | None = Field(
        default=None, description="File with the token, read at each request; relative to this file."
    )


class PrometheusKeys(SnakeKeys):
    """How Prometheus is reached."""

    url: Annotated[str, UrlText()] = Field(description="Where Prometheus answers.")
    timeout: PositiveDuration = Field(
        default=_SETTINGS.timeout,
        description="How long one query may take. A late answer is no data, never a verdict.",
    )
    delay: Annotated[timedelta | None, DurationText(word="auto")] = Field(
        default="auto",
        validate_default=True,
        description="How late samples arrive. `auto`: the longest scrape of the pods, rounded up to a "
        "second, plus 1s. Longer for remote storage. Each verdict comes this much later.",
    )
    labels: LabelsKeys = Field(default=LabelsKeys(), description="Where the pod's name stands on the series.")
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="HTTP headers sent with every query.")
    basic_auth: BasicAuthKeys | None = Field(default=None, description="Log in with a user name and a password.")
    authorization: AuthorizationKeys | None = Field(default=None, description="Log in with a token.")


class WebhookKeys(Keys):
    """Where alerts are posted."""

    url: Annotated[str, UrlText(secret=True)] | None = Field(
        default=None, description="Receives the alert as JSON by POST."
    )
    url_file: Text | None = Field(default=None, description="File that holds the URL; relative to this file.")


class LogKeys(Keys):
    """Nothing to set."""


class ReceiverKeys(Keys):
    """Somebody who is told: a name and exactly one kind."""

    name: Text = Field(description="What routes call it.")
    webhook: WebhookKeys | None = Field(default=None, description="Posts JSON. Exactly one of `url` and `urlFile`.")
    log: LogKeys | None = Field(default=None, description="`{}`: writes a line to the daemon's own log.")


class MatchKeys(Keys):
    """What a route takes; what is left out matches everything."""

    event: list[Annotated[AlertEvent, Field(strict=False)]] = Field(
        default=[], min_length=1, description="Any of these events."
    )
    target: list[Text] = Field(default=[], min_length=1, description="Any of these canaries, by name.")
    severity: list[Annotated[Severity, Field(strict=False)]] = Field(
        default=[], min_length=1, description="Any of these severities."
    )


class RouteKeys(Keys):
    """Which alerts go to which receivers."""

    match: MatchKeys = Field(default=MatchKeys(), description="All of these must fit; empty matches every alert.")
    receivers: list[Text] = Field(min_length=1, description="Names of receivers.")


class AlertsKeys(Keys):
    """Who is told what."""

    receivers: list[ReceiverKeys] = Field(
        default=[], description="Who can be told. Without any, alerts are written to the daemon's log."
    )
    routes: list[RouteKeys] = Field(
        default=[],
        description="An alert goes to the receivers of every route that matches. Without routes: to all.",
    )


class LimitsKeys(Keys):
    """Bounds on what is done at once."""

    max_concurrent: int = Field(
        default=ReleaseLimits().max_concurrent,
        ge=1,
        description="Releases in progress at once; others wait in PENDING, oldest first.",
    )


class DefaultsKeys(Keys):
    """What may be given once for all canaries."""

    namespace: KubernetesLabel = Field(default="default", description="Namespace of both Deployments.")
    mode: Annotated[Mode, Field(strict=False)] = Field(
        default=Mode.ACT,
        description="`act`, or `observe`: judges, alerts and shows, and never writes a workload.",
    )
    strategy: Literal["canary"] = Field(default="canary", description="Only `canary` is built.")
    on_drift: Annotated[OnDrift, Field(strict=False)] = Field(
        default=OnDrift.PAUSE,
        description="When someone else scales or edits a Deployment in a release: `pause` and alert, "
        "`reassert` what was set, or `abort`.",
    )
    plan: PlanKeys = Field(default=PlanKeys(), description="How a release goes.")
    analysis: AnalysisKeys = Field(default=AnalysisKeys(), description="What is looked at, and how sure to be.")


class IdentityKeys(Keys):
    """What tells one canary target from the others."""

    name: KubernetesLabel = Field(description="What it is called, in every message. Unique.")
    stable: KubernetesName = Field(description="The Deployment that serves.")
    canary: KubernetesName = Field(description="The Deployment that gets the new version.")
    service: KubernetesLabel | None = Field(
        default=None,
        description="The Service in front of both. Checked before each release: it must select both by a label "
        "that they share.",
    )


class CanaryKeys(DefaultsKeys, IdentityKeys):
    """One canary target."""


class FileKeys(Keys):
    """One file. In a folder the files make one configuration."""

    api_version: Literal["canary-analyzer/v1"] = Field(
        default="canary-analyzer/v1", description="The version of this format; may be left out."
    )
    prometheus: PrometheusKeys | None = Field(
        default=None, description="How Prometheus is reached. Required, in one file."
    )
    alerts: AlertsKeys = Field(default=AlertsKeys(), description="Who is told what. In one file only.")
    limits: LimitsKeys = Field(default=LimitsKeys(), description="Bounds on what is done at once. In one file only.")
    freeze: bool = Field(
        default=False,
        description="`true`: nothing starts and nothing moves forward; rollbacks still happen. In one file only.",
    )
    defaults: DefaultsKeys = Field(
        default=DefaultsKeys(),
        description="What all canaries have in common; a canary's own keys win, key by key, and lists "
        "replace. In one file only.",
    )
    canaries: list[CanaryKeys] = Field(default=[], description="The canary targets, in any file.")
