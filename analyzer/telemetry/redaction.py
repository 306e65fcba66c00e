"""Takes secrets out of everything that is logged, also out of what other libraries log. Pure.

It is the last thing that happens to an event before it is rendered, so tracebacks go through it as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "***"

_SECRET_KEY = re.compile(r"pass(word|wd|phrase)|token|authorization|secret|credential|cookie|api_?-?key", re.IGNORECASE)

_IN_TEXT = (
    (re.compile(r"([a-z][a-z0-9+.-]*://)[^\s/?#]*@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(r"\b((?:[\w-]*_)?(?:password|passwd|token|secret|api[_-]?key))=[^\s&'\",;)]+", re.IGNORECASE),
        rf"\1={MASK}",
    ),
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that masks values with telling keys, and user information and tokens in any text."""
    return {key: _masked(key, value) for key, value in event.items()}


def redact_text(text: str) -> str:
    """The text without user information in URLs, tokens and passwords."""
    for pattern, masked in _IN_TEXT:
        text = pattern.sub(masked, text)
    return text


def _masked(key: object, value: Any) -> Any:
    if value is not None and _SECRET_KEY.search(str(key)):
        return MASK
    return _plain(value)


def _plain(value: Any) -> Any:
    """Texts masked; what is neither a number nor a collection becomes text first, or it would slip through."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _masked(key, each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return redact_text(str(value))
