"""`canary-analyzer version`, and `--version`."""

from __future__ import annotations

import sys
from importlib import metadata

import typer

_DISTRIBUTION = "canary-analyzer"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(version)


def version() -> None:
    """Print the version.

    Example: canary-analyzer version
    """
    try:
        number = metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        number = "(run from its sources, not installed)"
    sys.stdout.write(f"{_DISTRIBUTION} {number}\n")
