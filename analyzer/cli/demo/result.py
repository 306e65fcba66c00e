"""The demo's result: in a sentence for each release, as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from analyzer.cli.demo.story import Story
from analyzer.model.duration import show_duration
from analyzer.model.numbers import count, percent
from analyzer.model.numbers import seconds as show_seconds
from analyzer.model.plain_json import plain_json
from analyzer.model.verdict import Classification
from analyzer.model.verdict_document import metric_document
from analyzer.record.explanation import cause_words, first_sentence, listed
from analyzer.record.status import cause_document
from analyzer.sandbox.service import Tally
from analyzer.sandbox.shop import ReleaseKind

EXPECTED = {
    ReleaseKind.GOOD: "promoted",
    ReleaseKind.BAD: "aborted",
    ReleaseKind.SLOW: "aborted",
    ReleaseKind.BROKEN: "aborted",
    ReleaseKind.SLOW_START: "promoted",
    ReleaseKind.CRASH_LOOP: "aborted",
    ReleaseKind.NO_TRAFFIC: "held",
}
"""How a release of each kind should end."""


@dataclass(frozen=True, slots=True)
class Played:
    """One release of the demo: its story, what its users got, the alerts that arrived, its length in seconds."""

    kind: ReleaseKind
    story: Story
    users: Tally
    alerts: int
    seconds: float

    @property
    def right(self) -> bool:
        """It ended as its kind should."""
        return self.story.outcome == EXPECTED[self.kind]


def as_json(played: Played) -> dict[str, Any]:
    """One release with the documented keys."""
    story = played.story
    release = story.release
    result: dict[str, Any] = {
        "name": played.kind.value,
        "outcome": story.outcome,
        "phase": story.phase.value,
        "seconds": round(played.seconds, 1),
        "weights": [step.weight for step in release.plan.steps] if release else [],
        "observedShares": [round(share, 3) for _, share in sorted(story.shares.items())],
    }
    if story.outcome == "aborted":
        result |= _abort(played)
    return result | {"metrics": plain_json(tuple(map(metric_document, story.metrics)))}


def _abort(played: Played) -> Mapping[str, Any]:
    release = played.story.release
    cause = release.cause if release else None
    return {
        "culprit": cause.culprit if cause else None,
        "reason": cause.reason if cause else played.story.reason,
        "secondsToAbort": _since(played, release.aborted_at if release else None),
        "secondsToSafe": _since(played, release.safe_at if release else None),
        "usersHurt": played.users.hurt,
        "alertsDelivered": played.alerts,
    }


def _since(played: Played, moment: datetime | None) -> float | None:
    """Seconds from the version's first served request, None where it never served."""
    first = played.users.first_served
    return None if first is None or moment is None else round((moment - first).total_seconds(), 1)


def in_words(played: Played) -> str:
    """What happened in one release, as people tell it."""
    name, took = f"The {played.kind.value} release", show_duration(played.seconds)
    match played.story.outcome:
        case "promoted":
            text = f"{name} was promoted after {took}{_passed(played.story)}."
        case "aborted":
            text = _aborted_in_words(played, name)
        case "held":
            text = f"{name} is paused after {took}, waiting for an operator: {first_sentence(played.story.reason)}."
        case _:
            text = f"{name} did not end within {took}: {first_sentence(played.story.reason)}."
    return text if played.right else f"{text} Expected: {EXPECTED[played.kind]}."


def _passed(story: Story) -> str:
    metrics = [metric.name for metric in story.metrics if metric.classification is Classification.PASS]
    shares = [percent(round(share, 2)) for _, share in sorted(story.shares.items())]
    if not metrics or not shares:
        return ""
    return f": {listed(metrics)} passed while the canary served {listed(shares)} of the requests"


def _aborted_in_words(played: Played, name: str) -> str:
    numbers = _abort(played)
    to_abort, to_safe = numbers["secondsToAbort"], numbers["secondsToSafe"]
    when = f" {show_seconds(to_abort)} after its first request" if to_abort is not None else ""
    safe = f" It was out of service {show_seconds(to_safe - to_abort)} later." if to_abort and to_safe else ""
    hurt = played.users.hurt
    users = f"{count(hurt)} {'request' if hurt == 1 else 'requests'} got an error from it"
    alerts = f"{played.alerts} alert{' was' if played.alerts == 1 else 's were'} delivered"
    return f"{name} was aborted{when}{_because(played.story)}.{safe} {users}; {alerts}."


def _because(story: Story) -> str:
    cause = story.release.cause if story.release else None
    if cause is None:
        return f": {first_sentence(story.reason)}"
    reason = first_sentence(cause.reason).removeprefix(f"{cause.culprit}: ")
    return f" because {cause_words(cause_document(cause))}: {reason}"


def as_table(releases: Sequence[Played]) -> Table:
    """All releases at a glance, in 80 columns; `to abort` and `to safe` count from the version's first request."""
    table = Table(title="Result", title_justify="left")
    for heading in ("release", "outcome", "took", "shares", "culprit", "to abort", "to safe"):
        table.add_column(heading, overflow="fold")
    for played in releases:
        table.add_row(*_row(played))
    return table


def _row(played: Played) -> tuple[str, ...]:
    story, release = played.story, played.story.release
    expected = "" if played.right else f" (expected {EXPECTED[played.kind]})"
    outcome = f"[{'green' if played.right else 'red'}]{story.outcome}{expected}[/]"
    shares = ", ".join(percent(round(share, 2)) for _, share in sorted(story.shares.items())) or "-"
    culprit = release.cause.culprit if release and release.cause else None
    to_abort = _since(played, release.aborted_at if release else None)
    to_safe = _since(played, release.safe_at if release else None)
    times = tuple("-" if value is None else show_seconds(value) for value in (to_abort, to_safe))
    return (played.kind.value, outcome, show_duration(played.seconds), shares, culprit or "-", *times)
