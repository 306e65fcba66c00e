"""What must be known before a pending release begins, found out in the background. Admission asks at each tick.

Preflight, scrape interval and baseline noise take seconds, and longer where Prometheus hangs: many releases that begin
at once must not slow down those in progress.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import structlog

from analyzer.engine import hints
from analyzer.engine.noise import FoundNoise, find_noise
from analyzer.model.backoff import backoff
from analyzer.model.block import NoData, Timing
from analyzer.model.errors import AnalyzerError, ObservationError
from analyzer.model.finding import FindingLevel
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.workload import Snapshot, Workload
from analyzer.ports import Clock, Measurements, Preflight

MEASURING = "measuring scrape interval and baseline noise"

REMEMBERED = 60.0
"""Seconds that preflight findings count: a pending target must not flood the API server."""

TRIED_AGAIN = 10.0
"""Seconds after which a preflight that failed to run is repeated."""

FRESH = 60.0
"""Seconds that passed checks count; a release that is still pending then is checked again."""

LONGEST_PAUSE = 60.0
"""Seconds, at most, before checks that failed are repeated; the pause doubles from the target's interval."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PreflightOutcome:
    """Why a release cannot begin, and what people should know; it counts for this many `seconds`."""

    obstacle: str | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = REMEMBERED


class Preflights:
    """The preflight findings of each target, kept for a while. Thread-safe. `preflight` None: nothing is checked."""

    def __init__(self, clock: Clock, preflight: Preflight | None = None) -> None:
        self._clock = clock
        self._preflight = preflight
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, float, PreflightOutcome]] = {}

    def use(self, preflight: Preflight | None) -> None:
        """Follow a changed configuration: everything is checked again."""
        with self._lock:
            self._preflight = preflight
            self._known.clear()

    def forget(self, target: str) -> None:
        """The target is no longer pending."""
        with self._lock:
            self._known.pop(target, None)

    def outcome(self, state: TargetState, snapshot: Snapshot) -> PreflightOutcome:
        """What was found at most a minute ago for these versions of both Deployments; else what is found now."""
        preflight = self._preflight
        if preflight is None:
            return PreflightOutcome()
        about = (state.since, snapshot.target, _versions(snapshot))
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get(state.target)
        if known is not None and known[0] == about and now - known[1] < known[2].seconds:
            return known[2]
        outcome = _run(preflight, state, snapshot)
        with self._lock:
            if preflight is self._preflight:
                self._known[state.target] = (about, now, outcome)
        return outcome


def _run(preflight: Preflight, state: TargetState, snapshot: Snapshot) -> PreflightOutcome:
    try:
        findings = preflight.check(snapshot.target, state.roles, snapshot)
    except AnalyzerError as error:
        return PreflightOutcome(f"preflight could not run: {error}", seconds=TRIED_AGAIN)
    errors = [str(finding) for finding in findings if finding.level is FindingLevel.ERROR]
    warnings = tuple(str(finding) for finding in findings if finding.level is FindingLevel.WARNING)
    return PreflightOutcome(f"preflight failed: {' | '.join(errors)}" if errors else None, warnings)


def _versions(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    sides = (snapshot.stable, snapshot.canary)
    return tuple((side.uid, side.template.hash) for side in sides if side is not None)


@dataclass(frozen=True, slots=True)
class Ready:
    """The checks passed: all that a release needs to begin."""

    timing: Timing
    noise: FoundNoise
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotReady:
    """Why a release cannot begin yet. `failed`: a check did not run, as when Prometheus is down."""

    reason: str
    warnings: tuple[str, ...] = ()
    failed: bool = False


@dataclass(slots=True)
class _Entry:
    about: object
    future: Future[Ready | NotReady]
    before: NotReady | None = None
    failures: int = 0
    known_at: float | None = None


class ReleaseChecks:
    """The checks of each pending target, run by the threads of `executor`. Thread-safe."""

    def __init__(self, executor: Executor, clock: Clock, metrics: Measurements, preflights: Preflights) -> None:
        self._executor = executor
        self._clock = clock
        self._metrics = metrics
        self._preflights = preflights
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._noise: dict[str, tuple[object, FoundNoise]] = {}

    def use(self, metrics: Measurements, preflight: Preflight | None) -> None:
        """Follow a changed configuration from now on."""
        self._metrics = metrics
        self._preflights.use(preflight)

    def of(self, state: TargetState, snapshot: Snapshot, stable: Workload) -> Ready | NotReady | None:
        """What is known of a pending release; None while its first checks run."""
        pods = tuple(sorted(pod.name for pod in stable.pods if pod.ready and not pod.deleted))
        about = (state.since, snapshot.target, pods)
        now = self._clock.monotonic()
        interval = snapshot.target.analysis.interval.total_seconds()
        with self._lock:
            entry = self._entries.get(state.target)
            if entry is None or entry.about != about:
                entry = self._entries[state.target] = _Entry(about, self._begin(state, snapshot, pods))
            elif _due(entry, now, interval):
                last = _outcome(entry, now)
                not_ready = last if isinstance(last, NotReady) else None
                failures = entry.failures + 1 if not_ready is not None and not_ready.failed else 0
                entry = _Entry(about, self._begin(state, snapshot, pods), not_ready, failures)
                self._entries[state.target] = entry
            return _outcome(entry, now)

    def forget(self, target: str) -> None:
        """The target is no longer pending."""
        with self._lock:
            entry = self._entries.pop(target, None)
            self._noise.pop(target, None)
        if entry is not None:
            entry.future.cancel()
        self._preflights.forget(target)

    def _begin(self, state: TargetState, snapshot: Snapshot, pods: Sequence[str]) -> Future[Ready | NotReady]:
        return self._executor.submit(self._check, state, snapshot, pods)

    def _check(self, state: TargetState, snapshot: Snapshot, pods: Sequence[str]) -> Ready | NotReady:
        target = snapshot.target
        interval = target.analysis.interval.total_seconds()
        preflight = PreflightOutcome()
        try:
            preflight = self._preflights.outcome(state, snapshot)
            if preflight.obstacle is not None:
                return NotReady(preflight.obstacle, preflight.warnings)
            timing = self._metrics.measure(target.namespace, pods, target.analysis.metrics, interval)
            if isinstance(timing, NoData):
                return NotReady(timing.reason, preflight.warnings)
            noise = self._noise_of(state, target, pods)
        except ObservationError as error:
            return NotReady(f"{MEASURING} failed: {error}", preflight.warnings, failed=True)
        except Exception as error:  # noqa: BLE001 - the future is read only as a value
            _log.exception("release_checks_crashed", target=target.name, hint=hints.BUG)
            reason = f"{type(error).__name__}: {error} (a bug in the analyzer; this target waits)"
            return NotReady(reason, preflight.warnings, failed=True)
        return Ready(timing, noise, (*preflight.warnings, *noise.warnings))

    def _noise_of(self, state: TargetState, target: Target, pods: Sequence[str]) -> FoundNoise:
        """Estimated once for a pending release: hours of history are not read again every minute."""
        about = (state.since, tuple(pods), target.analysis)
        kept = self._noise.get(target.name)
        if kept is not None and kept[0] == about:
            return kept[1]
        found = find_noise(self._metrics, target, pods)
        self._noise[target.name] = (about, found)
        return found


def _outcome(entry: _Entry, now: float) -> Ready | NotReady | None:
    if not entry.future.done():
        return entry.before
    if entry.known_at is None:
        entry.known_at = now
    return entry.future.result()


def _due(entry: _Entry, now: float, interval: float) -> bool:
    if not entry.future.done():
        return False
    outcome = _outcome(entry, now)
    age = now - (now if entry.known_at is None else entry.known_at)
    match outcome:
        case NotReady(failed=True):
            return age >= backoff(entry.failures + 1, interval, LONGEST_PAUSE)
        case NotReady():
            return True  # checked again at each tick
        case _:
            return age >= FRESH
