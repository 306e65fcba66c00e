"""A canary with the defaults filled in, that still knows where each of its keys stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.config.document import YamlDocument
from analyzer.config.place import FilePosition, KeyPath

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Inherited:
    """One canary of a document over the defaults of (perhaps) another one."""

    document: YamlDocument
    index: int
    defaults: YamlDocument | None

    @property
    def own(self) -> Mapping[str, Any]:
        """The canary's own keys; empty when it is not even a mapping."""
        own = self.document.value["canaries"][self.index]
        return own if isinstance(own, Mapping) else {}

    @property
    def given(self) -> Mapping[str, Any]:
        """The defaults; empty when there are none, or no usable ones."""
        given = self.defaults.value.get("defaults") if self.defaults else None
        return given if isinstance(given, Mapping) else {}

    def merged(self) -> Mapping[str, Any]:
        """The canary's keys over the defaults, key by key; lists and plain values replace."""
        return _merge(self.given, self.own)

    def place(self, path: KeyPath) -> FilePosition:
        """Where a path of the merged value stands; for one that is not there, the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if _find(self.own, path[:length]) is not _ABSENT:
                break
            if self.defaults and _find(self.given, path[:length]) is not _ABSENT:
                return self.defaults.place(("defaults", *path))
        return self.document.place(("canaries", self.index, *path))


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        result[key] = _merge(under, value) if both else value  # type: ignore[arg-type]
    return result


def _find(value: Any, path: KeyPath) -> Any:
    for part in path:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case list(), int() if part < len(value):
                value = value[part]
            case _:
                return _ABSENT
    return value
