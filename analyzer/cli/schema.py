"""`canary-analyzer schema`: the configuration's format, for editors and for people."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from analyzer.config.reference import json_schema, reference


class SchemaFormat(StrEnum):
    """How the format is described."""

    JSON = "json"
    MARKDOWN = "markdown"


_EXAMPLES = """Examples:

  canary-analyzer schema > schema.json             for completion in an editor

  canary-analyzer schema -o markdown               a table of all keys
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=_EXAMPLES)(schema)


def schema(
    output: Annotated[
        SchemaFormat, typer.Option("-o", "--output", help="json: JSON Schema; markdown: a table of all keys.")
    ] = SchemaFormat.JSON,
) -> None:
    """Print the JSON Schema of the configuration: every key with its unit, default and effect."""
    text = reference() if output is SchemaFormat.MARKDOWN else json.dumps(json_schema(), indent=2) + "\n"
    sys.stdout.write(text)
