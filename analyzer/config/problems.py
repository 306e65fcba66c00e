"""Mistakes of form in words: what was expected, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from analyzer.config.fields import GRAMMARS, SECRET, show_found
from analyzer.config.keys import Fault, KeyPath, Keys, Mistake, closest, models

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


def form_mistakes(keys: Keys) -> Iterator[Mistake]:
    """Every mistake of form in these keys and in all below them."""
    for path, model in models(keys):
        names = model.names()
        for key in model.model_extra or ():
            yield ((*path, key), _unknown_key(type(model), key))
        for (name, *index), fault in model.faults.items():
            secret = SECRET in type(model).model_fields[str(name)].metadata
            yield from _explained(fault, (*path, names[str(name)], *index), secret=secret)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A hint when `word` is close to something that exists, else an empty text."""
    close = closest(word, known)
    return f"; did you mean {close}?" if close else ""


def one_of(given: object, words: Iterable[str]) -> str:
    """The message for a word that is none of these."""
    words = tuple(words)
    return f"expected {' | '.join(words)}, found {show_found(given)}{did_you_mean(given, words)}"


def _explained(fault: Fault, path: KeyPath, *, secret: bool) -> Iterator[Mistake]:
    if fault.message:
        yield (path, fault.message)
    for details in fault.error.errors(include_url=False) if fault.error else ():
        inner = details["loc"]
        here = (*path, *(inner[:-1] if inner[-1:] == ("[key]",) else inner))  # pydantic's mark of a wrong header
        yield (here, _message(details, secret=secret))


def _message(details: ErrorDetails, *, secret: bool) -> str:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "too_short":
        return "expected at least one item, found an empty list"
    found = _kind(given) if secret or _stray_text(kind, given) else show_found(given)
    if kind in _EXPECTED:
        hint = _quotes(given, secret=secret) if kind == "string_type" else _HINTS.get(kind, "")
        return f"expected {_EXPECTED[kind]}, found {found}{hint}"
    match kind:
        case "value_error":
            return str(context["error"])
        case "enum" | "literal_error":
            return one_of(given, (word.strip(" '") for word in context["expected"].replace(" or ", ", ").split(",")))
        case "string_pattern_mismatch":
            return f"expected {GRAMMARS[context['pattern']]}, found {found}"
        case _:
            return f"{_bound(context) or details['msg']}, found {found}"


def _stray_text(kind: str, given: object) -> bool:
    """A text in the place of keys may be an address with a secret in it, wherever it stands."""
    return kind in ("model_type", "dict_type", "list_type") and isinstance(given, str)


def _kind(given: object) -> str:
    kinds = {str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return kinds.get(type(given), "something else")


def _unknown_key(model: type[Keys], key: str) -> str:
    if key in model.planned:
        return f"not supported yet: {model.planned[key]}"
    allowed = model.names().values()
    known = f"; expected one of {', '.join(allowed)}" if allowed else "; expected no keys here"
    return f"unknown key{did_you_mean(key, allowed) or known}"


def _quotes(given: object, *, secret: bool) -> str:
    if not isinstance(given, bool | int | float):
        return ""
    return "; put it in quotes" if secret else f'; put it in quotes: "{show_found(given)}"'


def _bound(context: Mapping[str, Any]) -> str | None:
    words = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}
    return next((f"expected a number {word} {context[key]:g}" for key, word in words.items() if key in context), None)
