"""Puts the commands together. A new command is a module with `register(app)`, and an entry in `COMMANDS`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, cast

import typer

from analyzer.cli import operate, run, schema, validate, version
from analyzer.cli.demo import command as demo
from analyzer.cli.errors import ExitCode, error_text
from analyzer.cli.judge import command as judge
from analyzer.model.errors import AnalyzerError

PROGRAM = "canary-analyzer"

COMMANDS = (run, demo, validate, operate, judge, schema, version)
"""In the order in which `--help` lists them."""

_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__bases__[0])
"""What the parser raises; typer does not export it by a name of its own."""


def _print_version(given: bool) -> None:  # noqa: FBT001 (typer calls it so)
    if given:
        version.version()
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Canary releases that are judged by statistics, and promoted or rolled back by themselves.

    Examples: canary-analyzer validate config/full.yaml · canary-analyzer schema > schema.json
    """


def build_app() -> typer.Typer:
    """The whole program, ready to be called."""
    app = typer.Typer(name=PROGRAM, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_root)
    for command in COMMANDS:
        command.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status. A usage error is status 1: 2 means that a release was aborted."""
    try:
        status = build_app()(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except AnalyzerError as error:
        sys.stderr.write(f"{error_text(error)}\n")
        status = ExitCode.ERROR
    except _USAGE_ERROR as error:
        cast("Any", error).show()
        status = ExitCode.ERROR
    except typer.Abort:
        status = ExitCode.ERROR
    sys.exit(status or ExitCode.DONE)
