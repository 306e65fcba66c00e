"""The base of all key models: camelCase names, strict types, and keys with mistakes that hide no other mistake.

A model is made of the keys that are right, whatever the others are. A key that is wrong has a Fault instead of a value:
reading it raises Unknown, which ends the check that needed it. So what several keys mean together is checked wherever
those keys are right, in the same pass. `problems` turns faults into words.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from analyzer.model.metric import SeriesLabels

KeyPath = tuple[str | int, ...]
"""Keys of mappings and indices of lists."""

Mistake = tuple[KeyPath, str]
"""Where something is wrong, seen from what was checked, and a message."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Around:
    """What a check may have to know of other keys. None: not known."""

    labels: SeriesLabels | None = None
    """Those that hold a series' pod."""

    targets: Collection[str] | None = None
    """The names of all canaries."""

    receivers: Collection[str] | None = None
    """The names of all receivers."""


def show_path(path: KeyPath) -> str:
    """The path as people write it: canaries[0].plan.steps[1].hold."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Unknown(Exception):  # noqa: N818 (no error: the mistake is reported already)
    """A value was read that is not known, because what was given is wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Instead of a value: what pydantic found wrong, or what else is to be said; nothing where it is said elsewhere."""

    error: ValidationError | None = None
    message: str | None = None

    def __getattr__(self, name: str) -> Any:
        raise Unknown(name)


_MISSING = Fault(message="is missing; it has no default")
_MISSPELT = Fault()


def _kept(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(given, Fault):
        return given
    try:
        return validate(given)
    except ValidationError as error:
        return Fault(error)


Each = list[Annotated[_T, WrapValidator(_kept)]]
"""A list in which an item that is wrong leaves the others known."""


def known(items: Iterable[_T]) -> Iterator[tuple[int, _T]]:
    """The items of such a list that are right, with their index."""
    return ((index, item) for index, item in enumerate(items) if not isinstance(item, Fault))


class Keys(BaseModel):
    """A mapping. A field that is None was not given, which is what null means too (YAML is read without any)."""

    model_config = ConfigDict(
        extra="allow",  # unknown keys are collected, and reported with the other mistakes
        json_schema_extra={"additionalProperties": False},
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        allow_inf_nan=False,
    )
    planned: ClassVar[Mapping[str, str]] = {}
    """Keys that are not supported yet, with what to do instead. Who builds one deletes its line."""

    list_hint: ClassVar[str] = "; write [ ] around it, or a '-' before each item"
    """What to do where a list is expected."""

    whole: ClassVar[bool] = True
    """Whether its keys can be checked together: otherwise others are still filled in."""

    _faults: dict[KeyPath, Fault] | None = PrivateAttr(default=None)

    @classmethod
    @cache
    def names(cls) -> Mapping[str, str]:
        """The keys that it takes, as they are written, by the name of their field."""
        return {name: field.alias or name for name, field in cls.model_fields.items()}

    @classmethod
    @cache
    def _required(cls) -> Mapping[str, Fault]:
        return {cls.names()[name]: _MISSING for name, field in cls.model_fields.items() if field.is_required()}

    @property
    def faults(self) -> Mapping[KeyPath, Fault]:
        """Fields without a value, and items of lists, by the name of the field and the index."""
        private = self.__pydantic_private__ or {}
        return private["_faults"] or {}

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        keys = cls.names().values()
        meant = (closest(key, keys) for key in given if key not in keys)
        stated = {key: value for key, value in given.items() if value is not None or key not in keys}
        return {**cls._required(), **{key: _MISSPELT for key in meant if key}, **stated}

    _keep = field_validator("*", mode="wrap")(_kept)

    def model_post_init(self, context: Any, /) -> None:
        """Leaves values only in the fields."""
        del context
        faults: dict[KeyPath, Fault] = {}
        for name, value in vars(self).items():
            if isinstance(value, Fault):
                faults[name,] = value
            elif isinstance(value, list):
                faults |= {(name, index): item for index, item in enumerate(value) if isinstance(item, Fault)}
        if faults:
            self._faults = faults
        for path in faults:
            if len(path) == 1:
                del self.__dict__[str(path[0])]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).names():
                raise Unknown(name)
            return super().__getattr__(name)


class SnakeKeys(Keys):
    """A mapping whose keys are Prometheus' own names, which have underscores."""

    model_config = ConfigDict(alias_generator=None)


def check(mistakes: Callable[..., Iterator[Mistake]]) -> Callable[[Any, Around], Iterator[Mistake]]:
    """Marks a method of a model that yields what cannot work, though each key by itself is fine.

    Paths begin at the model. It may take an Around, and ends without a word where it reads a value that is not known.
    """
    takes_around = len(inspect.signature(mistakes).parameters) > 1

    def checked(keys: Keys, around: Around) -> Iterator[Mistake]:
        return quietly(lambda: mistakes(keys, around) if takes_around else mistakes(keys))

    checked.is_check = True  # type: ignore[attr-defined]
    return checked


def quietly(mistakes: Callable[[], Iterable[Mistake]]) -> Iterator[Mistake]:
    """These mistakes, until a value is read that is not known."""
    try:
        yield from mistakes()
    except Unknown:
        return


def models(keys: Keys, path: KeyPath = (), *, whole: bool = False) -> Iterator[tuple[KeyPath, Keys]]:
    """These keys and all that are given below them, with their paths; or of them only those that are `whole`."""
    if whole and not keys.whole:
        return
    yield path, keys
    names, given = keys.names(), keys.model_fields_set
    for name, value in vars(keys).items():
        here = (*path, names[name])
        if name not in given:
            continue
        if isinstance(value, Keys):
            yield from models(value, here, whole=whole)
        elif isinstance(value, list):
            for index, item in known(value):
                if isinstance(item, Keys):
                    yield from models(item, (*here, index), whole=whole)


def meaning_mistakes(keys: Keys, around: Around) -> Iterator[Mistake]:
    """What cannot work in these keys and in all below them."""
    for path, model in models(keys, whole=True):
        for one in _checks(type(model)):
            yield from (((*path, *inner), message) for inner, message in one(model, around))


@cache
def _checks(model: type[Keys]) -> tuple[Any, ...]:
    return tuple(one for base in model.__mro__ for one in vars(base).values() if hasattr(one, "is_check"))


def closest(word: object, known: Iterable[str]) -> str | None:
    """What was probably meant by this word."""
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), names, n=1, cutoff=0.7)
    return names[close[0]] if close else None


def exactly_one(keys: Keys, *names: str) -> Iterator[Mistake]:
    """A mistake unless one of these is given. Where none is, an unknown key may be meant, which is reported anyway."""
    given = [key for name, key in keys.names().items() if name in names and getattr(keys, name) is not None]
    if len(given) > 1 or not (given or keys.model_extra):
        wanted = ", ".join(keys.names()[name] for name in names)
        yield ((), f"expected exactly one of {wanted}, found {' and '.join(given) or 'none'}")
