"""May a pending release begin? Freeze, slots, and what must be known first. The tick asks."""

from __future__ import annotations

import threading
from datetime import datetime

from analyzer.decision.replicas import split, weight_error
from analyzer.engine.release_checks import Surveys, Unfit
from analyzer.engine.state_cache import StateCache
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Admission, Snapshot, Workload
from analyzer.ports import Measurements, Preflight

SURVEYED = "finding out how its pods are scraped and how much their metrics vary by themselves"


class Admissions:
    """Gives slots to pending targets, oldest first. Thread-safe; freeze and limit may change at any time."""

    def __init__(self, state_cache: StateCache, surveys: Surveys, limit: int, *, freeze: bool = False) -> None:
        self._state_cache = state_cache
        self._surveys = surveys
        self._lock = threading.Lock()
        self._waiting: dict[str, datetime] = {}
        self._granted: set[str] = set()
        self._limit, self._freeze = limit, freeze

    def configure(self, metrics: Measurements, limit: int, *, freeze: bool, preflight: Preflight | None = None) -> None:
        """Follow a changed configuration from now on."""
        self._limit, self._freeze = limit, freeze
        self._surveys.use(metrics, preflight)

    def admit(self, state: TargetState, snapshot: Snapshot, held: str | None = None) -> Admission:
        """What this target may do in this tick; `settle` must follow at the end of the tick. `held` is why nothing may
        move forward now in any case."""
        stable = snapshot.stable
        if self._freeze or held:
            self._give_way(state.target, "")
            return Admission(frozen=self._freeze, held=held, warnings=(held,) if held else ())
        if state.phase is not Phase.PENDING:
            return Admission()
        if stable is None or not stable.settled:
            self._give_way(state.target, "")
            return Admission()  # what is missing is the decision's to say
        full = self._no_slot(state)
        if full is not None:
            return Admission(obstacle=full)
        match self._surveys.of(state, snapshot, stable):
            case None:
                return Admission(obstacle=SURVEYED)
            case Unfit() as unfit:
                return Admission(self._give_way(state.target, unfit.reason), warnings=unfit.warnings)
            case survey:
                warnings = (*_warnings(snapshot.target, stable), *survey.warnings)
                return Admission(self._take_slot(state), survey.timing, warnings, noise=survey.noise.noise)

    def settle(self, target: str, *, failed: bool = False) -> None:
        """The tick is over: the state cache knows now whether the release began. One that `failed` loses its place."""
        with self._lock:
            self._granted.discard(target)
            if failed:
                self._waiting.pop(target, None)
            pending = self._state_cache.pending(target)
            if not pending:
                self._waiting.pop(target, None)
        if not pending:
            self._surveys.forget(target)

    def _give_way(self, target: str, obstacle: str) -> str:
        """A target that can't begin for another reason must not keep younger ones waiting."""
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
        return (
            f"waiting for a slot: {len(used)} of at most {self._limit} releases are in progress "
            f"and {len(ahead)} older ones wait (limits.maxConcurrent)"
        )


def _warnings(target: Target, stable: Workload) -> tuple[str, ...]:
    """What a user should know about this plan with these replicas."""
    if target.mode is Mode.OBSERVE:
        return ()
    warnings = []
    for number, step in enumerate(target.plan.steps, start=1):
        replicas = split(target.plan.capacity, stable.replicas, step.weight, stable.replicas)
        if weight_error(replicas, step.weight) > target.plan.weight_tolerance:
            share = 100 * replicas.share
            warnings.append(
                f"step {number}: {step.weight:g} % of {stable.replicas} pods can't be expressed, it is {share:.0f} % "
                f"({replicas.canary} canary pods beside {replicas.stable})"
            )
    return tuple(warnings)
