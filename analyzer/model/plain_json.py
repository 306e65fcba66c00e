"""Documents as plain JSON values: what is written to a store, sent with an alert, or printed for programs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar


def camel(name: str) -> str:
    """The key of a field: `step_weight` is `stepWeight` in JSON."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


class JsonDocument:
    """Base of dataclasses that pydantic reads from the JSON which `plain_json` makes of them."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"alias_generator": camel}


def plain_json(value: Any) -> Any:
    """A dataclass as an object with camelCase keys, a tuple as a list, an enum as its value, UTC times with a Z."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [plain_json(one) for one in value]
    if is_dataclass(value):
        return {key: plain_json(getattr(value, name)) for name, key in _keys(value.__class__)}
    return value


@cache
def _keys(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a dataclass, each with its key."""
    return tuple((one.name, camel(one.name)) for one in fields(kind))
