"""The operators' commands: what they take, what they print, how they exit."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Annotated, Self, TypeVar

import typer

from analyzer.cli.errors import ExitCode, error_text
from analyzer.cli.operate import waiting
from analyzer.cli.operate.documents import Documents, Opener, Where, documents_at, found_in, status_of
from analyzer.cli.operate.options import AnyTarget, Format, Output, TargetName, Timeout, Wait, located
from analyzer.cli.operate.requests import request
from analyzer.cli.operate.tables import history_table, printable, status_table
from analyzer.cli.operate.waiting import PollPace
from analyzer.model.duration import parse_duration
from analyzer.model.errors import AnalyzerError, RecordError
from analyzer.model.state import Verb
from analyzer.model.status_document import StatusDocument
from analyzer.record.explanation import explain, last_answer
from analyzer.record.published import Published

T = TypeVar("T")

_SUMMARIES = {
    Verb.START: "Start a release of the version that the canary has now.",
    Verb.PROMOTE: "Promote the release now, without waiting for evidence.",
    Verb.ABORT: "Abort the release now: roll back, or cancel it while it is pending.",
    Verb.RETRY: "Start another release of a version that was aborted.",
}
_LONGEST_WAIT = "30m"
_EXAMPLES = """
Examples:

  canary-analyzer status                      all targets in the cluster

  canary-analyzer status my-app -o json       the whole status document of one target

  canary-analyzer status my-app --wait        follow the release in progress to its end
"""

Extend = Annotated[
    str | None, typer.Option(help="Extend the deadline by a duration such as 1h; required once it is exceeded.")
]
Details = Annotated[
    bool,
    typer.Option("--details", help="Add the technical values of each metric: evidence, thresholds, noise, query."),
]
_WIDTH_OF_PIPES = 80


def register(app: typer.Typer, reach: Opener = documents_at, pace: PollPace | None = None) -> None:
    """Add the commands to the program; `reach` opens the documents that an operator means."""
    operator = OperatorCommands(reach, pace or PollPace(time.monotonic, time.sleep))
    app.command(epilog=_EXAMPLES)(located(operator.status))
    app.command()(located(operator.why))
    app.command()(located(operator.history))
    app.command()(located(operator.pause))
    app.command()(located(operator.resume))
    for verb, summary in _SUMMARIES.items():
        app.command(verb.value, help=summary)(located(operator.asking(verb)))


@dataclass(frozen=True, slots=True)
class OperatorCommands:
    """The commands, each a method that takes where the documents are and what it is about."""

    reach: Opener
    pace: PollPace

    def status(
        self,
        where: Where,
        target: AnyTarget = None,
        output: Format = Output.TEXT,
        *,
        wait: Wait = False,
        timeout: Timeout = _LONGEST_WAIT,
    ) -> None:
        """Show the state of each target and why it is in it."""
        with _Failures() as failures:
            documents = self.reach(where)
            code = self._wait_for_present(documents, where, target, timeout, output) if wait else ExitCode.DONE
            found = found_in(documents, where, target)
            if output is Output.JSON:
                _print_json(failures.each(found, Published.json), target)
            elif not found:
                typer.echo(f"no canary targets found in {documents.place}; is the daemon running?", err=True)
            elif statuses := failures.each(found, Published.status):
                typer.echo(status_table(statuses, datetime.now(UTC), wide=output is Output.WIDE))
                for answer in filter(None, (last_answer(one) for one in statuses if target)):
                    typer.echo(printable(answer))
            raise typer.Exit(code)

    def why(
        self, where: Where, target: AnyTarget = None, output: Format = Output.TEXT, *, details: Details = False
    ) -> None:
        """Explain the last decision: outcome, culprit, times, each metric's comparison, and what comes next."""
        with _Failures() as failures:
            statuses = failures.each(found_in(self.reach(where), where, target), Published.status)
            answers = [{"target": one.target, "why": _explained(one, details=details)} for one in statuses]
            if output is Output.JSON:
                _print_json(answers, target)
            elif answers:
                typer.echo("\n\n".join(one["why"] for one in answers))

    def history(self, where: Where, target: AnyTarget = None, output: Format = Output.TEXT) -> None:
        """List ended releases, oldest first."""
        with _Failures() as failures:
            documents = self.reach(where)
            found = filter(None, (documents.history(one.target) for one in found_in(documents, where, target)))
            if output is Output.JSON:
                _print_json(list(chain.from_iterable(failures.each(found, Published.entries))))
            else:
                entries = list(chain.from_iterable(failures.each(found, Published.history)))
                typer.echo(history_table(entries, wide=output is Output.WIDE))

    def pause(self, where: Where, target: TargetName) -> None:
        """Pause the release: no further steps; the canary is still judged, and rolled back if it fails."""
        with _Failures():
            told, _ = request(self.reach(where), where, target, Verb.PAUSE)
            typer.echo(told)

    def resume(
        self,
        where: Where,
        target: TargetName,
        extend: Extend = None,
        *,
        wait: Wait = False,
        timeout: Timeout = _LONGEST_WAIT,
    ) -> None:
        """Resume a paused release, or open the gate that it waits at."""
        by = None if extend is None else _duration(extend, "--extend")
        self._ask(where, target, Verb.RESUME, by, timeout if wait else None)

    def asking(self, verb: Verb) -> Callable[..., None]:
        """The command for a verb that takes nothing but a target."""

        def ask(where: Where, target: TargetName, *, wait: Wait = False, timeout: Timeout = _LONGEST_WAIT) -> None:
            self._ask(where, target, verb, None, timeout if wait else None)

        return ask

    def _ask(self, where: Where, target: str, verb: Verb, extend: timedelta | None, timeout: str | None) -> None:
        patience = None if timeout is None else _duration(timeout, "--timeout")
        with _Failures():
            documents = self.reach(where)
            told, awaited = request(documents, where, target, verb, extend)
            typer.echo(told)
            if patience is not None:
                raise typer.Exit(waiting.follow(documents, awaited, patience, self.pace, typer.echo))

    def _wait_for_present(
        self, documents: Documents, where: Where, target: str | None, timeout: str, output: Output
    ) -> ExitCode:
        if target is None:
            raise typer.BadParameter("expected the TARGET to wait for", param_hint="--wait")
        patience = _duration(timeout, "--timeout")
        status = status_of(documents, where, target)
        version = documents.canary_version(status)
        awaited = waiting.awaited(status, version)

        def tell(line: str) -> None:
            typer.echo(line, err=output is Output.JSON)

        if awaited is not None:
            return waiting.follow(documents, awaited, patience, self.pace, tell)
        rest = waiting.at_rest(status)
        tell(rest.line)
        return rest.ended or ExitCode.DONE


class _Failures:
    """Shows errors as messages on stderr, and exits with 1: of single documents once the others are shown."""

    def __init__(self) -> None:
        self._errors: list[AnalyzerError] = []

    def __enter__(self) -> Self:
        return self

    def each(self, documents: Iterable[Published], read: Callable[[Published], T]) -> list[T]:
        """What can be read of documents: a bad one hides no other."""
        good = []
        for one in documents:
            try:
                good.append(read(one))
            except RecordError as error:
                self._errors.append(error)
        return good

    def __exit__(self, _kind: object, error: object, _traceback: object) -> None:
        if isinstance(error, AnalyzerError):
            self._errors.append(error)
        for one in self._errors:
            typer.echo(error_text(one), err=True)
        if self._errors:
            raise typer.Exit(ExitCode.ERROR)


def _explained(status: StatusDocument, *, details: bool) -> str:
    width = shutil.get_terminal_size((_WIDTH_OF_PIPES, 24)).columns
    text = explain(status, now=datetime.now(UTC), width=width, details=details)
    return "\n".join(map(printable, text.splitlines()))


def _duration(text: str, option: str) -> timedelta:
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
    if length == timedelta(0):
        raise typer.BadParameter("expected more than 0s", param_hint=option)
    return length


def _print_json(found: Sequence[object], target: str | None = None) -> None:
    """A list, or where one target is named the one object."""
    for value in found if target else [found]:
        typer.echo(json.dumps(value, indent=1))
