"""Asks the daemon for something: start, pause, resume, promote, abort, retry."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime, timedelta

from analyzer.cli.operate.documents import Documents, Where, shown, status_of
from analyzer.cli.operate.waiting import Awaited
from analyzer.model.state import Verb
from analyzer.record.commands import new_command, subject_of


def request(
    documents: Documents, where: Where, target: str, verb: Verb, extend: timedelta | None = None
) -> tuple[str, Awaited]:
    """Put a command on file; gives what to tell the operator, and what could be waited for. Raises RecordError.

    It is for the release that the status document shows, or for the version that the canary has: it can't hit
    another one that comes meanwhile.
    """
    status = status_of(documents, where, target)
    version = documents.canary_version(status) if verb in (Verb.START, Verb.RETRY) else None
    subject = shown(status, lambda found: subject_of(found, verb, version))
    command = new_command(verb, subject, who(), datetime.now(UTC), extend)
    documents.submit(target, str(status["namespace"]), command)
    release = subject if subject == status["release"] else None
    told = (
        f"asked to {verb} {target} ({subject}) as {command.id}; "
        f"`canary-analyzer status {target}` repeats the daemon's answer"
    )
    return told, Awaited(target, release, subject, status["release"], command.id)


def who() -> str:
    """The user that runs this program."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that nobody has heard of
        return f"uid {os.getuid()}"
