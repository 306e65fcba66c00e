"""JSON values as what they are meant to be, or an error that says what was expected, what was found, and where.

The place is put together on the way up, so that a good case pays nothing for it. Called by the other parsers here.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from analyzer.model.errors import AnalyzerError

T = TypeVar("T")

MOST = 2.0**53
"""Above this, counters no longer count one by one."""

_SHOWN = 40


class CaseError(AnalyzerError):
    """A case that can't be judged; `path` leads to the spot."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        self.message = message
        self.path = path
        super().__init__(message)

    def within(self, *outer: str | int) -> CaseError:
        """The same mistake, seen from further outside."""
        return CaseError(self.message, (*outer, *self.path))

    def __str__(self) -> str:
        place = ""
        for part in self.path:
            place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
        return f"{place}: {self.message}" if place else self.message


@contextmanager
def within(*outer: str | int) -> Iterator[None]:
    """Adds this to the place of every mistake inside. For what happens once a case; blocks catch by hand."""
    try:
        yield
    except CaseError as error:
        raise error.within(*outer) from None


def show(value: object) -> str:
    """A value as a message repeats it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value) if not isinstance(value, float) or math.isfinite(value) else "a number out of bounds"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def refuse(wanted: str, found: object) -> CaseError:
    """The usual message."""
    return CaseError(f"expected {wanted}, found {show(found)}")


def fields(value: object, known: Iterable[str], wanted: str = "an object") -> dict[str, Any]:
    """An object that has no other keys than these; a key with null is as if it were left out."""
    if type(value) is not dict:
        raise refuse(wanted, value)
    names = known if isinstance(known, frozenset) else frozenset(known)
    if not value.keys() <= names:
        unknown = next(key for key in value if key not in names)
        close = difflib.get_close_matches(unknown, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(names))}"
        raise CaseError(f"unknown key {show(unknown)}; {hint}")
    return value


def items(value: object, wanted: str) -> list[Any]:
    """A list."""
    if type(value) is not list:
        raise refuse(wanted, value)
    return value


def each(value: object, wanted: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Every item of a list, read."""
    done: list[T] = []
    for place, item in enumerate(items(value, wanted)):
        try:
            done.append(read(item))
        except CaseError as error:
            raise error.within(place) from None
    return tuple(done)


def number(value: object, wanted: str, low: float = -math.inf, high: float = MOST) -> float:
    """A finite number between two bounds, both included."""
    if (type(value) is float or type(value) is int) and low <= value <= high and value != -math.inf:
        return float(value)
    raise refuse(wanted, value)


def optional(given: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> T | None:
    """What is given under a key, read; None when nothing is."""
    value = given.get(key)
    if value is None:
        return None
    with within(key):
        return read(value)


def text(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise refuse("some text", value)
    return value


def word(kind: Callable[[Any], T], words: Iterable[str]) -> Callable[[Any], T]:
    """A reader of one of these words, given as what `kind` makes of it."""
    known = tuple(words)

    def read(value: object) -> T:
        if value not in known:
            raise refuse(" | ".join(known), value)
        return kind(value)

    return read
