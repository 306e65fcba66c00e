"""One pass over all targets that are due together, with one batch of queries. The schedule calls `run`.

Each target is concluded as soon as its result is there. A sweep waits for a slow target no longer than `patience`: its
tick goes on alone, and sweeps skip the target until it has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta

import structlog

from analyzer.engine import hints
from analyzer.engine.collect import collect
from analyzer.engine.targets import Targets
from analyzer.engine.tick import Tick
from analyzer.model.duration import show_duration
from analyzer.model.errors import ObservationError
from analyzer.model.target import Target
from analyzer.ports import MetricSource
from analyzer.release.bake import Answer, Asked

MARKING = 1.0
"""Seconds that a sweep waits, in all, for the outbox to mark what it delivered and for ticks between sweeps."""

_HINT_SLOW = "others go on without it; check how long the API server takes to answer"
_HINT_BUSY = "other targets took all threads; they are ticked at the next interval. Check the API server's latency"

_log = structlog.get_logger(__name__)


class Sweeper:
    """Runs sweeps; several may run at once, for different targets. `executor` runs ticks and queries."""

    def __init__(
        self,
        begin: Callable[[Target], Tick],
        metrics: MetricSource,
        targets: Targets,
        executor: Executor,
        patience: timedelta,
    ) -> None:
        self._begin = begin
        self._metrics = metrics
        self._targets = targets
        self._executor = executor
        self._patience = patience.total_seconds()
        self._lock = threading.Lock()
        self._unanswered: list[Future[None]] = []

    def ask(self, metrics: MetricSource) -> None:
        """Query this source from now on."""
        self._metrics = metrics

    def run(self, targets: Sequence[Target]) -> None:
        """Tick every target whose last tick has ended; waits for slow parts at most four times `patience`.

        Those in release come first: thousands of idle targets with something to write delay neither them nor the query.
        """
        due = [tick for tick in self._due(targets) if not self._unchanged(tick)]
        preparing = {self._executor.submit(tick.prepare): tick for tick in due}
        prepared, late = wait(preparing, timeout=self._patience)
        self._leave({future: preparing[future] for future in late})
        round_ = _Round(self._executor, self._conclude)
        for future in prepared:
            round_.enter(preparing[future], future.result())
        question = self._put(round_)
        round_.conclude_unasked()
        if question is not None:
            self._hear(round_, question)
        round_.conclude_idle()
        self._await(round_.concluding)

    def run_between(self, targets: Sequence[Target]) -> None:
        """Tick these without a query; targets that are locked are skipped."""
        ticks = [self._begin(target) for target in targets if self._targets.take_between(target.name)]
        self._await([self._executor.submit(self._tick, tick) for tick in ticks])

    def _await(self, work: Sequence[Future[None]]) -> None:
        done, _ = wait(work, timeout=self._patience)
        for error in filter(None, (future.exception() for future in done)):
            _log.error("tick_crashed", exc_info=error, hint=hints.BUG)

    def _due(self, targets: Sequence[Target]) -> list[Tick]:
        claimed = self._targets.take_for_ticks((target.name for target in targets), MARKING)
        late = sorted(target.name for target in targets if target.name not in claimed)
        if late:
            _log.warning(
                "targets_skipped",
                targets=late,
                hint="their last tick or alert delivery is still running; they are ticked at the next interval",
            )
        return [self._begin(target) for target in targets if target.name in claimed]

    def _unchanged(self, tick: Tick) -> bool:
        """An idle target at which nothing has changed needs no tick."""
        if not tick.repeat_idle():
            return False
        self._targets.release(tick.target.name)
        return True

    def _leave(self, late: Mapping[Future[Asked | None], Tick]) -> None:
        """Go on without the slow ones. One that has not begun yet is cancelled: it would block others."""
        never_begun = 0
        for future, tick in late.items():
            future.add_done_callback(lambda _, tick=tick: self._abandon(tick))  # type: ignore[misc]
            if future.cancel():
                never_begun += 1
            else:
                _log.warning("tick_slow", target=tick.target.name, seconds=self._patience, hint=_HINT_SLOW)
        if never_begun:
            _log.warning("targets_not_started", targets=never_begun, seconds=self._patience, hint=_HINT_BUSY)

    def _put(self, round_: _Round) -> Future[None] | None:
        """One batch of queries for all, sent before any target is concluded; none while an earlier one hangs."""
        if not round_.requests:
            return None
        with self._lock:
            self._unanswered = [future for future in self._unanswered if not future.done()]
            hanging = bool(self._unanswered)
        if hanging:
            round_.fail("an earlier query to Prometheus has not returned yet")
            return None
        return self._executor.submit(round_.collect, self._metrics)

    def _hear(self, round_: _Round, future: Future[None]) -> None:
        """Wait for the results. Prometheus' time begins when the query is sent."""
        if not round_.asked.wait(self._patience) and future.cancel():
            busy = f"the daemon was busy with other targets for {show_duration(self._patience)}"
            round_.fail(f"Prometheus was not queried: {busy}")
            return
        try:
            error = future.exception(timeout=self._patience)
        except TooLate:
            with self._lock:
                self._unanswered.append(future)
            round_.fail(f"no response from Prometheus within {show_duration(self._patience)}")
            return
        if error is not None:
            _log.error("queries_crashed", exc_info=error, hint=hints.BUG)
            round_.fail(f"{type(error).__name__}: {error} (a bug in the metric source)")
        round_.fail("no result for this target (a bug in the metric source)")

    def _tick(self, tick: Tick) -> None:
        tick.prepare()
        self._conclude(tick, None)

    def _abandon(self, tick: Tick) -> None:
        tick.abandon()
        self._targets.release(tick.target.name)

    def _conclude(self, tick: Tick, answer: Answer | None) -> None:
        try:
            tick.conclude(answer)
        finally:
            self._targets.release(tick.target.name)


class _Round:
    """The ticks of one sweep between query and result; each is concluded once, with the first result."""

    def __init__(self, executor: Executor, conclude: Callable[[Tick, Answer | None], None]) -> None:
        self._executor = executor
        self._conclude = conclude
        self._lock = threading.Lock()
        self._open: dict[str, Tick] = {}
        self._unasked: list[Tick] = []
        self.requests: list[Asked] = []
        self.asked = threading.Event()
        self.concluding: list[Future[None]] = []

    def enter(self, tick: Tick, request: Asked | None) -> None:
        """A tick that waits for the result of `request`, or for none."""
        if request is None:
            self._unasked.append(tick)
        else:
            self._open[tick.target.name] = tick
            self.requests.append(request)

    def conclude_unasked(self) -> None:
        """Conclude those in release that need no query, as a rollback does."""
        self._conclude_all([tick for tick in self._unasked if tick.in_release])

    def conclude_idle(self) -> None:
        """Conclude the others that need no query."""
        self._conclude_all([tick for tick in self._unasked if not tick.in_release])

    def _conclude_all(self, ticks: Sequence[Tick]) -> None:
        with self._lock:
            self.concluding += [self._executor.submit(self._conclude, tick, None) for tick in ticks]

    def collect(self, metrics: MetricSource) -> None:
        """Query for all, and conclude each as its result comes."""
        self.asked.set()
        for target, answer in collect(metrics, self.requests):
            self._answered(target, answer)

    def fail(self, why: str) -> None:
        """Conclude those without a result; what comes later is ignored."""
        for target in tuple(self._open):
            self._answered(target, ObservationError(why))

    def _answered(self, target: str, answer: Answer | None) -> None:
        with self._lock:
            tick = self._open.pop(target, None)
            if tick is not None:
                self.concluding.append(self._executor.submit(self._conclude, tick, answer))
