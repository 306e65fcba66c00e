"""One YAML file as plain values, with the file, line and path of every key. Called by `load` for each file.

Scalars follow YAML 1.2: only true and false are booleans (`on`, `off`, `yes` and `no` are text), `1:30` and
`2024-01-01` are text, and 010 is ten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from analyzer.config.keys import KeyPath, show_path
from analyzer.model.errors import Problem

try:  # ten times faster, and part of every published wheel
    from yaml import CSafeLoader as BaseLoader
except ImportError:  # a PyYAML that was built without libyaml
    from yaml import SafeLoader as BaseLoader  # type: ignore[assignment]

_MOST_VALUES = 1_000_000
_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_DEEPEST = 50
_SCALARS: Mapping[str, Callable[[str], object]] = {
    _TAG + "str": str,
    _TAG + "int": int,
    _TAG + "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    _TAG + "bool": lambda text: text.lower() == "true",
}
_UNDEFINED = object()


class _Loader(BaseLoader):
    """Composes nodes; what a plain scalar means is decided by the patterns below alone."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML's own way to configure a class)


_Loader.add_implicit_resolver(_TAG + "bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_TAG + "int", re.compile(r"^[-+]?[0-9]{1,18}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _TAG + "float",
    re.compile(r"^[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.inf)$|^\.nan$"),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver(_TAG + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_MERGE, re.compile(r"^<<$"), ["<"])


@dataclass(frozen=True, slots=True)
class FilePosition:
    """One spot in the configuration; `line` counts from 1."""

    file: str
    line: int | None = None
    path: KeyPath = ()

    def problem(self, message: str) -> Problem:
        """A mistake at this place."""
        return Problem(self.file, self.line, show_path(self.path), message)

    def seen_from(self, other: FilePosition) -> str:
        """How a message at another place names this one."""
        return f"on line {self.line}" if self.file == other.file else f"in {self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """The mapping that a file holds, and where each of its keys stands."""

    file: str
    value: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(repr=False)

    def place(self, path: KeyPath) -> FilePosition:
        """Where this path stands; for one that is not there, the nearest thing around it."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return FilePosition(self.file, self.lines.get(known), path)


def read_document(path: Path) -> tuple[YamlDocument | None, list[Problem]]:
    """Read one file. Never raises: what cannot be read or understood is a Problem, and is left out.

    The document is None when nothing of the file could be used.
    """
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return _unusable(FilePosition(file), f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        return _unusable(FilePosition(file), f"expected UTF-8, found another encoding at byte {error.start}")
    try:
        node = _compose(text)
    except (yaml.YAMLError, RecursionError) as error:
        return _unusable(_syntax_place(file, error, text.count("\n") + 1), _syntax_message(error))
    if not isinstance(node, yaml.MappingNode):
        found = "an empty file" if node is None else "something else"
        return _unusable(FilePosition(file, 1), f"expected keys such as `prometheus:` and `canaries:`, found {found}")
    reading = _NodeReader(file)
    reading.lines[()] = node.start_mark.line + 1
    value = reading.mapping(node, ())
    return YamlDocument(file, value, reading.lines), reading.problems


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _unusable(place: FilePosition, message: str) -> tuple[None, list[Problem]]:
    return None, [place.problem(message)]


def _syntax_place(file: str, error: Exception, last: int) -> FilePosition:
    """A mark may stand behind the last line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return FilePosition(file, min(mark.line + 1, last) if mark else None)


def _syntax_message(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "not usable YAML: nested too deeply"
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    text = ", ".join(part for part in parts if part) or str(error)
    hint = "; indent with spaces, not with tabs" if "cannot start any token" in text else ""
    return f"not valid YAML: {text}{hint}"


@dataclass(slots=True)
class _NodeReader:
    """Turns nodes into values, keeping lines and collecting mistakes on the way."""

    file: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    values: int = 0

    def refuse(self, node: yaml.Node, path: KeyPath, message: str) -> object:
        self.problems.append(FilePosition(self.file, node.start_mark.line + 1, path).problem(message))
        return _UNDEFINED

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """The value of a node, or _UNDEFINED after a mistake was noted."""
        self.values += 1
        if id(node) in self.open:
            return self.refuse(node, path, "an anchor that contains itself; write the value out")
        if len(path) > _DEEPEST:
            return self.refuse(node, path, f"nested more than {_DEEPEST} levels deep")
        if self.values > _MOST_VALUES:
            if self.values == _MOST_VALUES + 1:
                self.refuse(node, path, f"more than {_MOST_VALUES:,} values; split the file")
            return _UNDEFINED
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        self.open.add(id(node))
        try:
            return self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self.sequence(node, path)
        finally:
            self.open.remove(id(node))

    def scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag == _TAG + "null":
            return self.refuse(node, path, "has no value; set one or remove the key")
        try:
            return _SCALARS[node.tag](node.value)
        except KeyError:
            return self.refuse(node, path, f"the YAML tag {node.tag!r} is not supported; remove it")
        except ValueError:
            return self.refuse(node, path, f"{node.value!r} does not fit its YAML tag; remove the tag")

    def sequence(self, node: yaml.Node, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        for child in node.value:
            here = (*path, len(items))
            self.lines[here] = child.start_mark.line + 1
            item = self.value(child, here)
            if item is not _UNDEFINED:
                items.append(item)
        return items

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, child in self.entries(node, path).items():
            here = (*path, key.value)
            self.lines[here] = key.start_mark.line + 1
            item = self.value(child, here)
            if item is not _UNDEFINED:
                result[key.value] = item
        return result

    def entries(self, node: yaml.MappingNode, path: KeyPath) -> dict[yaml.ScalarNode, yaml.Node]:
        """Keys with their values: a mapping's own ones win over those that `<<` brings in."""
        own: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
        for key, child in node.value:
            if key.tag == _MERGE:
                for part in self.merge_sources(child, path):
                    if id(part) not in self.open:
                        self.open.add(id(part))
                        brought = self.entries(part, path)
                        self.open.discard(id(part))
                        merged = {**{name.value: (name, value) for name, value in brought.items()}, **merged}
            elif not isinstance(key, yaml.ScalarNode) or key.tag != _TAG + "str":
                shown = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                self.refuse(key, path, f"expected a string as key, found {shown}; put it in quotes")
            elif key.value in own:
                first = own[key.value][0].start_mark.line + 1
                self.refuse(key, (*path, key.value), f"duplicate key, first on line {first}; remove one of them")
            else:
                own[key.value] = (key, child)
        return dict({**merged, **own}.values())

    def merge_sources(self, node: yaml.Node, path: KeyPath) -> Iterator[yaml.MappingNode]:
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if isinstance(part, yaml.MappingNode):
                yield part
            else:
                self.refuse(part, path, "expected `<<` to name a mapping by its anchor")
