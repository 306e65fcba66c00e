"""A JSON object that is kept small until somebody looks into it. `transform` packs pod templates and statuses in it.

Thousands of targets at rest have two templates and several pods each that nobody reads again: as objects of Python they
take some ten times the memory of their text.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

_QUICK = 1
"""zlib's level: the smaller text of the higher ones costs more time than it is worth."""


class CompressedJson(Mapping[str, Any]):
    """A mapping like the one that it was made from; each look gives new objects, all the way down."""

    __slots__ = ("_text",)

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._text = zlib.compress(json.dumps(dict(content), separators=(",", ":")).encode(), _QUICK)

    @property
    def unpacked(self) -> dict[str, Any]:
        """All of it at once, for whoever reads more than one part."""
        return self._content()

    def __getitem__(self, key: str) -> Any:
        return self._content()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content())

    def __len__(self) -> int:
        return len(self._content())

    def __eq__(self, other: object) -> bool:
        """As mappings are; what was packed from the same text is not looked into."""
        if isinstance(other, CompressedJson):
            return self._text == other._text or self._content() == other._content()
        return bool(self._content() == other)

    __hash__ = None  # type: ignore[assignment]  # as of every mapping that is compared by content

    def __repr__(self) -> str:
        return f"CompressedJson({self._content()!r})"

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(zlib.decompress(self._text))
        return content


def decompressed(found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What is read as a whole, packed or not; nothing where there is none."""
    return found.unpacked if isinstance(found, CompressedJson) else found or {}
