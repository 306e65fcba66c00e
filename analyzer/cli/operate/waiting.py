"""Follows one release to its end, for `--wait`: progress lines and the exit status. Reads documents only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analyzer.cli.errors import ExitCode
from analyzer.cli.operate.documents import Documents
from analyzer.cli.operate.tables import pods, printable
from analyzer.model.duration import show_duration
from analyzer.model.errors import AnalyzerError
from analyzer.model.state import Result
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.record.explanation import cause_words, first_sentence, short_reason, step_words

EVERY = 2.0
"""Seconds between two reads of the status document."""


@dataclass(frozen=True, slots=True)
class PollPace:
    """Time, as the waiting sees it: a clock in seconds, and a way to let some pass."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is waited for: release `release`, or where that is None the next one of `version`.

    `before` is the release that the status showed at the request, `command` the id of the request if there was one.
    """

    target: str
    release: str | None
    version: str | None = None
    before: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the release is, as a progress line; `ended` is the exit status once there is nothing left to wait for."""

    line: str
    ended: ExitCode | None = None


def awaited(status: StatusDocument, canary_version: str | None) -> Awaited | None:
    """The release that a target is in or waits for, or None between releases.

    Where the canary's Deployment has a version by now that the daemon has not seen, the release of that one.
    """
    phase, seen = status.phase, status.versions.canary
    version = canary_version or seen
    if phase.pending or version != seen:
        return Awaited(status.target, None, version, before=status.release)
    return Awaited(status.target, status.release) if phase.active else None


def at_rest(status: StatusDocument) -> Standing:
    """The progress line where nothing is in progress: how the last release ended."""
    if status.outcome is None or status.release is None:
        return Standing(f"{status.target}: no release to wait for: {_reason(status)}", ExitCode.ERROR)
    return _ended(status.release, status.outcome, short_reason(status))


def standing(wait: Awaited, status: StatusDocument, history: Callable[[], Sequence[HistoryEntry]]) -> Standing:
    """Where the awaited release stands, by the status document and, where that has moved on, by the history."""
    if wait.command is not None:
        answer = next((one for one in status.executed_commands if one.id == wait.command), None)
        if answer is None:
            return Standing(f"{wait.target}: waiting for the daemon to accept the command")
        if not answer.accepted:
            return Standing(f"{wait.target}: refused: {printable(answer.answer)}", ExitCode.ERROR)
    release = wait.release
    if release is None:
        if status.release is None or status.release == wait.before:
            return _not_begun(wait, status)
        release = status.release
        if status.version != wait.version:
            return Standing(f"{wait.target}: superseded by release {release}", ExitCode.ABORTED)
    if status.release != release:
        found = next((entry for entry in reversed(history()) if entry.id == release), None)
        if found is None:
            return Standing(f"{release}: found neither in progress nor in the history", ExitCode.ERROR)
        return _ended(release, found.result, found.reason)
    if status.outcome is not None:
        return _ended(release, status.outcome, short_reason(status))
    return Standing(_progress(release, status))


def follow(
    documents: Documents, wait: Awaited, timeout: timedelta, pace: PollPace, tell: Callable[[str], None]
) -> ExitCode:
    """Wait for the end, with a line per change. An outage of the cluster does not end the wait."""
    end = pace.monotonic() + timeout.total_seconds()
    last = ""
    while True:
        try:
            now = _look(documents, wait)
        except AnalyzerError as error:
            now = Standing(f"{wait.target}: reading its status failed, retrying: {printable(error)}")
        if now.line != last:
            tell(now.line)
            last = now.line
        if now.ended is not None:
            return now.ended
        if pace.monotonic() >= end:
            tell(f"{wait.target}: still in progress after {show_duration(timeout)}; the daemon continues")
            return ExitCode.RUNNING
        pace.sleep(EVERY)


def _look(documents: Documents, wait: Awaited) -> Standing:
    status = documents.status(wait.target)
    if status is None:
        return Standing(f"{wait.target}: status document not found; waiting for the daemon to write it")

    def ended() -> Sequence[HistoryEntry]:
        found = documents.history(wait.target)
        return found.history() if found else ()

    return standing(wait, status.status(), ended)


def _not_begun(wait: Awaited, status: StatusDocument) -> Standing:
    if wait.command is None and status.versions.canary != wait.version:
        return Standing(f"{wait.target}: waiting for the daemon to see version {wait.version}")
    if status.phase.idle:
        return Standing(f"{wait.target}: no release started: {_reason(status)}", ExitCode.ABORTED)
    return Standing(f"{wait.target}: pending: {_reason(status)}")


def _ended(release: str, result: str, reason: str) -> Standing:
    code = ExitCode.DONE if result == Result.PROMOTED else ExitCode.ABORTED
    why = first_sentence(printable(reason))
    return Standing(f"{release}: {why}" if why.startswith(f"{result} ") else f"{release}: {result}: {why}", code)


def _progress(release: str, status: StatusDocument) -> str:
    """What changes now and then; the reason has numbers that change with every tick."""
    phase, words = status.phase, status.phase.words
    if phase.paused:
        words += f" in {step_words(status)}: {_reason(status)}"
    elif phase.in_steps:
        words = step_words(status)
    elif phase.rolling_back:
        words += _because(status)
    return f"{release}: {words}; pods: stable {pods(status.replicas.stable)}, canary {pods(status.replicas.canary)}"


def _because(status: StatusDocument) -> str:
    return f", {printable(cause_words(status.cause))}" if status.cause else ""


def _reason(status: StatusDocument) -> str:
    return printable(short_reason(status))
