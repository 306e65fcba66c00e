"""A canary pod that keeps restarting while stable's do not needs no statistics. Called by the evidence of counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.judge.observations.observation import Observation

RESTARTS = 2
"""So many restarts of one canary pod ..."""

SECONDS = 600.0
"""... within this time, with none in stable, end a release at once."""


@dataclass(frozen=True, slots=True)
class _RestartsSeen:
    index: int
    canary: tuple[tuple[str, float], ...]
    stable: float | None


@dataclass(frozen=True, slots=True)
class RestartRule:
    """Restarts of the last ten minutes, block by block, and `struck`: what broke the rule in this step, if it was
    broken."""

    recent: tuple[_RestartsSeen, ...] = ()
    struck: str | None = None

    def after(self, seen: Sequence[Observation], block: float) -> RestartRule:
        """With more blocks, of `block` seconds each."""
        rule = self
        reach = math.ceil(SECONDS / block)
        for one in seen:
            canary = tuple((pod, row[0][0]) for pod, row in one.canary.pods.items() if row[0][0] > 0)
            latest = _RestartsSeen(one.index, canary, one.stable.events[0] if one.stable.pods else None)
            recent = tuple(old for old in rule.recent if old.index > one.index - reach)
            recent = (*recent, latest)
            rule = RestartRule(recent, rule.struck or _struck(recent))
        return rule


def _struck(recent: tuple[_RestartsSeen, ...]) -> str | None:
    stable = [one.stable for one in recent if one.stable is not None]
    if not stable or sum(stable) > 0:
        return None
    restarts: dict[str, float] = {}
    for one in recent:
        for pod, count in one.canary:
            restarts[pod] = restarts.get(pod, 0.0) + count
    worst = max(sorted(restarts), key=lambda pod: restarts[pod], default=None)
    if worst is None or restarts[worst] < RESTARTS:
        return None
    often = f"{restarts[worst]:.0f} times within {SECONDS / 60:.0f} minutes"
    return f"canary pod {worst} restarted {often}, stable's pods never"
