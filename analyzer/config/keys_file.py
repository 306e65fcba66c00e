"""Keys of a whole file: Prometheus, alerts, limits, defaults and canaries."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

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

API_VERSION: Final = "canary-analyzer.io/v1"
LEGACY_API_VERSION: Final = "canary-analyzer/v1"
"""Its name in earlier versions, accepted with a warning."""


class LabelsKeys(SnakeKeys):
    """Which labels of a series hold its pod."""

    namespace: LabelName = Field(default=_LABELS.namespace, description="Label with the pod's namespace.")
    pod: LabelName = Field(default=_LABELS.pod, description="Label with the pod's name.")


class BasicAuthKeys(SnakeKeys):
    """A user name and a password."""

    username: Text = Field(description="User name.")
    password: Text | None = Field(default=None, description="Password; `password_file` is safer.")
    password_file: Text | None = Field(
        default=None,
        description="File with the password, read at each request. Relative paths start at the folder of this file.",
    )


class AuthorizationKeys(SnakeKeys):
    """An Authorization header."""

    type: Text = Field(default=Authorization().type, description="Scheme of the Authorization header.")
    credentials: Text | None = Field(default=None, description="Token; `credentials_file` is safer.")
    credentials_file: Text | None = Field(
        default=None,
        description="File with the token, read at each request. Relative paths start at the folder of this file.",
    )


class PrometheusKeys(SnakeKeys):
    """Connection to Prometheus."""

    url: Annotated[str, UrlText()] = Field(description="Base URL of Prometheus.")
    timeout: PositiveDuration = Field(
        default=_SETTINGS.timeout,
        description="Time-out of a query. A query that times out counts as no data, never as a failure of the canary.",
    )
    delay: Annotated[timedelta | None, DurationText(word="auto")] = Field(
        default="auto",
        validate_default=True,
        description="How late samples arrive. `auto`: the longest scrape duration of the pods, rounded up "
        "to a second, plus 1s. Set it higher for remote storage. Verdicts are later by as much.",
    )
    labels: LabelsKeys = Field(default=LabelsKeys(), description="Which labels of a series hold its pod.")
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="HTTP headers sent with each query.")
    basic_auth: BasicAuthKeys | None = Field(default=None, description="HTTP basic authentication.")
    authorization: AuthorizationKeys | None = Field(default=None, description="Authentication by a token.")


class WebhookKeys(Keys):
    """URL of a webhook."""

    url: Annotated[str, UrlText(secret=True)] | None = Field(
        default=None, description="URL to which alerts are sent (POST, JSON)."
    )
    url_file: Text | None = Field(
        default=None, description="File with the URL. Relative paths start at the folder of this file."
    )


class LogKeys(Keys):
    """No keys."""


class ReceiverKeys(Keys):
    """One receiver: a name and exactly one kind."""

    name: Text = Field(description="Name that routes refer to.")
    webhook: WebhookKeys | None = Field(
        default=None, description="Sends JSON by POST. Requires exactly one of `url` and `urlFile`."
    )
    log: LogKeys | None = Field(default=None, description="`{}`: writes alerts to the log of the daemon.")


class MatchKeys(Keys):
    """Which alerts a route takes; what is left out matches all."""

    event: list[Annotated[AlertEvent, Field(strict=False)]] = Field(
        default=[], min_length=1, description="One of these events."
    )
    target: list[Text] = Field(default=[], min_length=1, description="One of these canaries, by name.")
    severity: list[Annotated[Severity, Field(strict=False)]] = Field(
        default=[], min_length=1, description="One of these severities."
    )


class RouteKeys(Keys):
    """Which alerts go to which receivers."""

    match: MatchKeys = Field(
        default=MatchKeys(), description="All given conditions must match; without any, every alert does."
    )
    receivers: list[Text] = Field(min_length=1, description="Names of receivers.")


class AlertsKeys(Keys):
    """Where alerts go."""

    receivers: list[ReceiverKeys] = Field(
        default=[], description="Where alerts can be sent. Without any, alerts are written to the log of the daemon."
    )
    routes: list[RouteKeys] = Field(
        default=[],
        description="An alert goes to the receivers of every route that matches. Without routes it goes to all.",
    )


class LimitsKeys(Keys):
    """Limits over all releases."""

    max_concurrent: int = Field(
        default=ReleaseLimits().max_concurrent,
        ge=1,
        description="Maximum number of releases in progress. Others wait in PENDING, oldest first.",
    )


class DefaultsKeys(Keys):
    """Defaults for all canaries."""

    namespace: KubernetesLabel = Field(default="default", description="Namespace of both Deployments.")
    mode: Annotated[Mode, Field(strict=False)] = Field(
        default=Mode.ACT,
        description="`act`, or `observe`: judges, alerts and shows, but never changes a Deployment.",
    )
    strategy: Literal["canary"] = Field(default="canary", description="Only `canary` is supported.")
    on_drift: Annotated[OnDrift, Field(strict=False)] = Field(
        default=OnDrift.PAUSE,
        description="What happens when another client scales or edits a Deployment during a release: `pause` and "
        "alert, `reassert` what was set, or `abort`.",
    )
    plan: PlanKeys = Field(default=PlanKeys(), description="Steps, capacity and promotion of a release.")
    analysis: AnalysisKeys = Field(default=AnalysisKeys(), description="Metrics, and the error rates of their tests.")


class IdentityKeys(Keys):
    """Name and Deployments of a canary target."""

    name: KubernetesLabel = Field(description="Name of the target in all messages. Unique.")
    stable: KubernetesName = Field(description="Deployment that serves.")
    canary: KubernetesName = Field(description="Deployment that gets the new version.")
    service: KubernetesLabel | None = Field(
        default=None,
        description="Service in front of both. Checked before each release: it must select both, by a label "
        "that they share.",
    )


class CanaryKeys(DefaultsKeys, IdentityKeys):
    """One canary target."""


def _present_name(given: object) -> object:
    return API_VERSION if given == LEGACY_API_VERSION else given


_ApiVersion = Annotated[
    Literal["canary-analyzer.io/v1"],
    BeforeValidator(_present_name, json_schema_input_type=Literal["canary-analyzer.io/v1", "canary-analyzer/v1"]),
]


class FileKeys(Keys):
    """One configuration file. The files of a folder form one configuration."""

    api_version: _ApiVersion = Field(
        default=API_VERSION,
        description=f"Version of this format; optional. `{LEGACY_API_VERSION}` is its deprecated name.",
    )
    prometheus: PrometheusKeys | None = Field(
        default=None, description="Connection to Prometheus. Required, in one file."
    )
    alerts: AlertsKeys = Field(default=AlertsKeys(), description="Where alerts go. In one file only.")
    limits: LimitsKeys = Field(default=LimitsKeys(), description="Limits over all releases. In one file only.")
    freeze: bool = Field(
        default=False,
        description="`true`: no release starts or moves forward; rollbacks still happen. In one file only.",
    )
    defaults: DefaultsKeys = Field(
        default=DefaultsKeys(),
        description="Defaults for all canaries. Keys of a canary override them one by one; lists are replaced "
        "as a whole. In one file only.",
    )
    canaries: list[CanaryKeys] = Field(default=[], description="Canary targets, in any file.")
