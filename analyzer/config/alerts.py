"""Keys under `alerts`: one model per kind of receiver, with what it becomes; routes, and names that do not fit.

A new kind of receiver is a channel and its keys here, and the module of that name in `alerting`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from analyzer.config.fields import SECRET, Text, UrlText, Word, in_folder
from analyzer.config.keys import Around, Each, Keys, Mistake, check, exactly_one, known
from analyzer.config.problems import did_you_mean
from analyzer.model.alert import AlertEvent, Severity
from analyzer.model.errors import ConfigError, Problem

_URL = UrlText(secret=True)
_URL_IN_FILE = UrlText(secret=True, login=True)


class Channel(ABC):
    """What a receiver is made of. `kind` names its module in `alerting`."""

    kind: ClassVar[str]

    def files(self) -> tuple[Path, ...]:
        """Files of secrets that are read once, when the receiver is made."""
        return ()

    @abstractmethod
    def options(self, receiver: str) -> Mapping[str, Any]:
        """What its sink takes besides the name. Raises ConfigError when a file of secrets is not usable."""


@dataclass(frozen=True, slots=True)
class Webhook(Channel):
    """Alerts as JSON by POST; exactly one of the URL and a file that holds it."""

    kind: ClassVar = "webhook"
    url: str | None = field(default=None, repr=False)
    url_file: Path | None = None

    def files(self) -> tuple[Path, ...]:
        """The file that holds the URL."""
        return () if self.url_file is None else (self.url_file,)

    def options(self, receiver: str) -> Mapping[str, Any]:
        """The URL."""
        return {"url": self.url if self.url_file is None else _url_in(self.url_file, receiver)}


@dataclass(frozen=True, slots=True)
class Log(Channel):
    """Alerts as lines in the daemon's own log."""

    kind: ClassVar = "log"

    def options(self, receiver: str) -> Mapping[str, Any]:
        """Nothing."""
        del receiver
        return {}


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where alerts go, by a name that routes use."""

    name: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Alerts that match go to these receivers. An empty tuple matches everything."""

    receivers: tuple[str, ...]
    events: tuple[AlertEvent, ...] = ()
    targets: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()


class WebhookKeys(Keys):
    """URL of a webhook."""

    url: Annotated[str, _URL] | None = Field(default=None, description="URL to which alerts are sent (POST, JSON).")
    url_file: Text | None = Field(
        default=None, description="File with the URL. Relative paths start at the folder of this file."
    )

    def channel(self, folder: Path) -> Webhook:
        """The webhook, once there are no mistakes; `folder` holds the files of secrets."""
        return Webhook(self.url, in_folder(folder, self.url_file))

    @check
    def _one_url(self) -> Iterator[Mistake]:
        return exactly_one(self, "url", "url_file")


class LogKeys(Keys):
    """No keys."""

    def channel(self, folder: Path) -> Log:
        """The log."""
        del folder
        return Log()


class ReceiverKeys(Keys):
    """One receiver: a name and exactly one kind."""

    planned: ClassVar = dict.fromkeys(
        ("slack", "alertmanager", "pagerduty", "teams", "email", "apprise"), "use `webhook` or `log`"
    )
    name: Text = Field(description="Name that routes refer to.")
    webhook: Annotated[WebhookKeys | None, SECRET] = Field(
        default=None, description="Sends JSON by POST. Requires exactly one of `url` and `urlFile`."
    )
    log: LogKeys | None = Field(default=None, description="`{}`: writes alerts to the log of the daemon.")

    @classmethod
    def kinds(cls) -> list[str]:
        """Every key but the name is a kind."""
        return [name for name in cls.model_fields if name != "name"]

    def receiver(self, folder: Path) -> Receiver:
        """The receiver, once there are no mistakes; `folder` holds the files of secrets."""
        (keys,) = filter(None, (getattr(self, kind) for kind in self.kinds()))
        return Receiver(self.name, keys.channel(folder))

    @check
    def _one_kind(self) -> Iterator[Mistake]:
        return exactly_one(self, *self.kinds())


class MatchKeys(Keys):
    """Which alerts a route takes; what is left out matches all."""

    event: list[Word[AlertEvent]] = Field(default=[], min_length=1, description="One of these events.")
    target: Each[Text] = Field(default=[], min_length=1, description="One of these canaries, by name.")
    severity: list[Word[Severity]] = Field(default=[], min_length=1, description="One of these severities.")

    @check
    def _unknown_targets(self, around: Around) -> Iterator[Mistake]:
        return _unknown("canary", "target", self.target, around.targets)


class RouteKeys(Keys):
    """Which alerts go to which receivers."""

    match: MatchKeys = Field(
        default=MatchKeys(), description="All given conditions must match; without any, every alert does."
    )
    receivers: Each[Text] = Field(min_length=1, description="Names of receivers.")

    def route(self) -> RouteSettings:
        """The route, once there are no mistakes."""
        match = self.match
        return RouteSettings(tuple(self.receivers), tuple(match.event), tuple(match.target), tuple(match.severity))

    @check
    def _unknown_receivers(self, around: Around) -> Iterator[Mistake]:
        return _unknown("receiver", "receivers", self.receivers, around.receivers)


class AlertsKeys(Keys):
    """Where alerts go."""

    planned: ClassVar = {"resolveAfter": "remove it"}
    receivers: Each[ReceiverKeys] = Field(
        default=[], description="Where alerts can be sent. Without any, alerts are written to the log of the daemon."
    )
    routes: Each[RouteKeys] = Field(
        default=[],
        description="An alert goes to the receivers of every route that matches. Without routes it goes to all.",
    )

    @check
    def _named_twice(self) -> Iterator[Mistake]:
        names: dict[str | None, int] = {}
        for index, receiver in known(self.receivers):
            name = vars(receiver).get("name")
            if names.setdefault(name, index) != index and name is not None:
                yield (("receivers", index, "name"), f"duplicate receiver name {name!r}; rename one")


def _unknown(kind: str, key: str, given: Iterable[str], names: Collection[str] | None) -> Iterator[Mistake]:
    for index, name in known(given):
        if names is not None and name not in names:
            yield ((key, index), f"unknown {kind} {name!r}{did_you_mean(name, names)}")


def _url_in(file: Path, receiver: str) -> str:
    """The URL in a file. It may be a secret: never shown. Raises ConfigError."""
    wanted = f"expected the URL of receiver {receiver} in this file"
    try:
        text = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise ConfigError((Problem(str(file), None, "", f"{wanted}, cannot read it: {error}"),)) from error
    try:
        return _URL_IN_FILE.parse(text)
    except ValueError:
        raise ConfigError((Problem(str(file), None, "", f"{wanted}, beginning with http:// or https://"),)) from None
