"""Keys under `prometheus`, log-ins that contradict each other, and how Prometheus is then reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from analyzer.config.fields import (
    SECRET,
    DurationText,
    HeaderName,
    HeaderValue,
    LabelName,
    PositiveDuration,
    Text,
    UrlText,
    in_folder,
)
from analyzer.config.keys import Mistake, SnakeKeys, check, exactly_one
from analyzer.model.metric import SeriesLabels


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


_SETTINGS = PrometheusSettings(url="")
_LABELS = SeriesLabels()


class LabelsKeys(SnakeKeys):
    """Which labels of a series hold its pod."""

    namespace: LabelName = Field(default=_LABELS.namespace, description="Label with the pod's namespace.")
    pod: LabelName = Field(default=_LABELS.pod, description="Label with the pod's name.")

    def series_labels(self) -> SeriesLabels:
        """The labels."""
        return SeriesLabels(namespace=self.namespace, pod=self.pod)


class BasicAuthKeys(SnakeKeys):
    """A user name and a password."""

    username: Text = Field(description="User name.")
    password: Annotated[Text | None, SECRET] = Field(default=None, description="Password; `password_file` is safer.")
    password_file: Text | None = Field(
        default=None,
        description="File with the password, read at each request. Relative paths start at the folder of this file.",
    )

    def login(self, folder: Path) -> BasicAuth:
        """The log-in, once there are no mistakes."""
        return BasicAuth(self.username, self.password, in_folder(folder, self.password_file))

    @check
    def _one_password(self) -> Iterator[Mistake]:
        return exactly_one(self, "password", "password_file")


class AuthorizationKeys(SnakeKeys):
    """An Authorization header."""

    type: Text = Field(default=Authorization().type, description="Scheme of the Authorization header.")
    credentials: Annotated[Text | None, SECRET] = Field(default=None, description="Token; `credentials_file` is safer.")
    credentials_file: Text | None = Field(
        default=None,
        description="File with the token, read at each request. Relative paths start at the folder of this file.",
    )

    def login(self, folder: Path) -> Authorization:
        """The log-in, once there are no mistakes."""
        return Authorization(self.type, self.credentials, in_folder(folder, self.credentials_file))

    @check
    def _one_token(self) -> Iterator[Mistake]:
        return exactly_one(self, "credentials", "credentials_file")

    @check
    def _password(self) -> Iterator[Mistake]:
        if self.type.lower() == "basic":
            yield (("type",), "for a user name and password use `basic_auth`")


def _no_login(header: str) -> str:
    if header.lower() == "authorization":
        raise ValueError("use `basic_auth` or `authorization`, which can read the secret from a file")
    return header


class PrometheusKeys(SnakeKeys):
    """Connection to Prometheus."""

    planned: ClassVar = {
        "oauth2": "use `authorization` or `basic_auth`",
        "tls_config": "use a URL whose certificate the system trusts",
        "proxy_url": "set HTTPS_PROXY in the daemon's environment",
    }
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
    headers: Annotated[dict[Annotated[HeaderName, AfterValidator(_no_login)], HeaderValue], SECRET] = Field(
        default={}, description="HTTP headers sent with each query."
    )
    basic_auth: Annotated[BasicAuthKeys | None, SECRET] = Field(default=None, description="HTTP basic authentication.")
    authorization: Annotated[AuthorizationKeys | None, SECRET] = Field(
        default=None, description="Authentication by a token."
    )

    def settings(self, folder: Path) -> PrometheusSettings:
        """How Prometheus is reached, once there are no mistakes; `folder` holds the files of secrets."""
        return PrometheusSettings(
            url=self.url,
            timeout=self.timeout,
            delay=self.delay,
            labels=self.labels.series_labels(),
            headers=dict(self.headers),
            basic_auth=self.basic_auth.login(folder) if self.basic_auth else None,
            authorization=self.authorization.login(folder) if self.authorization else None,
        )

    @check
    def _two_log_ins(self) -> Iterator[Mistake]:
        if self.basic_auth and self.authorization:
            yield (("authorization",), "given together with `basic_auth`; remove one of them")
