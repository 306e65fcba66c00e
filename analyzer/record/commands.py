"""How an operator's request reaches the daemon: one file per command. Only the command line writes here."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path

from analyzer.model.errors import RecordError
from analyzer.model.state import EXECUTED_KEPT, Command, Verb
from analyzer.model.status_document import StatusDocument
from analyzer.record import atomic, codec


def subject_of(status: StatusDocument, verb: Verb, canary_version: str | None = None) -> str:
    """What a request made now is for: the release in progress, or the canary version that would be released.

    Naming it keeps a command from hitting a release that the operator has not seen. `canary_version` is what the
    canary's Deployment has now, where that is known better. Raises RecordError when there is nothing that the command
    could be for.
    """
    target, phase = status.target, status.phase
    pending = phase.pending and verb is Verb.ABORT
    if verb in (Verb.START, Verb.RETRY) or pending:
        version = canary_version or status.versions.canary
        if version is None:
            raise RecordError(
                f"{target}: {verb}: the version of the canary is not known (phase {phase}: {status.reason}); wait "
                "until both Deployments exist, then try again"
            )
        return version
    if status.release is None or not phase.active:
        raise RecordError(
            f"{target}: {verb}: expected a release in progress, found phase {phase} "
            f"({status.reason}); begin one with `canary-analyzer start` or `retry`"
        )
    return status.release


def new_command(verb: Verb, subject: str, by: str, at: datetime, extend: timedelta | None = None) -> Command:
    """A command with an id that sorts by time and is unique among operators who ask at the same moment."""
    return Command(f"{at:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}", verb, subject, by, at, extend)


def submit(directory: Path, target: str, command: Command) -> None:
    """Put a command on file for the daemon, durably; operators may do so at the same time. Raises RecordError.

    Only as many commands stay on file as a state document remembers, so none of them is ever executed again.
    """
    path = _folder(directory, target) / f"{atomic.safe_name(command.id)}.json"
    for outdated in files(directory, target)[: -(EXECUTED_KEPT - 1)]:
        atomic.remove(outdated)
    atomic.replace(path, codec.encode_command(command))


def files(directory: Path, target: str) -> list[Path]:
    """The files that hold a target's commands, by id. Raises RecordError."""
    return atomic.documents(_folder(directory, target))


def _folder(directory: Path, target: str) -> Path:
    return directory / "commands" / atomic.safe_name(target)
