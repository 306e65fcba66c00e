"""The first lines of an answer: how the release stands, and what made it so."""

from __future__ import annotations

from datetime import datetime

from analyzer.model.moments import ago
from analyzer.model.status_document import CauseDocument, PauseDocument, StatusDocument
from analyzer.record.explanation.text import between, capital, sentence, step_words, without_metrics

_CAUSES = {
    "fail": "{culprit} failed",
    "guard": "{culprit} is out of bounds",
    "hard-failure": "pods of the new version failed ({culprit})",
    "operator": "aborted by an operator",
    "superseded": "a newer version took its place",
    "inconclusive": "not decided before the deadline",
    "drift": "another client changed a Deployment",
    "gate-timeout": "its gate was not opened in time",
    "regression": "{culprit} got worse after the promotion",
}
_CULPRIT_AS_METRIC = frozenset({"fail", "guard", "regression"})


def headline(status: StatusDocument, now: datetime) -> str:
    """One line: the target and how it stands."""
    return f"{status.target} ({status.namespace}): {_standing(status, now)}"


def because(status: StatusDocument, now: datetime) -> list[str]:
    """What led to this: the culprit of an abort, who paused it, or why the phase was entered."""
    lines = []
    if status.error:
        lines.append(sentence(f"The last tick failed and changed nothing: {status.error}"))
    cause, pause = status.cause, status.pause
    if cause and stopped(status):
        if not _named_by_headline(cause):
            lines.append(sentence(_capital_unless_name(cause.reason, cause.culprit)))
    elif pause:
        lines.append(_paused(pause, status, now))
    elif (reason := status.phase_reason) and not (status.unmanaged or status.phase.clock_runs):
        lines.append(sentence(capital(reason)))
    return lines


def stopped(status: StatusDocument) -> bool:
    """Is this about a release that is rolled back or was?"""
    return status.phase.stopped


def culprit_metric(status: StatusDocument) -> str | None:
    """The metric whose comparison the cause has told already."""
    cause = status.cause
    return cause.culprit if cause and stopped(status) and cause.kind in _CULPRIT_AS_METRIC else None


def cause_words(cause: CauseDocument) -> str:
    """Why a release was aborted, in a few words."""
    if _named_by_headline(cause):
        return cause.reason
    pattern = _CAUSES.get(cause.kind, cause.kind)
    return pattern.format(culprit=cause.culprit or "a metric")


def _named_by_headline(cause: CauseDocument) -> bool:
    """Who aborted it is all there is to say."""
    return cause.kind == "operator" and cause.reason.startswith("aborted by ")


def _capital_unless_name(text: str, name: str | None) -> str:
    """A capital first letter, but not for the name of a metric that the text begins with."""
    return text if name and text.startswith(name) else capital(text)


def _standing(status: StatusDocument, now: datetime) -> str:
    phase = status.phase
    lasting = f"{phase.words} for {between(status.since, now)}" if status.since else phase.words
    if phase.paused:
        return f"{phase.words} in {step_words(status)}"
    if phase.in_steps:
        return f"{phase.words}, {step_words(status)} for {_in_step(status, now)}"
    if phase.rolling_back:
        return ", ".join(filter(None, (lasting, _why(status))))
    if phase.stopped:
        why = _why(status)
        return why if why.startswith(phase.words) else ", ".join(filter(None, (phase.words, why)))
    return _between_releases(status) if phase.idle else lasting


def _between_releases(status: StatusDocument) -> str:
    phase = status.phase
    if status.unmanaged and not phase.gone:
        return "not managed yet, replicas are left alone"
    return "passed (mode observe)" if phase.ended and status.mode == "observe" else phase.words


def _why(status: StatusDocument) -> str:
    return cause_words(status.cause) if status.cause else ""


def _in_step(status: StatusDocument, now: datetime) -> str:
    entered = status.step_started_at or status.since
    return between(entered, now) if entered else "?"


def _paused(pause: PauseDocument, status: StatusDocument, now: datetime) -> str:
    when = f" {ago(pause.since, now)}"
    reason = without_metrics(pause.reason, status)
    if pause.kind == "operator":
        return f"Paused {reason.removeprefix('paused ')}{when}."
    return sentence(f"Paused{when}: {reason}")
