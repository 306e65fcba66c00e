"""Texts with a unit or a grammar, as annotations for the key models: they parse, and describe themselves."""

# ruff: noqa: TRY004 (pydantic turns a ValueError into a mistake at its place, and lets a TypeError through)

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from analyzer.model.duration import DURATION_PATTERN, parse_duration, show_duration
from analyzer.model.plan import Amount

JsonSchema = dict[str, Any]

SECRET = object()
"""Annotates a key whose value, or a scalar in its place, is never repeated in a message."""

_AMOUNT = r"^[0-9]{1,6}%$"


def show_found(value: object) -> str:
    """A value as a message repeats it: short, on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")  # noqa: PLR2004 (a line's worth)
        case dict():
            return "a mapping of keys"
        case list():
            return "a list"
        case _:
            return str(value)[:60]


def in_folder(folder: Path, name: str | None) -> Path | None:
    """Where a file is that was named, if one was."""
    return None if name is None else folder / name


@dataclass(frozen=True)
class _Text:
    """Parses by `parse`, which raises ValueError with a whole message."""

    def parse(self, value: object) -> Any:
        raise NotImplementedError

    def schema(self) -> JsonSchema:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchema:
        return self.schema()


@dataclass(frozen=True)
class DurationText(_Text):
    """A duration of at least `minimum`, as Prometheus writes it; gives a timedelta."""

    minimum: timedelta = timedelta(0)
    word: str | None = None

    def parse(self, value: object) -> timedelta | None:
        """Raises ValueError. `word` (where there is one) stands for "measured" and gives None."""
        if self.word is not None and value == self.word:
            return None
        wanted = f"a duration such as 15s or 1h30m{f', or {self.word}' if self.word else ''}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise ValueError(f"expected {wanted}, found {value} without a unit; write {value}s")
        try:
            length = parse_duration(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValueError(f"expected {wanted}, found {show_found(value)}") from error
        if length < self.minimum:
            raise ValueError(f"expected at least {_exact(self.minimum)}, found {value}")
        return length

    def schema(self) -> JsonSchema:
        """A pattern; JSON Schema cannot say the minimum."""
        pattern = DURATION_PATTERN if self.word is None else f"^{self.word}$|{DURATION_PATTERN}"
        return {"type": "string", "pattern": pattern}


def _exact(length: timedelta) -> str:
    return show_duration(length) if length >= timedelta(seconds=1) else f"{length.microseconds // 1000}ms"


@dataclass(frozen=True)
class AmountText(_Text):
    """A number of pods or a percentage, as Kubernetes' IntOrString; gives an Amount."""

    most_percent: int | None = None

    def parse(self, value: object) -> Amount:
        """Raises ValueError."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return Amount(value)
        if not isinstance(value, str) or not re.fullmatch(_AMOUNT, value, re.ASCII):
            raise ValueError(f"expected a number of pods or a percentage such as 25%, found {show_found(value)}")
        percent = int(value[:-1])
        if self.most_percent is not None and percent > self.most_percent:
            raise ValueError(f"expected at most {self.most_percent}%, found {value}")
        return Amount(percent, percent=True)

    def schema(self) -> JsonSchema:
        """Either form."""
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _AMOUNT}]}


@dataclass(frozen=True)
class ObjectiveText(_Text):
    """A boundary of a histogram: a duration, in seconds then, or a number in whatever unit the histogram has."""

    def parse(self, value: object) -> float:
        """Raises ValueError."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 0 < value < math.inf:
                raise ValueError(f"expected a boundary above 0, found {value}")
            return float(value)
        try:
            length = parse_duration(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValueError(
                f"expected a duration such as 250ms, or a number as in `le`, found {show_found(value)}"
            ) from error
        if not length:
            raise ValueError(f"expected a boundary above 0, found {value}")
        return length.total_seconds()

    def schema(self) -> JsonSchema:
        """Either form."""
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}]}


@dataclass(frozen=True)
class UrlText(_Text):
    """An http(s) URL, without a user name unless `login`. A `secret` one is never repeated in a message."""

    secret: bool = False
    login: bool = False

    def parse(self, value: object) -> str:
        """Raises ValueError."""
        if not isinstance(value, str):
            raise ValueError("expected a URL such as http://prometheus:9090")
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable, parts = False, urlsplit("")
        if not self.login and (parts.username is not None or parts.password is not None):
            raise ValueError("expected a URL without user name and password; for Prometheus use `basic_auth`")
        if not usable or re.search(r"\s", value):
            found = "" if self.secret or "@" in value else f", found {show_found(value)}"
            raise ValueError(f"expected a URL that begins with http:// or https://{found}")
        return value

    def schema(self) -> JsonSchema:
        """A URL."""
        return {"type": "string", "format": "uri", "pattern": "^https?://"}


_T = TypeVar("_T")
Word = Annotated[_T, Field(strict=False)]
"""One word of an enum."""

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

Duration = Annotated[timedelta, DurationText()]
PositiveDuration = Annotated[timedelta, DurationText(minimum=timedelta(milliseconds=1))]
KubernetesLabel = Annotated[str, Field(pattern=rf"^{_LABEL}$")]
KubernetesName = Annotated[str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})*$", max_length=253)]
Text = Annotated[str, Field(min_length=1)]
ObjectiveNumber = Annotated[float | None, ObjectiveText()]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
SeriesName = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
MetricName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$")]
HeaderName = Annotated[str, Field(pattern=r"^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\x20-\x7e\t]*$")]

GRAMMARS: dict[str, str] = {
    rf"^{_LABEL}$": "a name of lower-case letters, digits and '-', at most 63 long, as Kubernetes requires",
    rf"^{_LABEL}(\.{_LABEL})*$": "a name of lower-case letters, digits, '-' and '.', as Kubernetes requires",
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": "the name of a label (letters, digits and '_')",
    r"^[a-zA-Z_:][a-zA-Z0-9_:]*$": "the name of a series alone, without labels (for those use `ratio`)",
    r"^[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$": "a name of letters, digits, '-', '_' and '.'",
    r"^[-!#$%&'*+.^_`|~0-9A-Za-z]+$": "the name of an HTTP header",
    r"^[\x20-\x7e\t]*$": "an HTTP header's value on one line of ASCII",
}
"""What each pattern above means, in words for a message."""
