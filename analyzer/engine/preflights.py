"""What a preflight found for the releases that wait, remembered for a while. Admission asks at each tick."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from analyzer.model.errors import AnalyzerError
from analyzer.model.finding import Level
from analyzer.model.state import TargetState
from analyzer.model.workload import Snapshot
from analyzer.ports import Clock, Preflight

REMEMBERED = 60.0
"""Seconds that findings count: a target that waits must not hammer the API server."""

TRIED_AGAIN = 10.0
"""Seconds after which a preflight that got no answer is made again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What keeps a release from beginning, and what people should know; it counts for so many `seconds`."""

    obstacle: str | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = REMEMBERED


class Preflights:
    """Thread-safe. `preflight` None: nothing is checked."""

    def __init__(self, clock: Clock, preflight: Preflight | None = None) -> None:
        self._clock = clock
        self._preflight = preflight
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, float, Outcome]] = {}

    def use(self, preflight: Preflight | None) -> None:
        """Follow a changed configuration: everything is looked at anew."""
        with self._lock:
            self._preflight = preflight
            self._known.clear()

    def forget(self, target: str) -> None:
        """The target waits no longer."""
        with self._lock:
            self._known.pop(target, None)

    def outcome(self, state: TargetState, snapshot: Snapshot) -> Outcome:
        """What was found at most a minute ago about this version in these Deployments; else what is found now."""
        preflight = self._preflight
        if preflight is None:
            return Outcome()
        about = (state.since, snapshot.target, _versions(snapshot))
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get(state.target)
        if known is not None and known[0] == about and now - known[1] < known[2].seconds:
            return known[2]
        outcome = _look(preflight, state, snapshot)
        with self._lock:
            if preflight is self._preflight:
                self._known[state.target] = (about, now, outcome)
        return outcome


def _look(preflight: Preflight, state: TargetState, snapshot: Snapshot) -> Outcome:
    try:
        findings = preflight.check(snapshot.target, state.roles, snapshot)
    except AnalyzerError as error:
        return Outcome(f"the preflight could not be made: {error}", seconds=TRIED_AGAIN)
    errors = [str(finding) for finding in findings if finding.level is Level.ERROR]
    warnings = tuple(str(finding) for finding in findings if finding.level is Level.WARNING)
    return Outcome(f"preflight: {' | '.join(errors)}" if errors else None, warnings)


def _versions(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    sides = (snapshot.stable, snapshot.canary)
    return tuple((side.uid, side.template.hash) for side in sides if side is not None)
