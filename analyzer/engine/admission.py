"""May a pending release begin? Freeze, slots, preflight and measurements. Ticks call this."""

from __future__ import annotations

from analyzer.decision.steps import rounding, too_coarse
from analyzer.engine.checks import MEASURING, ReleaseChecks
from analyzer.engine.target import NotReady, TargetRuntime
from analyzer.engine.targets import Targets
from analyzer.model.plan import Mode
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Admission, Snapshot, Workload
from analyzer.ports import Measurements, Preflight


class Admissions:
    """Gives slots to pending targets, oldest first. Freeze and limit may change at any time."""

    def __init__(self, targets: Targets, checks: ReleaseChecks, limit: int, *, freeze: bool = False) -> None:
        self._targets = targets
        self._checks = checks
        self._limit, self._freeze = limit, freeze

    def configure(self, metrics: Measurements, limit: int, *, freeze: bool, preflight: Preflight | None = None) -> None:
        """Follow a changed configuration from now on."""
        self._limit, self._freeze = limit, freeze
        self._checks.use(metrics, preflight)

    def admit(
        self, runtime: TargetRuntime, state: TargetState, snapshot: Snapshot, held: str | None = None
    ) -> Admission:
        """What this target may do in this tick; `settle` must follow at its end. `held` is another reason why nothing
        may move forward now."""
        stable = snapshot.stable
        if self._freeze or held:
            self._targets.leave_queue(runtime)
            return Admission(frozen=self._freeze, held=held, warnings=(held,) if held else ())
        if not state.phase.pending:
            return Admission()
        if stable is None or not stable.settled:
            self._targets.leave_queue(runtime)
            return Admission()  # the decision gives the reason
        if coarse := _too_coarse(snapshot.target, stable):
            self._targets.leave_queue(runtime)
            return Admission(coarse)
        full = self._targets.slot(runtime, state.since, self._limit, take=False)
        if full is not None:
            return Admission(obstacle=full)
        match self._checks.of(runtime, state, snapshot, stable):
            case None:
                return Admission(obstacle=MEASURING)
            case NotReady() as not_ready:
                self._targets.leave_queue(runtime)
                return Admission(not_ready.reason, warnings=not_ready.warnings)
            case ready:
                warnings = (*_warnings(snapshot.target, stable), *ready.warnings)
                full = self._targets.slot(runtime, state.since, self._limit, take=True)
                return Admission(full, ready.timing, warnings, noise=ready.noise.noise)

    def settle(self, runtime: TargetRuntime, *, failed: bool = False) -> None:
        """The tick is over: the runtime's state shows whether the release began. One that `failed` loses its place."""
        self._targets.settle(runtime, failed=failed)


def _too_coarse(target: Target, stable: Workload) -> str | None:
    """In `observe` the plan's steps are not used."""
    return too_coarse(target.plan, stable.replicas) if target.mode is Mode.ACT else None


def _warnings(target: Target, stable: Workload) -> tuple[str, ...]:
    """What a user should know about this plan with these replicas."""
    told = rounding(target.plan, stable.replicas) if target.mode is Mode.ACT else None
    return (told,) if told else ()
