"""How an API server changes an object: JSON patch, merge patch, who wrote which field, which labels match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any


class PatchRefusedError(Exception):
    """An operation of a JSON patch doesn't fit the object (the server answers 422)."""


def json_patched(document: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """RFC 6902 without `move` and `copy`: all operations or none."""
    root: dict[str, Any] = {"": deepcopy(dict(document))}
    for operation in operations:
        _apply(root, operation)
    patched = root[""]
    if not isinstance(patched, dict):
        raise PatchRefusedError("the result is no object")
    return patched


def _apply(root: dict[str, Any], operation: Mapping[str, Any]) -> None:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in str(operation["path"]).split("/")]
    parent: Any = root
    for step in steps[:-1]:
        parent = _child(parent, step, operation)
    name = operation["op"]
    if name == "add":
        _add(parent, steps[-1], deepcopy(operation["value"]), operation)
        return
    found = _child(parent, steps[-1], operation)
    key: Any = steps[-1] if isinstance(parent, dict) else int(steps[-1])
    if name == "test":
        if found != operation["value"]:
            raise PatchRefusedError(f"testing value {operation['path']} failed")
    elif name == "replace":
        parent[key] = deepcopy(operation["value"])
    elif name == "remove":
        del parent[key]
    else:
        raise PatchRefusedError(f"unknown operation {name}")


def _child(parent: Any, step: str, operation: Mapping[str, Any]) -> Any:
    try:
        return parent[step] if isinstance(parent, dict) else parent[int(step)]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise PatchRefusedError(f"{operation['op']} {operation['path']}: missing value") from error


def _add(parent: Any, step: str, value: Any, operation: Mapping[str, Any]) -> None:
    if isinstance(parent, dict):
        parent[step] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if step == "-" else int(step), value)
    else:
        raise PatchRefusedError(f"add {operation['path']}: missing value")


def merged(document: Any, patch: Any) -> Any:
    """RFC 7386: null removes, mappings are merged, everything else is replaced."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    result = dict(deepcopy(document)) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def matches(labels: Mapping[str, str], selector: str) -> bool:
    """Whether labels satisfy a selector: `a=b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b)`, joined by commas."""
    return all(_satisfied(labels, part.strip()) for part in re.split(r",(?![^(]*\))", selector) if part.strip())


def _satisfied(labels: Mapping[str, str], part: str) -> bool:
    if found := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", part):
        values = {value.strip() for value in found[3].split(",")}
        return (labels.get(found[1]) in values) == (found[2] == "in")
    if "!=" in part:
        key, _, value = part.partition("!=")
        return labels.get(key.strip()) != value.strip()
    if "=" in part:
        key, _, value = part.replace("==", "=").partition("=")
        return labels.get(key.strip()) == value.strip()
    return part[1:] not in labels if part.startswith("!") else part in labels


def owned_anew(
    entries: Sequence[Mapping[str, Any]], before: Mapping[str, Any], after: Mapping[str, Any], entry: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """`managedFields` after a write: the writer (`entry`: manager, operation, time, ...) owns what it changed.

    A list counts as one field, which the server does only for atomic ones.
    """
    changed = set(_leaves(after)) ^ set(_leaves(before)) | {
        path for path in set(_leaves(after)) & set(_leaves(before)) if _at(after, path) != _at(before, path)
    }
    if not changed:
        return [deepcopy(dict(old)) for old in entries]
    owners = {_identity(old): (dict(old), set(_owned(old["fieldsV1"]))) for old in entries}
    mine = owners.setdefault(_identity(entry), (dict(entry), set()))
    owners[_identity(entry)] = (dict(entry), mine[1])
    result = []
    for identity, (described, paths) in owners.items():
        gained = {path for path in changed if path in set(_leaves(after))} if identity == _identity(entry) else set()
        kept = (paths - changed) | gained
        if kept:
            result.append({**described, "fieldsType": "FieldsV1", "fieldsV1": _fields(kept)})
    return result


def _identity(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(entry["manager"]), str(entry["operation"]), str(entry.get("subresource", ""))


def _leaves(document: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for key in path:
        value = value[key]
    return value


def _owned(fields: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in fields.items():
        inner = (*path, key.removeprefix("f:"))
        if value:
            yield from _owned(value, inner)
        else:
            yield inner


def _fields(paths: set[tuple[str, ...]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for path in sorted(paths):
        node = fields
        for key in path:
            node = node.setdefault(f"f:{key}", {})
    return fields
