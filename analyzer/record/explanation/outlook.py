"""What would change the situation: what the daemon waits for, and what an operator can do."""

from __future__ import annotations

import re
from datetime import datetime

from analyzer.model.numbers import percent
from analyzer.model.phase import Phase
from analyzer.model.status_document import StatusDocument
from analyzer.record.explanation.outcome import stopped
from analyzer.record.explanation.text import ahead, first_sentence, sentence, without_metrics

_AFTER_STEPS = "|".join(phase.words for phase in Phase if phase.active and not phase.in_steps)
_PLACE = re.compile(rf"^(?:step \d+(?: of \d+)?(?: \([^)]*\))?(?: reached)?|{_AFTER_STEPS}): ")
"""What stands before a reason and is said by the phase."""

_FEW_WORDS = 2
"""What is left of a reason beside what is said elsewhere has more than these: "idle" and "rolling back" say no more
than the phase."""

_AT_DEADLINE = {
    "hold": "then the release pauses",
    "rollback": "then it is rolled back",
    "promote": "then it is promoted unless there is evidence against it",
}


def outlook(status: StatusDocument, now: datetime) -> str:
    """What comes next, and what would change that."""
    text = _next(status, now)
    need = present_reason(status)
    if need and not status.error and not _left_alone(status):
        text += f" {'Last tick' if status.phase.idle else 'Before that'}: {sentence(need)}"
    if status.deadline_at:
        then = _AT_DEADLINE.get(status.at_deadline or "", "then the release ends")
        text += f" Deadline {ahead(status.deadline_at, now)}: {then}."
    return f"Next: {text}"


def present_reason(status: StatusDocument) -> str:
    """What the last tick did or waited for, without what the rest of an answer says; "" where nothing is left."""
    text = without_place(status.reason)
    for known in _told(status):
        text = text.replace(known, "")
    text = without_place(without_metrics(text, status).strip(" ;,:."))
    baking = status.phase.baking and text.startswith(("baking ", "baked "))
    cut = text != status.reason and len(text.split()) <= _FEW_WORDS
    return "" if baking or cut else text


def short_reason(status: StatusDocument) -> str:
    """The reason in a table: what ended a release in its first sentence, else what the last tick waits for."""
    if status.error:
        return f"error: {status.error}"
    cause, pause = status.cause, status.pause
    if cause and stopped(status):
        return first_sentence(cause.reason)
    if pause:
        return f"paused {pause.reason}" if pause.reason.startswith("by ") else pause.reason
    entered = status.phase_reason
    if entered and status.reason.endswith(entered):
        return first_sentence(entered)
    return without_place(status.reason.removeprefix(f"{entered}; "))


def without_place(reason: str) -> str:
    """A reason without the step or phase that it begins with, where these are shown beside it."""
    return _PLACE.sub("", reason)


def last_answer(status: StatusDocument) -> str | None:
    """What became of an operator's latest command; None before the first."""
    if not status.executed_commands:
        return None
    latest = status.executed_commands[-1]
    fate = "accepted" if latest.accepted else "refused"
    said = any(known in latest.answer for known in _told(status))
    answer = "" if latest.accepted and said else f": {latest.answer}"
    return f"Latest command ({latest.verb}, {latest.id}) {fate}{answer}"


def _left_alone(status: StatusDocument) -> bool:
    """Not managed yet, and nothing is missing for a first release."""
    sides = (status.replicas.stable, status.replicas.canary)
    return status.unmanaged and all(side.available is not None for side in sides)


def _told(status: StatusDocument) -> list[str]:
    """Reasons that stand in lines of their own, the longest first."""
    cause, pause = status.cause, status.pause
    known = [status.phase_reason]
    if cause:
        known += [f"{cause.kind}: {cause.reason}", cause.reason]
    if pause:
        known.append(pause.reason)
    return sorted(filter(None, known), key=len, reverse=True)


def _next(status: StatusDocument, now: datetime) -> str:
    phase = status.phase
    if phase.idle:
        return _between_releases(status)
    if phase.pending:
        return f"the release starts; `canary-analyzer abort {status.target}` cancels it."
    if phase.paused:
        return _from_pause(status, now)
    if phase.in_steps:
        return f"{_goal(status)}."
    if phase.baking:
        ends = status.bake_ends_at
        return f"promoted {ahead(ends, now)}." if ends else "promoted at the end of the bake."
    return f"{phase.until}."


def _between_releases(status: StatusDocument) -> str:
    target, version = status.target, f"a new version of {status.replicas.canary.deployment}"
    start = f"`canary-analyzer start {target}`"
    if status.phase.stopped:
        return f"{version} starts a release; `canary-analyzer retry {target}` releases the same version again."
    if status.phase.gone:
        return f"recreate what was deleted; then {version}, or {start}, starts a release."
    if status.unmanaged:
        return f"{version}, or {start}, starts the first release."
    return f"{version} starts a release."


def _goal(status: StatusDocument) -> str:
    if status.step and status.steps and status.step < status.steps:
        weight = status.next_weight
        shown = "" if weight is None else f" ({percent(weight / 100)})"
        return f"step {status.step + 1} of {status.steps}{shown}"
    return "the end of the release" if status.mode == "observe" else "promotion"


def _from_pause(status: StatusDocument, now: datetime) -> str:
    target, pause = status.target, status.pause
    command = f"`canary-analyzer resume {target}`"
    extended = f"`canary-analyzer resume {target} --extend 1h`"
    goes_on = {
        "gate": f"{command} opens the gate",
        "inconclusive": f"{extended} moves the deadline and goes on",
        "drift": f"{command} accepts the change and goes on",
    }.get(pause.kind if pause else "", f"{command} goes on")
    text = f"{goes_on}; `canary-analyzer abort {target}` rolls back."
    if pause and pause.timeout_at and pause.then == "rollback":
        text += f" Without either it is rolled back {ahead(pause.timeout_at, now)}."
    return text
