"""The reference of all keys as a Markdown table, from the same schema that editors use. For the docs page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.config.schema import json_schema

_HEAD = "| key | value | default | meaning |\n|---|---|---|---|\n"


def reference() -> str:
    """One row per key, in the order of the file. What `defaults` may hold is listed once, under `canaries[]`."""
    schema = json_schema()
    rows = _rows(schema, schema["$defs"], "", ("defaults",))
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in dict.fromkeys(rows))


def _rows(
    node: Mapping[str, Any], kinds: Mapping[str, Any], path: str, closed: tuple[str, ...]
) -> Iterator[tuple[str, str, str, str]]:
    for name, found in node.get("properties", {}).items():
        child = _resolved(found, kinds)
        here = f"{path}.{name}" if path else name
        required = name in node.get("required", ())
        yield (f"`{here}`", _value(child), _default(child, required=required), child.get("description", ""))
        if here not in closed:
            yield from _below(child, kinds, here, closed)


def _below(
    node: Mapping[str, Any], kinds: Mapping[str, Any], path: str, closed: tuple[str, ...]
) -> Iterator[tuple[str, str, str, str]]:
    items = _resolved(node.get("items", {}), kinds)
    for part, here in ((node, path), (items, f"{path}[]")):
        yield from _rows(part, kinds, here, closed)
        for choice in (*part.get("oneOf", ()), *part.get("anyOf", ())):
            yield from _rows(_resolved(choice, kinds), kinds, here, closed)


def _resolved(node: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return dict(node)
    return {**kinds[node["$ref"].rpartition("/")[2]], **node}


def _value(node: Mapping[str, Any]) -> str:
    if "enum" in node:
        return " \\| ".join(f"`{word}`" for word in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "y)?" in node.get("pattern", ""):
        return "duration \\| `auto`" if "auto" in node["pattern"] else "duration"
    if "%" in json.dumps(node.get("anyOf", "")):
        return "pods or percentage"
    words = {"object": "keys", "array": "list", "string": "text", "boolean": "`true` \\| `false`"}
    kind = node.get("type", "keys")
    return words.get(kind, str(kind))


def _default(node: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    if "default" not in node:
        return ""
    default = node["default"]
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"
