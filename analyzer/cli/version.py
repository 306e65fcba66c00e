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
    sys.stdout.write(f"{_DISTRIBUTION} {installed_version()}\n")


def installed_version() -> str:
    """The version of the installed program."""
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "(not installed, run from source)"
