"""The JSON Schema of a configuration file, generated from the key models. For editors, and for the reference."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from analyzer.config.keys import Keys
from analyzer.config.keys_file import FileKeys
from analyzer.model.duration import show_duration
from analyzer.model.plan import Amount


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
