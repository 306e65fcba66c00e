"""`canary-analyzer validate`: all mistakes of a configuration at once, or what it would do."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzer.cli.errors import ExitCode
from analyzer.config import Configuration, load
from analyzer.model.duration import show_duration
from analyzer.model.errors import ConfigError
from analyzer.model.target import Target


class ReportFormat(StrEnum):
    """For whom the result is written."""

    TEXT = "text"
    JSON = "json"


_EXAMPLES = """Examples:

  canary-analyzer validate canary.yaml             check one file

  canary-analyzer validate -o json config/         check a folder; the result as JSON on stdout
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=_EXAMPLES)(validate)


def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of *.yaml; one configuration.")
    ],
    output: Annotated[ReportFormat, typer.Option("-o", "--output", help="Format of the result.")] = ReportFormat.TEXT,
) -> None:
    """Check a configuration and say what it would do. Exit status 1 when there are mistakes."""
    if output is ReportFormat.JSON:
        _as_json(files)
    else:
        _as_text(load(files))


def _as_text(configuration: Configuration) -> None:
    count = len(configuration.targets)
    lines = [f"ok: {count} target{'' if count == 1 else 's'}", *map(_line, configuration.targets)]
    if configuration.freeze:
        lines.append("  frozen: nothing will start or move forward")
    sys.stdout.write("\n".join(lines) + "\n")


def _line(target: Target) -> str:
    plan = target.plan
    steps = ", ".join(f"{step.weight:g}% for {show_duration(step.hold)}{_gate(step.gate)}" for step in plan.steps)
    metrics = ", ".join(metric.name for metric in target.analysis.metrics)
    lines = (
        f"  {target.namespace}/{target.name}: {target.roles.canary} against {target.roles.stable} ({target.mode})",
        f"    steps: {steps}; then {plan.promote}, watched for {show_duration(plan.bake)}",
        f"    judged by: {metrics}; {plan.on_inconclusive} after {show_duration(plan.deadline)} without proof",
    )
    return "\n".join(lines)


def _gate(gate: object) -> str:
    return " (gate)" if gate else ""


def _as_json(files: list[Path]) -> None:
    try:
        result: dict[str, Any] = {"ok": True, "targets": [_summary(target) for target in load(files).targets]}
    except ConfigError as error:
        problems = [
            {"file": one.file, "line": one.line, "path": one.path, "message": one.message} for one in error.problems
        ]
        result = {"ok": False, "problems": problems}
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if not result["ok"]:
        raise typer.Exit(ExitCode.ERROR)


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
