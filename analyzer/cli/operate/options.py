"""Options that all operators' commands share, as kubectl names them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzer.cli.operate.documents import Where

NAMESPACE_VARIABLE = "CANARY_ANALYZER_NAMESPACE"


class Output(StrEnum):
    """How an answer is written to stdout."""

    TEXT = "text"
    WIDE = "wide"
    JSON = "json"


TargetName = Annotated[str, typer.Argument(metavar="TARGET", help="Name of the canary target.")]
AnyTarget = Annotated[str | None, typer.Argument(metavar="[TARGET]", help="Name of the canary target; default: all.")]
Format = Annotated[Output, typer.Option("-o", "--output", help="text (fits 80 columns), wide or json.")]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait", help="Wait until the release ends. Exit status: 0 promoted, 2 aborted, 3 timed out, 1 error."
    ),
]
Timeout = Annotated[str, typer.Option("--timeout", help="Maximum time for --wait.")]

_PLACES: dict[str, tuple[Any, object]] = {
    "state_dir": (
        Annotated[
            Path | None,
            typer.Option(
                "--state-dir",
                exists=True,
                file_okay=False,
                help="Folder with a daemon's documents, instead of a cluster.",
            ),
        ],
        None,
    ),
    "kubeconfig": (
        Annotated[
            Path | None, typer.Option("--kubeconfig", dir_okay=False, help="Path of the kubeconfig, as for kubectl.")
        ],
        None,
    ),
    "context": (Annotated[str | None, typer.Option("--context", help="Context in the kubeconfig.")], None),
    "namespace": (
        Annotated[str | None, typer.Option("-n", "--namespace", help="Namespace of the targets; default: all.")],
        None,
    ),
    "analyzer_namespace": (
        Annotated[
            str,
            typer.Option(
                "--analyzer-namespace", envvar=NAMESPACE_VARIABLE, help="Namespace of the daemon's documents."
            ),
        ],
        "canary-analyzer",
    ),
}


def located(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose first parameter is a `Where`, as one that has the options which make it."""

    def run(**given: Any) -> None:
        where = Where(**{name: given.pop(name) for name in _PLACES})
        if where.state_dir is not None and (where.kubeconfig is not None or where.context is not None):
            raise typer.BadParameter(
                "is a folder instead of a cluster: remove --kubeconfig and --context", param_hint="--state-dir"
            )
        command(where, **given)

    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    places = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in _PLACES.items()
    ]
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    run.__signature__ = inspect.Signature([*keywords, *places])  # type: ignore[attr-defined] # typer reads it
    run.__annotations__ = {}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run
