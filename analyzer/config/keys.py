"""The base of all key models: strict types, camelCase names, unknown keys that know their neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """Stands in place of an unknown key's value, so that the error about it knows its neighbours."""

    allowed: tuple[str, ...]


class Keys(BaseModel):
    """A mapping in the YAML. A field that is None was not given; null itself never gets here."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel, allow_inf_nan=False)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The keys that it takes, as written in YAML."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="before")
    @classmethod
    def _mark_unknown(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        names = cls.names()
        return {key: value if key in names else UnknownKey(names) for key, value in given.items()}


class SnakeKeys(Keys):
    """A mapping whose keys are Prometheus' own names, which have underscores."""

    model_config = ConfigDict(alias_generator=None)
