"""What would change the situation: what the daemon waits for, and what an operator can do."""

from __future__ import annotations

import re
from datetime import datetime

from analyzer.model.numbers import percent
from analyzer.record.explanation.outcome import stopped
from analyzer.record.explanation.text import Json, ahead, first_sentence, moment, sentence, without_metrics

_PLACE = re.compile(r"^(?:step \d+(?: of \d+)?(?: \([^)]*\))?(?: reached)?|promoting|rolling back|baking): ")
"""What stands before a reason and is said by the phase."""

_FEW_WORDS = 2
"""What is left of a reason beside what is said elsewhere has more than these: "idle" and "rolling back" say no more
than the phase."""

_RESTING = frozenset({"IDLE", "SUCCEEDED", "ABORTED", "GONE"})
_AT_DEADLINE = {
    "hold": "then the release pauses",
    "rollback": "then it is rolled back",
    "promote": "then it is promoted unless there is evidence against it",
}


def outlook(status: Json, now: datetime) -> str:
    """What comes next, and what would change that."""
    text = _next(status, now)
    need = present_reason(status)
    if need and not status.get("error") and not _left_alone(status):
        text += f" {'Last tick' if status['phase'] in _RESTING else 'Before that'}: {sentence(need)}"
    deadline = moment(status.get("deadlineAt"))
    if deadline:
        text += f" Deadline {ahead(deadline, now)}: {_AT_DEADLINE[status['atDeadline']]}."
    return f"Next: {text}"


def present_reason(status: Json) -> str:
    """What the last tick did or waited for, without what the rest of an answer says; "" where nothing is left."""
    reason = str(status["reason"])
    text = without_place(reason)
    for known in _told(status):
        text = text.replace(known, "")
    text = without_place(without_metrics(text, status).strip(" ;,:."))
    baking = status["phase"] == "BAKING" and text.startswith(("baking ", "baked "))
    cut = text != reason and len(text.split()) <= _FEW_WORDS
    return "" if baking or cut else text


def short_reason(status: Json) -> str:
    """The reason in a table: what ended a release in its first sentence, else what the last tick waits for."""
    if status.get("error"):
        return f"error: {status['error']}"
    cause, pause = status.get("cause"), status.get("pause")
    if cause and stopped(status):
        return first_sentence(cause["reason"])
    if pause:
        return f"paused {pause['reason']}" if pause["reason"].startswith("by ") else str(pause["reason"])
    reason = str(status.get("reason") or "")
    entered = status.get("phaseReason")
    if entered and reason.endswith(entered):
        return first_sentence(entered)
    return without_place(reason.removeprefix(f"{entered}; "))


def without_place(reason: str) -> str:
    """A reason without the step or phase that it begins with, where these are shown beside it."""
    return _PLACE.sub("", reason)


def last_answer(status: Json) -> str | None:
    """What became of an operator's latest command; None before the first."""
    answered = status.get("executedCommands")
    if not answered:
        return None
    latest = answered[-1]
    fate = "accepted" if latest["accepted"] else "refused"
    said = any(known in latest["answer"] for known in _told(status))
    answer = "" if latest["accepted"] and said else f": {latest['answer']}"
    return f"Latest command ({latest['verb']}, {latest['id']}) {fate}{answer}"


def _left_alone(status: Json) -> bool:
    """Not managed yet, and nothing is missing for a first release."""
    sides = status["replicas"].values()
    return bool(status["unmanaged"]) and all(side["available"] is not None for side in sides)


def _told(status: Json) -> list[str]:
    """Reasons that stand in lines of their own, the longest first."""
    cause, pause = status.get("cause"), status.get("pause")
    known = [status.get("phaseReason")]
    if cause:
        known += [f"{cause['kind']}: {cause['reason']}", cause["reason"]]
    if pause:
        known.append(pause["reason"])
    return sorted(filter(None, known), key=len, reverse=True)


def _next(status: Json, now: datetime) -> str:
    match status["phase"]:
        case "PENDING":
            return f"the release starts; `canary-analyzer abort {status['target']}` cancels it."
        case "PROGRESSING":
            return f"{_goal(status)}."
        case "PAUSED":
            return _from_pause(status, now)
        case "PROMOTING":
            return "the bake, once stable runs the new version."
        case "BAKING":
            ends = moment(status.get("bakeEndsAt"))
            return f"promoted {ahead(ends, now)}." if ends else "promoted at the end of the bake."
        case "ROLLING_BACK":
            return "aborted, once the canary has no pods and stable has all of its pods."
        case _:
            return _between_releases(status)


def _between_releases(status: Json) -> str:
    target, version = status["target"], f"a new version of {status['replicas']['canary']['deployment']}"
    start = f"`canary-analyzer start {target}`"
    match status["phase"]:
        case "ABORTED":
            again = f"`canary-analyzer retry {target}` releases the same version again"
            return f"{version} starts a release; {again}."
        case "GONE":
            return f"recreate what was deleted; then {version}, or {start}, starts a release."
        case "IDLE" if status["unmanaged"]:
            return f"{version}, or {start}, starts the first release."
        case _:
            return f"{version} starts a release."


def _goal(status: Json) -> str:
    if status["step"] < status["steps"]:
        weight = status.get("nextWeight")
        shown = "" if weight is None else f" ({percent(weight / 100)})"
        return f"step {status['step'] + 1} of {status['steps']}{shown}"
    return "the end of the release" if status.get("mode") == "observe" else "promotion"


def _from_pause(status: Json, now: datetime) -> str:
    target, pause = status["target"], status["pause"] or {}
    command = f"`canary-analyzer resume {target}`"
    extended = f"`canary-analyzer resume {target} --extend 1h`"
    goes_on = {
        "gate": f"{command} opens the gate",
        "inconclusive": f"{extended} moves the deadline and goes on",
        "drift": f"{command} accepts the change and goes on",
    }.get(pause.get("kind", ""), f"{command} goes on")
    text = f"{goes_on}; `canary-analyzer abort {target}` rolls back."
    timeout = moment(pause.get("timeoutAt"))
    if timeout and pause["then"] == "rollback":
        text += f" Without either it is rolled back {ahead(timeout, now)}."
    return text
