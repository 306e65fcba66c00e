"""The exception tree. Adapters translate foreign errors into these once, at their edge, chained with `from`."""

from __future__ import annotations

from dataclasses import dataclass


class AnalyzerError(Exception):
    """Anything this program raises on purpose. Its text is fit to be shown to a user."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration, or one warning: where it is, what was expected, what was found, what to do."""

    file: str
    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigError(AnalyzerError):
    """The configuration can't be used; `problems` holds every mistake that was found, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class ObservationError(AnalyzerError):
    """Prometheus could not be asked, refused the query, or answered in a way that can't be trusted."""


class ActuationError(AnalyzerError):
    """A Deployment could not be read or written."""


class ConflictError(ActuationError):
    """Somebody else wrote first: the fence, the uid or the old value did not match. Read again and decide anew."""


class RecordError(AnalyzerError):
    """A document of ours could not be read or written."""


class StaleStateError(RecordError):
    """The state document has a newer version than the one that was read. Read again and decide anew."""


class AlertError(AnalyzerError):
    """An alert was not delivered. `retryable` says whether trying again can help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        self.retryable = retryable
        super().__init__(message)


class LeaseLostError(AnalyzerError):
    """This process may not write any more: another one holds the Lease."""


class SandboxError(AnalyzerError):
    """The embedded sandbox could not be set up or kept running."""
