"""`canary-analyzer validate`: all mistakes of a configuration at once, or a summary of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzer.cli.errors import ExitCode
from analyzer.config import Configuration, load
from analyzer.model.duration import show_duration
from analyzer.model.errors import ConfigError, Problem
from analyzer.model.numbers import percent
from analyzer.model.target import Target


class ReportFormat(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"


_EXAMPLES = """Examples:

  canary-analyzer validate canary.yaml             check one file

  canary-analyzer validate -o json config/         check a folder, with the result as JSON
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=_EXAMPLES)(validate)


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Files, or folders of *.yaml files; together one configuration."),
    ],
    output: Annotated[ReportFormat, typer.Option("-o", "--output", help="Output format.")] = ReportFormat.TEXT,
) -> None:
    """Check a configuration and print a summary of it. Exit status 1 if it has mistakes."""
    if output is ReportFormat.JSON:
        _as_json(files)
    else:
        _as_text(load(files))


def _as_text(configuration: Configuration) -> None:
    for warning in configuration.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    count = len(configuration.targets)
    lines = [f"ok: {count} target{'' if count == 1 else 's'}", *map(_line, configuration.targets)]
    if configuration.freeze:
        lines.append("  freeze is set: no release starts or moves forward")
    sys.stdout.write("\n".join(lines) + "\n")


def _line(target: Target) -> str:
    plan = target.plan
    steps = ", ".join(
        f"{percent(step.weight / 100)} for {show_duration(step.hold)}{_gate(step.gate)}" for step in plan.steps
    )
    metrics = ", ".join(metric.name for metric in target.analysis.metrics)
    roles = target.roles
    lines = (
        f"  {target.namespace}/{target.name}: canary {roles.canary}, stable {roles.stable} ({target.mode})",
        f"    steps: {steps}; promotion by {plan.promote}; bake {show_duration(plan.bake)}",
        f"    metrics: {metrics}; without proof after {show_duration(plan.deadline)}: {plan.on_inconclusive}",
    )
    return "\n".join(lines)


def _gate(gate: object) -> str:
    return " (manual gate)" if gate else ""


def _as_json(files: list[Path]) -> None:
    try:
        found = load(files)
        targets = [_summary(target) for target in found.targets]
        result: dict[str, Any] = {"ok": True, "targets": targets, "warnings": _plain(found.warnings)}
    except ConfigError as error:
        result = {"ok": False, "problems": _plain(error.problems)}
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if not result["ok"]:
        raise typer.Exit(ExitCode.ERROR)


def _plain(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [{"file": one.file, "line": one.line, "path": one.path, "message": one.message} for one in problems]


def _summary(target: Target) -> dict[str, Any]:
    steps = [
        {"weight": step.weight, "hold": show_duration(step.hold), "gate": step.gate is not None}
        for step in target.plan.steps
    ]
    return {
        "name": target.name,
        "namespace": target.namespace,
        "mode": target.mode,
        "stable": target.roles.stable,
        "canary": target.roles.canary,
        "steps": steps,
        "promote": target.plan.promote,
        "metrics": [metric.name for metric in target.analysis.metrics],
    }
