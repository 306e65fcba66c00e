"""Documents as plain JSON values: what is written to a store, sent with an alert, or printed for programs."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

_CAPITAL = re.compile("[A-Z]")


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


def camel(name: str) -> str:
    """The key of a field: `step_weight` is `stepWeight` in JSON."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def snake_keys(value: Any) -> Any:
    """Plain JSON with the names of fields in place of keys."""
    if isinstance(value, dict):
        return {_CAPITAL.sub(r"_\g<0>", key).lower(): snake_keys(one) for key, one in value.items()}
    return [snake_keys(one) for one in value] if isinstance(value, list) else value


@cache
def _keys(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a dataclass, each with its key."""
    return tuple((one.name, camel(one.name)) for one in fields(kind))
