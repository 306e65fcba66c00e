"""Sentences, lines, durations and moments, as all parts of an explanation write them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta

from analyzer.model.moments import clock_time, short_duration
from analyzer.model.numbers import percent
from analyzer.model.status_document import StatusDocument

_NARROWEST = 40
_JOINT = "\N{NO-BREAK SPACE}"
_JOINED = re.compile(r"(?<=\d) (?=(?:%|pp\b|ms\b|s\b|B\b|[KMGTP]iB\b))")
"""A number and its unit stay on one line."""

_COMMAND = re.compile(r"`[^`]{1,60}`")
_MARK = "\0"
_MARKED = re.compile(f"{_MARK}([^{_MARK}]*){_MARK}")
_MARKED_ONES = re.compile(f"{_MARK}[^{_MARK}]*{_MARK}(?:; {_MARK}[^{_MARK}]*{_MARK})*")
_SENTENCE_END = re.compile(r"(?<=[^.\s]\.)\s+(?=[A-Z`])")


def wrap(text: str, width: int, *, indent: int = 2, hanging: int = 2) -> list[str]:
    """Text as lines of at most `width` columns, `indent` spaces in; lines after the first are `hanging` further in.

    Numbers stay with their units, and commands in backquotes in one piece. A word longer than the line is not cut.
    """
    joined = _COMMAND.sub(lambda command: command[0].replace(" ", _JOINT), _JOINED.sub(_JOINT, text))
    lines = textwrap.wrap(
        joined,
        max(width, _NARROWEST),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_JOINT, " ") for line in lines]


def first_sentence(text: str) -> str:
    """The first sentence, without its full stop."""
    return _SENTENCE_END.split(text.strip(), maxsplit=1)[0].removesuffix(".")


def sentence(text: str) -> str:
    """Text with a full stop, unless it ends in a sign of its own."""
    return text if text.endswith((".", "!", "?", ":", ";")) else f"{text}."


def capital(text: str) -> str:
    """The same with a capital first letter."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """Names as people list them: errors, latency and memory."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def between(earlier: datetime, later: datetime) -> str:
    """How long from one moment to another: 2m14s, 3d4h."""
    return short_duration(max(later - earlier, timedelta(0)))


def ahead(when: datetime, now: datetime) -> str:
    """A moment to come: in 25m, 04:30:00Z."""
    return f"in {between(now, when)}, {clock_time(when, now)}" if when > now else f"now, {clock_time(when, now)}"


def step_words(status: StatusDocument) -> str:
    """The step that a release is in: step 2 of 3 (25 %)."""
    weight = status.step_weight
    if weight is None and status.phase.in_steps:
        weight = status.weight
    shown = "" if weight is None else f" ({percent(weight / 100)})"
    return f"step {status.step} of {status.steps}{shown}"


def without_metrics(text: str, status: StatusDocument) -> str:
    """A reason with names in place of what metrics wait for: the metrics have lines of their own."""
    name = "|".join(re.escape(metric.name) for metric in status.metrics)
    for metric in status.metrics:
        text = text.replace(metric.reason, f"{_MARK}{metric.name}{_MARK}")
        if metric.waiting:  # several metrics may wait for the same: "errors, latency: ..."
            names = f"((?:{name})(?:, (?:{name}))*)"
            text = re.sub(f"{names}: {re.escape(metric.waiting)}", f"{_MARK}\\1{_MARK}", text)
    more = "more evidence on" if status.action == "HOLD" else "evidence on"
    return _MARKED_ONES.sub(lambda found: f"{more} {listed(', '.join(_MARKED.findall(found[0])).split(', '))}", text)
