"""What was done and when, and what serves now."""

from __future__ import annotations

from datetime import datetime

from analyzer.model.moments import ago, clock_time
from analyzer.model.numbers import percent
from analyzer.model.status_document import CauseDocument, DeploymentDocument, StatusDocument
from analyzer.record.explanation.outcome import cause_words, stopped
from analyzer.record.explanation.text import between, step_words


def about_release(status: StatusDocument) -> bool:
    """Is the release in the document what the target's phase is about? While another one waits, it is the last one."""
    return bool(status.release) and (status.phase.active or status.phase.ended)


def done(status: StatusDocument, now: datetime) -> list[str]:
    """The release and its times."""
    if not status.release:
        return []
    name = f"Release {status.release}" if about_release(status) else f"Last release {status.release}"
    known = " of a known-good version" if status.known_good else ""
    happened = ", ".join(filter(None, (_started(status, now), *_ending(status, now))))
    lines = [f"{name}{known}: {happened or 'times are not known'}."]
    if status.mode == "observe":
        lines.append("Mode observe: the release is judged and reported, replicas are not changed.")
    return lines


def at_present(status: StatusDocument) -> str:
    """Pods of both sides, and in a step the canary's weight and share of the requests."""
    stable, canary = status.replicas.stable, status.replicas.canary
    if stable.available is None and canary.available is None:
        return f"Now: the pods of {stable.deployment} and {canary.deployment} are not known."
    sides = f"stable {_pods(stable, ' pods available')}, canary {_pods(canary, '')}"
    return f"Now: {sides}{_traffic(status)}."


def _pods(side: DeploymentDocument, unit: str) -> str:
    if side.available is None:
        return f"{side.deployment} not known"
    return f"{side.deployment} {side.available} of {side.requested}{unit}"


def _traffic(status: StatusDocument) -> str:
    if not status.phase.in_steps:
        return ""
    share, weight = status.observed_share, status.weight
    asked = "" if weight is None else f"; weight {percent(weight / 100)} requested"
    if share is None or not status.replicas.canary.available:
        return asked
    return f"{asked}, {percent(share)} of requests observed"


def _started(status: StatusDocument, now: datetime) -> str | None:
    started = status.started_at
    if started is None:
        return None
    over = status.outcome or status.aborted_at
    return f"started {clock_time(started, now) if over else ago(started, now)}"


def _ending(status: StatusDocument, now: datetime) -> list[str]:
    aborted, ended = status.aborted_at, status.ended_at
    if status.outcome == "promoted" and ended:
        return [f"promoted {clock_time(ended, now)}{_took(status, ended)}"]
    if status.cause and aborted:
        return [_aborted(status, status.cause, aborted, now), *_safe(status, aborted)]
    return [f"{status.outcome} {clock_time(ended, now)}"] if ended and status.outcome else []


def _took(status: StatusDocument, ended: datetime) -> str:
    return f" after {between(status.started_at, ended)}" if status.started_at else ""


def _aborted(status: StatusDocument, cause: CauseDocument, aborted: datetime, now: datetime) -> str:
    where = "during the promotion" if status.promoting_at else f"in {step_words(status)}"
    words = "superseded" if status.outcome == "superseded" else "aborted"
    why = "" if stopped(status) or words == "superseded" else f" because {cause_words(cause)}"
    return f"{words} {clock_time(aborted, now)} {where}{why}"


def _safe(status: StatusDocument, aborted: datetime) -> list[str]:
    return [f"out of service after {between(aborted, status.safe_at)}"] if status.safe_at else []
