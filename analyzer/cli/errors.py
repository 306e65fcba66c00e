"""How a command ends: its exit status, and errors as a message with what to do next. Used by `app` for all commands."""

from __future__ import annotations

from enum import IntEnum

from analyzer.model.errors import AnalyzerError, ConfigError


class ExitCode(IntEnum):
    """Exit statuses of every command; they never change their meaning."""

    DONE = 0
    ERROR = 1
    ABORTED = 2
    RUNNING = 3


def error_text(error: AnalyzerError) -> str:
    """What a user sees in place of a traceback."""
    if not isinstance(error, ConfigError):
        return f"error: {error}"
    count = len(error.problems)
    return f"{error}\nerror: {count} mistake{'s' if count > 1 else ''} in the configuration; nothing was loaded"
