"""The demo's result, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from analyzer.cli.demo.story import Story
from analyzer.model.verdict import MetricVerdict
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
    """One release that was played: its story, what its users met, the alerts that arrived, its length in seconds."""

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
    return result | {"metrics": [_metric(metric) for metric in story.metrics]}


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


def _metric(metric: MetricVerdict) -> dict[str, Any]:
    return {
        "name": metric.name,
        "classification": metric.classification.value,
        "canary": {"events": round(metric.canary.events), "total": round(metric.canary.total)},
        "stable": {"events": round(metric.stable.events), "total": round(metric.stable.total)},
        "ratio": None if metric.ratio is None else round(metric.ratio, 2),
        "interval": _interval(metric),
    }


def _interval(metric: MetricVerdict) -> list[float | None] | None:
    interval = metric.finite_interval()
    return None if interval is None else [None if end is None else round(end, 2) for end in interval]


def as_table(releases: Sequence[Played]) -> Table:
    """All releases for people."""
    table = Table(title="What happened", title_justify="left")
    for heading in ("release", "outcome", "seconds", "observed shares", "why"):
        table.add_column(heading, overflow="fold")
    for played in releases:
        story = played.story
        outcome = f"[{'green' if played.right else 'red'}]{story.outcome}[/]"
        shares = ", ".join(f"{100 * share:.0f} %" for _, share in sorted(story.shares.items()))
        table.add_row(played.kind.value, outcome, f"{played.seconds:.0f}", shares, _why(played))
    return table


def _why(played: Played) -> str:
    if played.story.outcome != "aborted":
        return played.story.reason
    numbers = _abort(played)
    to_abort, to_safe = numbers["secondsToAbort"], numbers["secondsToSafe"]
    times = "" if to_abort is None else f"; {to_abort:g} s after its first request, out of service after {to_safe:g} s"
    delivered = f"{played.alerts} alert{'' if played.alerts == 1 else 's'} delivered"
    return f"{numbers['reason']}{times}; {played.users.hurt} users met an error of it; {delivered}"
