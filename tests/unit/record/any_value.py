"""A hypothesis strategy for arbitrary values of the vocabulary, with every field filled, also those with defaults."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Literal, Union

from hypothesis import strategies as st
from pydantic import AwareDatetime

_TEXTS = st.text(max_size=12)
_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _FINITE | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_SIMPLE: dict[object, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False),
    type(None): st.none(),
    Any: _JSON,
    timedelta: st.timedeltas(timedelta(days=-400), timedelta(days=4000)),
    datetime: st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
}
_SIMPLE[AwareDatetime] = _SIMPLE[datetime]


def any_value(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the vocabulary; raises NotImplementedError for a type that it has never met."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if dataclasses.is_dataclass(typing.get_origin(kind) or kind):
        return _any_dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return _GENERICS[typing.get_origin(kind)](typing.get_args(kind))


def _any_dataclass(kind: Any) -> st.SearchStrategy[Any]:
    plain = typing.get_origin(kind) or kind
    types_by_name = typing.get_type_hints(plain)
    hints = {one.name: types_by_name[one.name] for one in dataclasses.fields(plain)}
    if arguments := typing.get_args(kind):  # a generic one has one parameter, which is the type of each field
        hints = dict.fromkeys(hints, arguments[0])
    return st.fixed_dictionaries({name: st.deferred(_later(hint)) for name, hint in hints.items()}).map(
        lambda fields: plain(**fields)
    )


def _later(hint: Any) -> Callable[[], st.SearchStrategy[Any]]:
    return lambda: any_value(hint)


def _any_tuple(arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if arguments[-1] is Ellipsis:
        return st.lists(any_value(arguments[0]), max_size=2).map(tuple)
    return st.tuples(*(any_value(each) for each in arguments))


def _any_of(arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(*(any_value(each) for each in arguments))


def _any_mapping(arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.dictionaries(any_value(arguments[0]), any_value(arguments[1]), max_size=2)


_GENERICS: dict[Any, Callable[[tuple[Any, ...]], st.SearchStrategy[Any]]] = {
    tuple: _any_tuple,
    types.UnionType: _any_of,
    Union: _any_of,
    Literal: st.sampled_from,
    Mapping: _any_mapping,
}
