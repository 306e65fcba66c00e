"""Writes an operator's command for the daemon: start, pause, resume, promote, abort, retry."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime, timedelta

from analyzer.cli.operate.documents import Documents, Where, status_of
from analyzer.cli.operate.waiting import Awaited
from analyzer.model.state import Verb
from analyzer.record.commands import new_command, subject_of


def request(
    documents: Documents, where: Where, target: str, verb: Verb, extend: timedelta | None = None
) -> tuple[str, Awaited]:
    """Submit a command; gives a confirmation for the operator, and what could be waited for. Raises RecordError.

    It names the release that the status document shows, or the version that the canary has, and cannot hit another
    one that comes in between.
    """
    status = status_of(documents, where, target)
    version = documents.canary_version(status) if verb in (Verb.START, Verb.RETRY) else None
    subject = subject_of(status, verb, version)
    command = new_command(verb, subject, who(), datetime.now(UTC), extend)
    documents.submit(target, status.namespace, command)
    release = subject if subject == status.release else None
    told = (
        f"{verb} of {target} ({subject}) requested, command {command.id}; "
        f"`canary-analyzer status {target}` shows the daemon's answer"
    )
    return told, Awaited(target, release, subject, status.release, command.id)


def who() -> str:
    """The user that runs this program."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return f"uid {os.getuid()}"
