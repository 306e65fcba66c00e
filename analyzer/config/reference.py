"""What is published about the format: its JSON Schema, generated from the key models, and a table of all its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from analyzer.config.keys import Keys
from analyzer.config.load import FileKeys
from analyzer.model.duration import show_duration
from analyzer.model.plan import Amount

_HEAD = "| key | value | default | meaning |\n|---|---|---|---|\n"


class _Generator(GenerateJsonSchema):
    """Defaults as they would be written in YAML; no null, which a file may not hold; no made-up titles."""

    def encode_default(self, dft: Any) -> Any:
        match dft:
            case timedelta():
                return show_duration(dft)
            case Amount():
                return str(dft) if dft.percent else dft.value
            case float() if dft.is_integer():
                return int(dft)
            case list():
                return [self.encode_default(item) for item in dft]
            case Keys():
                given = {field.alias or name: getattr(dft, name) for name, field in type(dft).model_fields.items()}
                return {key: self.encode_default(value) for key, value in given.items() if value is not None}
            case _:
                return super().encode_default(dft)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if isinstance(schema.get("default"), BaseModel) or schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False


def json_schema() -> dict[str, Any]:
    """The schema as plain JSON."""
    schema = FileKeys.model_json_schema(schema_generator=_Generator)
    schema["$schema"] = GenerateJsonSchema.schema_dialect
    schema["title"] = "canary-analyzer configuration"
    return schema


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
        choices = [_resolved(choice, kinds) for choice in (*part.get("oneOf", ()), *part.get("anyOf", ()))]
        yield from _of_choices([choice for choice in choices if "properties" in choice], kinds, here, closed)


def _of_choices(
    choices: Sequence[Mapping[str, Any]], kinds: Mapping[str, Any], path: str, closed: tuple[str, ...]
) -> Iterator[tuple[str, str, str, str]]:
    """Rows of mappings of which one is chosen, each row once; one that is not in all says in which it is."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for choice in choices:
        for row in dict.fromkeys(_rows(choice, kinds, path, closed)):
            found.setdefault(row, []).append(_word(choice))
    words = [_word(choice) for choice in choices]
    for (key, value, default, meaning), having in found.items():
        yield (key, value, default, f"{_where(having, words)}{meaning}")


def _where(having: Sequence[str], words: Sequence[str]) -> str:
    lacking = [word for word in words if word not in having]
    if not lacking:
        return ""
    if len(lacking) < len(having):
        return f"(Not {', '.join(lacking)}.) "
    return f"({', '.join(having)}) "


def _word(choice: Mapping[str, Any]) -> str:
    """What sets this mapping apart: the value of a fixed key, or, with a colon, a key that only it must have."""
    key = next((key for key in choice.get("required", ()) if key != "name"), "")
    return str(choice["properties"].get(key, {}).get("const", f"{key}:"))


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
    if "anyOf" in node:
        return _either(node["anyOf"])
    words = {"object": "keys", "array": "list", "string": "text", "boolean": "`true` \\| `false`"}
    kind = node.get("type", "keys")
    return words.get(kind, str(kind))


def _either(choices: Sequence[Mapping[str, Any]]) -> str:
    """A value of several forms: a word or a mapping, or a number or a text."""
    if "%" in json.dumps(choices):
        return "pods or percentage"
    if any("y)?" in choice.get("pattern", "") for choice in choices):
        return "duration or number"
    return " \\| ".join(f"`{choice['const']}`" if "const" in choice else "keys" for choice in choices)


def _default(node: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    if "default" not in node:
        return ""
    default = node["default"]
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"
