"""May a pending release begin? Freeze, slots, and what must be measured first. The tick asks."""

from __future__ import annotations

import threading
from datetime import datetime

from analyzer.decision.replicas import split, weight_error
from analyzer.engine.board import Board
from analyzer.engine.noise import FoundNoise, find_noise
from analyzer.model.block import NoData, Timing
from analyzer.model.errors import ObservationError
from analyzer.model.phase import Phase
from analyzer.model.plan import Mode
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Admission, Snapshot, Workload
from analyzer.ports import Measurements


class Admissions:
    """Gives slots to pending targets, oldest first. Thread-safe; freeze, limit and source may change at any time."""

    def __init__(self, board: Board, metrics: Measurements, limit: int, *, freeze: bool = False) -> None:
        self._board = board
        self._lock = threading.Lock()
        self._waiting: dict[str, datetime] = {}
        self._granted: set[str] = set()
        self._noise: dict[str, tuple[object, FoundNoise]] = {}
        self.configure(metrics, limit, freeze=freeze)

    def configure(self, metrics: Measurements, limit: int, *, freeze: bool) -> None:
        """Follow a changed configuration from now on."""
        self._metrics, self._limit, self._freeze = metrics, limit, freeze

    def admit(self, state: TargetState, snapshot: Snapshot) -> Admission:
        """What this target may do in this tick; `settle` must follow at the end of the tick."""
        stable = snapshot.stable
        if self._freeze:
            self._give_way(state.target, "")
            return Admission(frozen=True)
        if state.phase is not Phase.PENDING:
            return Admission()
        if stable is None or not stable.settled:
            self._give_way(state.target, "")
            return Admission()  # what is missing is the decision's to say
        full = self._no_slot(state)
        if full is not None:
            return Admission(obstacle=full)
        measured = self._measure(state, snapshot.target, stable)
        if isinstance(measured, str):
            return Admission(obstacle=self._give_way(state.target, measured))
        timing, found = measured
        warnings = (*_warnings(snapshot.target, stable), *found.warnings)
        return Admission(self._take_slot(state), timing, warnings, noise=found.noise)

    def settle(self, target: str, *, failed: bool = False) -> None:
        """The tick is over: the board knows now whether the release began. One that `failed` loses its place."""
        with self._lock:
            self._granted.discard(target)
            if failed:
                self._waiting.pop(target, None)
            if not self._board.pending(target):
                self._waiting.pop(target, None)
                self._noise.pop(target, None)

    def _measure(self, state: TargetState, target: Target, stable: Workload) -> tuple[Timing, FoundNoise] | str:
        pods = [pod.name for pod in stable.pods if pod.ready and not pod.deleted]
        interval = target.analysis.interval.total_seconds()
        try:
            timing = self._metrics.measure(target.namespace, pods, target.analysis.metrics, interval)
            if isinstance(timing, NoData):
                return timing.reason
            return timing, self._noise_of(state, target, pods)
        except ObservationError as error:
            return f"Prometheus can't be asked: {error}"

    def _noise_of(self, state: TargetState, target: Target, pods: list[str]) -> FoundNoise:
        """Found out once for a waiting release: it takes a second or two, which must not come again with each tick."""
        about = (state.since, pods, target.analysis)
        with self._lock:
            kept = self._noise.get(target.name)
        if kept is not None and kept[0] == about:
            return kept[1]
        found = find_noise(self._metrics, target, pods)
        with self._lock:
            self._noise[target.name] = (about, found)
        return found

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
        used = (self._board.active() | self._granted) - {state.target}
        mine = (state.since, state.target)
        ahead = [
            name
            for name, since in self._waiting.items()
            if (since, name) < mine and name not in used and self._board.pending(name)
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
