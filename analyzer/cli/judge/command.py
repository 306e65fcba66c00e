"""`canary-analyzer judge`: the command. Reads a line, has it judged, writes a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.errors import ExitCode
from analyzer.cli.judge import result
from analyzer.cli.judge.cases import parse, read_case
from analyzer.cli.judge.result import CaseResult, failed, judged
from analyzer.cli.judge.samples import CaseError
from analyzer.judge.offline.replay import judge_case
from analyzer.model.errors import RecordError


class JudgeFormat(StrEnum):
    """Format of the results."""

    JSON = "json"
    TABLE = "table"


_EXAMPLES = """Examples:

  canary-analyzer judge cases.jsonl                verdicts as JSON Lines

  canary-analyzer judge -o table cases.jsonl       a table for people

  generate | canary-analyzer judge - > verdicts    from a pipe; each line is judged as it arrives
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=_EXAMPLES)(judge)


def judge(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Recorded cases as JSON Lines; - for standard input.")],
    output: Annotated[JudgeFormat, typer.Option("-o", "--output", help="Format of the verdicts.")] = JudgeFormat.JSON,
) -> None:
    """Judge recorded blocks, one case a line, without Prometheus or a cluster. Exit status 1 when a line is invalid."""
    bad = False
    try:
        if output is JudgeFormat.TABLE:
            _write(result.HEAD)
        for one in results(_lines(file)):
            bad = bad or one.failed
            _write(one.as_row() if output is JudgeFormat.TABLE else one.as_json())
    except BrokenPipeError:
        # The reader of the pipe has closed it: Python must not try to flush the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if bad:
        raise typer.Exit(ExitCode.ERROR)


def results(lines: Iterable[bytes]) -> Iterator[CaseResult]:
    """One result for each line that is not blank, as soon as the line is there."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _result(line, number)


def _result(line: bytes, number: int) -> CaseResult:
    identity = None
    try:
        given = parse(line)
        identity = given.get("id")
        case = read_case(given)
    except CaseError as error:
        return failed(identity, str(error), number)
    found = judge_case(case.analysis, case.steps, case.blocks, case.noise, case.timing)
    return judged(case, found.verdict, found.decided_at)


def _lines(file: str) -> Iterator[bytes]:
    try:
        if file == "-":
            yield from sys.stdin.buffer
            return
        with Path(file).open("rb") as opened:
            yield from opened
    except OSError as error:
        raise RecordError(
            f"{file}: cannot be read: {error.strerror or error}; expected a file of JSON Lines, or -"
        ) from error


def _write(line: str) -> None:
    # An id in a table may have what no terminal can show: JSON can escape even halves of characters.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(f"{line.encode(encoding, 'backslashreplace').decode(encoding)}\n")
    sys.stdout.flush()
