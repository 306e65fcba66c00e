"""Puts the commands together. A new command is a module with `register(app)`, and an entry in `COMMANDS`.

A module is imported when one of its commands is called, or all are listed: numpy, scipy and the Kubernetes client take
a second to load, which `status` in a loop should not wait for. The production image has no sandbox and no demo, so no
other module imports those (`left_out`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated, Any, cast

import typer

from analyzer.cli.errors import ExitCode, error_text
from analyzer.cli.left_out import is_left_out, register_left_out
from analyzer.model.errors import AnalyzerError

PROGRAM = "canary-analyzer"

COMMANDS = {
    "analyzer.cli.run": ("run",),
    "analyzer.cli.demo.command": ("demo",),
    "analyzer.cli.validate": ("validate",),
    "analyzer.cli.operate": ("status", "why", "history", "pause", "resume", "start", "promote", "abort", "retry"),
    "analyzer.cli.judge.command": ("judge",),
    "analyzer.cli.schema": ("schema",),
    "analyzer.cli.version": ("version",),
}
"""Modules with the commands that they register, in the order in which `--help` lists them."""

_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__bases__[0])
"""What the parser raises; typer does not export it by a name of its own."""


def _print_version(given: bool) -> None:  # noqa: FBT001 (typer calls it so)
    if given:
        import_module("analyzer.cli.version").version()
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Canary releases on plain Kubernetes Deployments, judged by statistics on Prometheus metrics.

    Examples: canary-analyzer validate config/full.yaml · canary-analyzer schema > schema.json
    """


def build_app(modules: Iterable[str] = COMMANDS) -> typer.Typer:
    """The program with all commands, or only those of some modules."""
    app = typer.Typer(name=PROGRAM, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_root)
    for module in modules:
        _register(app, module)
    return app


def _register(app: typer.Typer, module: str) -> None:
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as missing:
        if not is_left_out(missing):
            raise
        register_left_out(app, COMMANDS[module])
    else:
        loaded.register(app)


def _needed(arguments: Sequence[str]) -> Iterable[str]:
    """The module of the command that is called; all of them for help, completion and mistakes."""
    called = arguments[0] if arguments else ""
    return [module for module, names in COMMANDS.items() if called in names] or COMMANDS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status. A usage error is status 1: 2 means that a release was aborted."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        status = build_app(_needed(given))(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except AnalyzerError as error:
        sys.stderr.write(f"{error_text(error)}\n")
        status = ExitCode.ERROR
    except _USAGE_ERROR as error:
        cast("Any", error).show()
        status = ExitCode.ERROR
    except typer.Abort:
        status = ExitCode.ERROR
    sys.exit(status or ExitCode.DONE)
