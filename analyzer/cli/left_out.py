"""Commands that an installation may leave out: the production image has no sandbox, and so no `demo`.

`app` registers them here in place of a module that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

from analyzer.model.errors import SandboxError

LEFT_OUT = ("analyzer.sandbox", "analyzer.cli.demo")
"""Packages that the Dockerfile removes."""

_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def is_left_out(missing: ModuleNotFoundError) -> bool:
    """Is this one of the packages that may be missing, and no bug?"""
    name = missing.name or ""
    return any(name == package or name.startswith(f"{package}.") for package in LEFT_OUT)


def register_left_out(app: typer.Typer, commands: Iterable[str]) -> None:
    """Commands that only say where they are to be found, whatever options they are called with."""
    for command in commands:
        app.command(command, hidden=True, context_settings=_ANYTHING)(_refusal(command))


def _refusal(command: str) -> Callable[[], None]:
    def refuse() -> None:
        raise SandboxError(
            f"`{command}` is not part of this image: run `make {command}` in a checkout of the repository instead"
        )

    return refuse
