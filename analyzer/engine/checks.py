"""What must be known before a pending release begins, found out in the background. Admission asks at each tick.

Preflight, scrape interval and baseline noise take seconds, and longer where Prometheus hangs: many releases that begin
at once must not slow down those in progress.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

import structlog

from analyzer.engine import hints
from analyzer.engine.preflights import recent_preflight
from analyzer.engine.target import Checks, NotReady, PreflightOutcome, Ready, TargetRuntime
from analyzer.model.backoff import backoff
from analyzer.model.block import History, NoData, Sample
from analyzer.model.errors import ObservationError
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Snapshot, Workload
from analyzer.ports import Clock, HistorySource, Measurements, Preflight
from analyzer.release.noise import FoundNoise, histories_needed, noise_of

MEASURING = "measuring scrape interval and baseline noise"

FRESH = 60.0
"""Seconds that passed checks count; a release that is still pending then is checked again."""

LONGEST_PAUSE = 60.0
"""Seconds, at most, before checks that failed are repeated; the pause doubles from the target's interval."""

_log = structlog.get_logger(__name__)


class ReleaseChecks:
    """Runs the checks of pending targets in the threads of `executor`. `preflight` None: only what can be measured."""

    def __init__(
        self, executor: Executor, clock: Clock, metrics: Measurements, preflight: Preflight | None = None
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._metrics = metrics
        self._preflight = preflight

    def use(self, metrics: Measurements, preflight: Preflight | None) -> None:
        """Follow a changed configuration from now on: findings of another preflight no longer count."""
        self._metrics = metrics
        self._preflight = preflight

    def of(
        self, runtime: TargetRuntime, state: TargetState, snapshot: Snapshot, stable: Workload
    ) -> Ready | NotReady | None:
        """What is known of a pending release; None while its first checks run."""
        pods = tuple(sorted(pod.name for pod in stable.pods if pod.ready and not pod.deleted))
        about = (state.since, snapshot.target, pods)
        now = self._clock.monotonic()
        interval = snapshot.target.analysis.interval.total_seconds()
        checks = runtime.checks
        if checks is None:
            checks = runtime.checks = Checks(about)
        if checks.future is None or checks.about != about:
            checks.about, checks.before, checks.failures = about, None, 0
            self._begin(checks, state, snapshot, pods)
        elif _due(checks, now, interval):
            last = _outcome(checks, now)
            checks.before = last if isinstance(last, NotReady) else None
            checks.failures = checks.failures + 1 if isinstance(last, NotReady) and last.failed else 0
            self._begin(checks, state, snapshot, pods)
        return _outcome(checks, now)

    def _begin(self, checks: Checks, state: TargetState, snapshot: Snapshot, pods: Sequence[str]) -> None:
        checks.known_at = None
        checks.future = self._executor.submit(self._check, checks, state, snapshot, pods)

    def _check(self, checks: Checks, state: TargetState, snapshot: Snapshot, pods: Sequence[str]) -> Ready | NotReady:
        target = snapshot.target
        interval = target.analysis.interval.total_seconds()
        preflight = PreflightOutcome()
        try:
            preflight = recent_preflight(self._preflight, self._clock, checks, state, snapshot)
            if preflight.obstacle is not None:
                return NotReady(preflight.obstacle, preflight.warnings)
            timing = self._metrics.measure(target.namespace, pods, target.analysis.metrics, interval)
            if isinstance(timing, NoData):
                return NotReady(timing.reason, preflight.warnings)
            noise = self._noise_of(checks, state, target, pods)
        except ObservationError as error:
            return NotReady(f"{MEASURING} failed: {error}", preflight.warnings, failed=True)
        except Exception as error:  # noqa: BLE001 - the future is read only as a value
            _log.exception("release_checks_crashed", target=target.name, hint=hints.BUG)
            reason = f"{type(error).__name__}: {error} (a bug in the analyzer; this target waits)"
            return NotReady(reason, preflight.warnings, failed=True)
        return Ready(timing, noise, (*preflight.warnings, *noise.warnings))

    def _noise_of(self, checks: Checks, state: TargetState, target: Target, pods: Sequence[str]) -> FoundNoise:
        """Estimated once for a pending release: hours of history are not read again every minute."""
        about = (state.since, tuple(pods), target.analysis)
        kept = checks.noise
        if kept is not None and kept[0] == about:
            return kept[1]
        found = read_noise(self._metrics, target, pods)
        checks.noise = (about, found)
        return found


def read_noise(source: HistorySource, target: Target, pods: Sequence[str]) -> FoundNoise:
    """The noise of each metric, from the history of these stable pods as far as it is needed. Raises
    ObservationError."""
    histories: dict[str, History[Sample] | NoData] = {}
    for back, metrics in histories_needed(target.analysis).items():
        histories.update(source.history(target.namespace, pods, metrics, back))
    return noise_of(target.analysis, histories)


def _outcome(checks: Checks, now: float) -> Ready | NotReady | None:
    if checks.future is None or not checks.future.done():
        return checks.before
    if checks.known_at is None:
        checks.known_at = now
    return checks.future.result()


def _due(checks: Checks, now: float, interval: float) -> bool:
    if checks.future is None or not checks.future.done():
        return False
    outcome = _outcome(checks, now)
    age = now - (now if checks.known_at is None else checks.known_at)
    match outcome:
        case NotReady(failed=True):
            return age >= backoff(checks.failures + 1, interval, LONGEST_PAUSE)
        case NotReady():
            return True  # checked again at each tick
        case _:
            return age >= FRESH
