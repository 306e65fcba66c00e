"""Turns pydantic's errors into Problems that say what was expected, what was found, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from analyzer.config.keys import UnknownKey
from analyzer.config.keys_analysis import METRIC_KINDS, METRIC_TAGS, MIXED_KINDS, PRESETS
from analyzer.config.not_built import not_built
from analyzer.config.place import KeyPath, Locate
from analyzer.config.scalars import GRAMMARS, show_found
from analyzer.model.errors import Problem

_SECRETS = frozenset({"password", "credentials", "url", "webhook", "authorization", "basic_auth", "headers"})
"""Keys whose value is a secret, or takes the place of a mapping with one in it."""

_EXPECTED = {
    "string_type": "a string",
    "string_too_short": "a non-empty string",
    "string_too_long": "a shorter string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number without unit or quotes",
    "finite_number": "a finite number",
    "list_type": "a list",
    "model_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
}
_HINTS = {"list_type": "; write [ ] around it, or a '-' before each item"}


def explain(error: ValidationError, locate: Locate, prefix: KeyPath = ()) -> Iterator[Problem]:
    """Each mistake in a pydantic error, at its place; `prefix` is the path of what was validated."""
    for details in error.errors(include_url=False):
        path = prefix + _yaml_path(details["loc"])
        if details["type"] == MIXED_KINDS:
            yield from _metric_kind(details["input"], path, locate)
        else:
            yield locate(path).problem(_message(details, path))


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A hint when `word` is close to something that exists, else an empty text."""
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), names, n=1, cutoff=0.7)
    return f"; did you mean {names[close[0]]}?" if close else ""


def _yaml_path(location: tuple[str | int, ...]) -> KeyPath:
    """Without what pydantic adds: a metric's kind behind its index, and a mark behind the key of a header."""
    if location[-1:] == ("[key]",) and "headers" in location[-3:-2]:
        location = location[:-1]
    before = (None, *location)
    return tuple(
        part
        for previous, part in zip(before, location, strict=False)
        if not (isinstance(previous, int) and part in METRIC_TAGS)
    )


def _metric_kind(metric: Any, path: KeyPath, locate: Locate) -> Iterator[Problem]:
    """A metric with none or several of the keys that say its kind."""
    if not isinstance(metric, Mapping):
        yield locate(path).problem(f"expected a mapping of keys, found {show_found(metric)}")
        return
    refused = {key: reason for key in metric if (reason := not_built((*path, key)))}
    for key, reason in refused.items():
        yield locate((*path, key)).problem(reason)
    kinds = [kind for kind in METRIC_KINDS if kind in metric]
    if kinds == ["preset"]:
        yield locate((*path, "preset")).problem(_one_of(metric["preset"], ", ".join(PRESETS)))
    elif kinds or not refused:
        found = " and ".join(kinds) or "none"
        hints = {did_you_mean(key, METRIC_KINDS) for key in metric} if not kinds else set()
        yield locate(path).problem(
            f"expected exactly one of {', '.join(METRIC_KINDS)}, found {found}{max(hints, default='')}"
        )


def _message(details: ErrorDetails, path: KeyPath) -> str:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "too_short":
        return "expected at least one item, found an empty list"
    if kind in _EXPECTED:
        hint = _quotes(given, path) if kind == "string_type" else _HINTS.get(kind, "")
        found = _kind(given) if _stray_text(kind, given) else _found(given, path)
        return f"expected {_EXPECTED[kind]}, found {found}{hint}"
    match kind:
        case "extra_forbidden":
            return _unknown_key(given, path, details["loc"][-1])
        case "missing":
            return "is missing; it has no default"
        case "value_error":
            return not_built(path, given) or str(context["error"])
        case "enum" | "literal_error":
            return not_built(path, given) or _one_of(given, str(context["expected"]))
        case "string_pattern_mismatch":
            return f"expected {GRAMMARS[context['pattern']]}, found {_found(given, path)}"
        case _:
            return f"{_bound(context) or details['msg']}, found {_found(given, path)}"


def _found(given: object, path: KeyPath) -> str:
    """What was given; of a secret only what it is."""
    return _kind(given) if _secret(path) else show_found(given)


def _stray_text(kind: str, given: object) -> bool:
    """A text in the place of keys may be an address with a secret in it, wherever it stands."""
    return kind in ("model_type", "dict_type", "list_type") and isinstance(given, str)


def _kind(given: object) -> str:
    kinds = {str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return next((word for kind, word in kinds.items() if type(given) is kind), "something else")


def _secret(path: KeyPath) -> bool:
    return bool(path) and (path[-1] in _SECRETS or "headers" in path[:-1])


def _unknown_key(given: Any, path: KeyPath, key: object) -> str:
    refused = not_built(path)
    if refused is not None or not isinstance(given, UnknownKey):
        return refused or "unknown key"
    hint = did_you_mean(key, given.allowed)
    known = f"expected one of {', '.join(given.allowed)}" if given.allowed else "expected no keys here"
    return f"unknown key{hint or '; ' + known}"


def _one_of(given: object, expected: str) -> str:
    words = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
    return f"expected {' | '.join(words)}, found {show_found(given)}{did_you_mean(given, words)}"


def _quotes(given: object, path: KeyPath) -> str:
    if not isinstance(given, bool | int | float):
        return ""
    return "; put it in quotes" if _secret(path) else f'; put it in quotes: "{show_found(given)}"'


def _bound(context: Mapping[str, Any]) -> str | None:
    words = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}
    return next((f"expected a number {word} {context[key]:g}" for key, word in words.items() if key in context), None)
