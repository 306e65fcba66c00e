"""Commands for operators of running releases: requests to the daemon, and what its documents say.

They work on the documents in --state-dir alone, so they need no connection to a cluster or to Prometheus, and can be
used while the daemon is down: it takes requests up when it is back.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analyzer.model.duration import parse_duration, show_duration
from analyzer.model.errors import RecordError
from analyzer.model.state import Verb
from analyzer.record.commands import new_command, subject_of, submit
from analyzer.record.explanation import explain, last_answer
from analyzer.record.files import FileStore

Json = Mapping[str, Any]
T = TypeVar("T")
D = TypeVar("D")


class Output(StrEnum):
    """How an answer is written to stdout."""

    TEXT = "text"
    JSON = "json"


StateDir = Annotated[
    Path,
    typer.Option("--state-dir", exists=True, file_okay=False, help="Folder with the daemon's documents."),
]
TargetName = Annotated[str, typer.Argument(metavar="TARGET", help="Name of the canary target.")]
AnyTarget = Annotated[str | None, typer.Argument(metavar="[TARGET]", help="Name of the canary target; all without.")]
Format = Annotated[Output, typer.Option("-o", "--output", help="text or json.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for verb, summary in _SUMMARIES.items():
        app.command(verb.value, help=summary)(_requester(verb))
    app.command("resume", help="Let a paused release go on, or open the gate that it waits at.")(_resume)
    for show in (status, why, history):
        app.command()(show)


_SUMMARIES = {
    Verb.START: "Begin a release of the canary's present version.",
    Verb.PAUSE: "Stop a release's forward moves; judging and rollback go on.",
    Verb.PROMOTE: "Promote a release now, without waiting for proof.",
    Verb.ABORT: "Roll a release back now.",
    Verb.RETRY: "Begin another release of a version that was aborted.",
}


def status(state_dir: StateDir, target: AnyTarget = None, output: Format = Output.TEXT) -> None:
    """Show where releases stand."""
    with _Failures():
        found = _each(FileStore(state_dir), target, _status)
        if output is Output.JSON:
            _print_json(found[0] if target else found)
        else:
            Console().print(_shown(found, _table))
            for answer in filter(None, (_shown(one, last_answer) for one in found if target)):
                typer.echo(answer)


def why(state_dir: StateDir, target: AnyTarget = None, output: Format = Output.TEXT) -> None:
    """Explain the last verdict and decision, in words and numbers."""
    with _Failures():
        found = _each(FileStore(state_dir), target, _status)
        texts = [_shown(one, explain) for one in found]
        if output is Output.JSON:
            answers = [{"target": one["target"], "why": text} for one, text in zip(found, texts, strict=True)]
            _print_json(answers[0] if target else answers)
        else:
            typer.echo("\n\n".join(texts))


def history(state_dir: StateDir, target: AnyTarget = None, output: Format = Output.TEXT) -> None:
    """List ended releases, oldest first."""
    with _Failures():
        found = [entry for entries in _each(FileStore(state_dir), target, _history) for entry in entries]
        if output is Output.JSON:
            _print_json(found)
        else:
            Console().print(_shown(found, _history_table))


def _requester(verb: Verb) -> Callable[[Path, str], None]:
    def request(state_dir: StateDir, target: TargetName) -> None:
        _request(state_dir, target, verb)

    return request


def _resume(
    state_dir: StateDir,
    target: TargetName,
    extend: Annotated[
        str | None, typer.Option(help="Move the deadline by a duration, such as 1h; needed once it has passed.")
    ] = None,
) -> None:
    _request(state_dir, target, Verb.RESUME, _length(extend))


def _request(directory: Path, target: str, verb: Verb, extend: timedelta | None = None) -> None:
    with _Failures():
        store = FileStore(directory)
        stored = store.load(target)
        if stored is None:
            raise _unknown(store, target)
        subject = subject_of(stored.state, _canary_version(store, target), verb)
        command = new_command(verb, subject, _who(), datetime.now(UTC), extend)
        submit(directory, target, command)
        typer.echo(
            f"asked to {verb} {target} ({command.subject}) as {command.id}; "
            f"`canary-analyzer status {target}` repeats the daemon's answer"
        )


def _canary_version(store: FileStore, target: str) -> str | None:
    """The version that the canary's Deployment had when the daemon looked last."""
    version = _shown(store.status(target) or {}, lambda status: status.get("versions", {}).get("canary"))
    return None if version is None else str(version)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that nobody has heard of
        return f"uid {os.getuid()}"


def _length(text: str | None) -> timedelta | None:
    try:
        length = None if text is None else parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--extend") from error
    if length == timedelta(0):
        raise typer.BadParameter("expected more than 0s", param_hint="--extend")
    return length


class _Failures:
    """Shows a RecordError as one line on stderr, and exits with 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: object, _traceback: object) -> None:
        if isinstance(error, RecordError):
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error


def _each(store: FileStore, target: str | None, read: Callable[[FileStore, str], T]) -> list[T]:
    return [read(store, name) for name in ([target] if target else store.targets())]


def _status(store: FileStore, target: str) -> dict[str, Any]:
    found = store.status(target)
    if found is None:
        raise _unknown(store, target)
    return found


def _history(store: FileStore, target: str) -> tuple[dict[str, Any], ...]:
    if target not in store.targets():
        raise _unknown(store, target)
    return store.history(target)


def _unknown(store: FileStore, target: str) -> RecordError:
    known = ", ".join(store.targets()) or "none"
    return RecordError(
        f"no documents of canary target {target!r} in this state directory; found: {known}. "
        "Check the name and --state-dir, and that the daemon runs"
    )


def _shown(document: D, show: Callable[[D], T]) -> T:
    """What `show` makes of a document, which another version may have written."""
    try:
        return show(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(
            f"a document in this state directory lacks something that this version shows ({type(error).__name__}: "
            f"{error}); it was written by another version: update the daemon, or wait for its next look"
        ) from error


def _table(statuses: list[dict[str, Any]]) -> Table:
    table = Table("TARGET", "PHASE", "STEP", "WEIGHT", "SHARE", "STABLE", "CANARY", "VERDICT", "REASON", box=None)
    for one in statuses:
        replicas = one.get("replicas", {})
        table.add_row(
            _cell(one.get("target")),
            _cell(one.get("phase")),
            f"{one['step']}/{one['steps']}" if one.get("step") else "-",
            _cell(one.get("weight"), " %"),
            f"{one['observedShare']:.1%}" if one.get("observedShare") is not None else "-",
            _pods(replicas.get("stable", {})),
            _pods(replicas.get("canary", {})),
            _cell(one.get("verdict")),
            _cell(one.get("reason")),
        )
    return table


def _history_table(entries: list[dict[str, Any]]) -> Table:
    table = Table("ENDED", "TARGET", "RELEASE", "RESULT", "TOOK", "CULPRIT", "REASON", box=None)
    for one in entries:
        table.add_row(
            _cell(one.get("endedAt")),
            _cell(one.get("target")),
            _cell(one.get("id")),
            _cell(one.get("result")),
            show_duration(one["seconds"]) if one.get("seconds") is not None else "-",
            _cell(one.get("culprit")),
            _cell(one.get("reason")),
        )
    return table


def _pods(side: Json) -> str:
    if side.get("requested") is None:
        return "-"
    return f"{side['available']}/{side['requested']}"


def _cell(value: object, unit: str = "") -> str:
    """A value as a cell's text; rich would take square brackets in a reason for markup."""
    return "-" if value is None else escape(f"{value}{unit}")


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=1))
