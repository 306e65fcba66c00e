"""May a pending release begin? Freeze, slots, preflight and measurements. Ticks call this."""

from __future__ import annotations

import threading
from datetime import datetime

from analyzer.decision.steps import rounding, too_coarse
from analyzer.engine.release_checks import MEASURING, NotReady, ReleaseChecks
from analyzer.engine.state_cache import StateCache
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Admission, Snapshot, Workload
from analyzer.ports import Measurements, Preflight


class Admissions:
    """Gives slots to pending targets, oldest first. Thread-safe; freeze and limit may change at any time."""

    def __init__(self, state_cache: StateCache, checks: ReleaseChecks, limit: int, *, freeze: bool = False) -> None:
        self._state_cache = state_cache
        self._checks = checks
        self._lock = threading.Lock()
        self._waiting: dict[str, datetime] = {}
        self._granted: set[str] = set()
        self._limit, self._freeze = limit, freeze

    def configure(self, metrics: Measurements, limit: int, *, freeze: bool, preflight: Preflight | None = None) -> None:
        """Follow a changed configuration from now on."""
        self._limit, self._freeze = limit, freeze
        self._checks.use(metrics, preflight)

    def admit(self, state: TargetState, snapshot: Snapshot, held: str | None = None) -> Admission:
        """What this target may do in this tick; `settle` must follow at its end. `held` is another reason why nothing
        may move forward now."""
        stable = snapshot.stable
        if self._freeze or held:
            self._give_way(state.target, "")
            return Admission(frozen=self._freeze, held=held, warnings=(held,) if held else ())
        if state.phase is not Phase.PENDING:
            return Admission()
        if stable is None or not stable.settled:
            self._give_way(state.target, "")
            return Admission()  # the decision gives the reason
        if coarse := _too_coarse(snapshot.target, stable):
            return Admission(self._give_way(state.target, coarse))
        full = self._no_slot(state)
        if full is not None:
            return Admission(obstacle=full)
        match self._checks.of(state, snapshot, stable):
            case None:
                return Admission(obstacle=MEASURING)
            case NotReady() as not_ready:
                return Admission(self._give_way(state.target, not_ready.reason), warnings=not_ready.warnings)
            case ready:
                warnings = (*_warnings(snapshot.target, stable), *ready.warnings)
                return Admission(self._take_slot(state), ready.timing, warnings, noise=ready.noise.noise)

    def settle(self, target: str, *, failed: bool = False) -> None:
        """The tick is over: the state cache shows whether the release began. One that `failed` loses its place."""
        with self._lock:
            self._granted.discard(target)
            if failed:
                self._waiting.pop(target, None)
            pending = self._state_cache.pending(target)
            if not pending:
                self._waiting.pop(target, None)
        if not pending:
            self._checks.forget(target)

    def _give_way(self, target: str, obstacle: str) -> str:
        """A target that cannot begin for another reason must not block younger ones."""
        with self._lock:
            self._waiting.pop(target, None)
        return obstacle

    def _no_slot(self, state: TargetState) -> str | None:
        with self._lock:
            return self._obstacle(state)

    def _take_slot(self, state: TargetState) -> str | None:
        with self._lock:
            obstacle = self._obstacle(state)
            if obstacle is None:
                self._granted.add(state.target)
            return obstacle

    def _obstacle(self, state: TargetState) -> str | None:
        self._waiting[state.target] = state.since
        used = (self._state_cache.active() | self._granted) - {state.target}
        mine = (state.since, state.target)
        ahead = [
            name
            for name, since in self._waiting.items()
            if (since, name) < mine and name not in used and self._state_cache.pending(name)
        ]
        if len(used) + len(ahead) < self._limit:
            return None
        older = f", {len(ahead)} older ones waiting" if ahead else ""
        return f"waiting for a slot: {len(used)} of {self._limit} releases in progress{older} (limits.maxConcurrent)"


def _too_coarse(target: Target, stable: Workload) -> str | None:
    """In `observe` the plan's steps are not used."""
    return too_coarse(target.plan, stable.replicas) if target.mode is Mode.ACT else None


def _warnings(target: Target, stable: Workload) -> tuple[str, ...]:
    """What a user should know about this plan with these replicas."""
    told = rounding(target.plan, stable.replicas) if target.mode is Mode.ACT else None
    return (told,) if told else ()
