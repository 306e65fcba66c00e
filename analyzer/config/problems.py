"""Mistakes of form in words: what was expected, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from analyzer.config.fields import GRAMMARS, SECRET, show_found
from analyzer.config.keys import Keys, Mistake, closest, models

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


def form_mistakes(keys: Keys) -> Iterator[Mistake]:
    """Every mistake of form in these keys and in all below them."""
    for path, model in models(keys):
        fields, names = type(model).model_fields, model.names()
        for key in model.model_extra or ():
            planned = model.planned.get(key)
            yield ((*path, key), f"not supported yet: {planned}" if planned else unknown_key(key, names.values()))
        for (name, *index), fault in model.faults.items():
            here = (*path, names[str(name)], *index)
            if fault.message:
                yield (here, fault.message)
            if fault.error:
                found = explained(fault.error, secret=SECRET in fields[str(name)].metadata, list_hint=model.list_hint)
                yield from (((*here, *inner), message) for inner, message in found)


def explained(error: ValidationError, *, secret: bool = False, list_hint: str = "") -> Iterator[Mistake]:
    """Each mistake in an error of pydantic, in words. What was given is not repeated where it is `secret`."""
    for details in error.errors(include_url=False):
        inner = details["loc"]
        hint = list_hint if details["type"] == "list_type" else ""
        where = inner[:-1] if inner[-1:] == ("[key]",) else inner  # pydantic's mark of a wrong header
        yield (where, f"{_message(details, secret=secret)}{hint}")


def unknown_key(key: str, known: Collection[str]) -> str:
    """The message for a key that is none of these."""
    expected = f"expected one of {', '.join(known)}" if known else "expected no keys here"
    return f"unknown key{did_you_mean(key, known) or f'; {expected}'}"


def refusal(key: str, message: str) -> ValidationError:
    """A mistake at a key of what is being validated."""
    error = InitErrorDetails(
        type=PydanticCustomError("value_error", "{error}", {"error": message}), loc=(key,), input=None
    )
    return ValidationError.from_exception_data(key, [error])


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A hint when `word` is close to something that exists, else an empty text."""
    close = closest(word, known)
    return f"; did you mean {close}?" if close else ""


def one_of(given: object, words: Iterable[str]) -> str:
    """The message for a word that is none of these."""
    words = tuple(words)
    return f"expected {' | '.join(words)}, found {show_found(given)}{did_you_mean(given, words)}"


def _message(details: ErrorDetails, *, secret: bool) -> str:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "too_short":
        return "expected at least one item, found an empty list"
    found = _kind(given) if secret or _stray_text(kind, given) else show_found(given)
    if kind in _EXPECTED:
        hint = _quotes(given, secret=secret) if kind == "string_type" else ""
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


def _quotes(given: object, *, secret: bool) -> str:
    if not isinstance(given, bool | int | float):
        return ""
    return "; put it in quotes" if secret else f'; put it in quotes: "{show_found(given)}"'


def _bound(context: Mapping[str, Any]) -> str | None:
    words = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}
    return next((f"expected a number {word} {context[key]:g}" for key, word in words.items() if key in context), None)
