"""What is published about the format equals what the program accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analyzer.config.reference import json_schema, reference
from tests.unit.config.sources import EXAMPLES

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def properties(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, child in node.get("properties", {}).items():
            yield name, child
        for child in node.values():
            yield from properties(child)
    elif isinstance(node, list):
        for child in node:
            yield from properties(child)


def test_the_published_schema_is_the_one_that_the_models_generate() -> None:
    """After a change: canary-analyzer schema > config/schema.json."""
    assert json.loads((EXAMPLES / "schema.json").read_text()) == json_schema()


def test_the_table_of_keys_in_the_docs_is_the_generated_one() -> None:
    """After a change: put the output of `canary-analyzer schema -o markdown` into the page."""
    assert reference() in PAGE.read_text()


def test_every_key_is_described() -> None:
    schema = json_schema()
    for name, node in properties(schema):
        kind = schema["$defs"].get(node.get("$ref", "").rpartition("/")[2], {})
        assert node.get("description") or kind.get("description"), name


def test_the_full_example_names_every_key() -> None:
    text = (EXAMPLES / "full.yaml").read_text()
    assert {name for name, _ in properties(json_schema()) if name not in text} == set()


def test_defaults_are_written_as_in_yaml() -> None:
    plan = json_schema()["$defs"]["PlanKeys"]["properties"]
    assert plan["deadline"]["default"] == "2h"
    assert plan["steps"]["default"][0] == {"weight": 10, "hold": "5m"}
    assert json_schema()["$defs"]["CapacityKeys"]["properties"]["maxSurge"]["default"] == "25%"


def test_the_schema_has_no_null() -> None:
    assert '"null"' not in json.dumps(json_schema())
