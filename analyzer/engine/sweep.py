"""One pass over all targets that are due together, with one question to Prometheus. The schedule calls `run`.

Each target is concluded as soon as it has its answer. Nobody waits for a slow target longer than `patience`: its tick
goes on alone, and sweeps leave the target out until it has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta

import structlog

from analyzer.engine import hints
from analyzer.engine.bake_comparison import Asked, collect
from analyzer.engine.target_locks import TargetLocks
from analyzer.engine.tick import Tick
from analyzer.model.errors import ObservationError
from analyzer.model.target import Target
from analyzer.ports import Collected, MetricSource

Answer = Collected | ObservationError

MARKING = 1.0
"""Seconds that a sweep waits, in all, for the outbox to mark what it delivered and for ticks between sweeps."""

_HINT_SLOW = "others go on without it; check how long the API server takes to answer"
_HINT_BUSY = "other targets took all threads; they are ticked at the next interval. Check the API server's latency"

_log = structlog.get_logger(__name__)


class Sweeper:
    """Runs sweeps; several may run at once, for different targets. `executor` carries ticks and questions."""

    def __init__(
        self,
        begin: Callable[[Target], Tick],
        metrics: MetricSource,
        claims: TargetLocks,
        executor: Executor,
        patience: timedelta,
    ) -> None:
        self._begin = begin
        self._metrics = metrics
        self._claims = claims
        self._executor = executor
        self._patience = patience.total_seconds()
        self._lock = threading.Lock()
        self._unanswered: list[Future[None]] = []

    def ask(self, metrics: MetricSource) -> None:
        """Put questions to this source from now on."""
        self._metrics = metrics

    def run(self, targets: Sequence[Target]) -> None:
        """Tick every target whose last tick has ended; waits for slow parts at most four times `patience`.

        Those in release come first: what thousands at rest have to write may hold up neither them nor the question.
        """
        due = [tick for tick in self._due(targets) if not self._left_alone(tick)]
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
        round_.conclude_resting()
        self._await(round_.concluding)

    def run_between(self, targets: Sequence[Target]) -> None:
        """Tick these without asking Prometheus, those left out that anybody else works on."""
        ticks = [self._begin(target) for target in targets if self._claims.take_between(target.name)]
        self._await([self._executor.submit(self._tick, tick) for tick in ticks])

    def _await(self, work: Sequence[Future[None]]) -> None:
        done, _ = wait(work, timeout=self._patience)
        for error in filter(None, (future.exception() for future in done)):
            _log.error("tick_crashed", exc_info=error, hint=hints.BUG)

    def _due(self, targets: Sequence[Target]) -> list[Tick]:
        claimed = self._claims.take_for_ticks((target.name for target in targets), MARKING)
        late = sorted(target.name for target in targets if target.name not in claimed)
        if late:
            _log.warning(
                "targets_skipped",
                targets=late,
                hint="their last tick or alert delivery is still running; they are ticked at the next interval",
            )
        return [self._begin(target) for target in targets if target.name in claimed]

    def _left_alone(self, tick: Tick) -> bool:
        """A target at rest at which nothing has changed is done with already."""
        if not tick.still():
            return False
        self._claims.release(tick.target.name)
        return True

    def _leave(self, late: Mapping[Future[Asked | None], Tick]) -> None:
        """Go on without those that are slow. One that has not begun yet would stand in the way of others."""
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
        """One question for all, put before anybody is concluded; while an earlier one hangs, no other is put."""
        if not round_.requests:
            return None
        with self._lock:
            self._unanswered = [future for future in self._unanswered if not future.done()]
            hanging = bool(self._unanswered)
        if hanging:
            round_.give_up("an earlier query still waits for its answer from Prometheus")
            return None
        return self._executor.submit(round_.collect, self._metrics)

    def _hear(self, round_: _Round, future: Future[None]) -> None:
        """Wait for the answers. Prometheus' time begins when it is asked."""
        if not round_.asked.wait(self._patience) and future.cancel():
            round_.give_up(
                f"Prometheus was not asked: this daemon was busy with other targets for {self._patience:g} s"
            )
            return
        try:
            error = future.exception(timeout=self._patience)
        except TooLate:
            with self._lock:
                self._unanswered.append(future)
            round_.give_up(f"no answer from Prometheus within {self._patience:g} s")
            return
        if error is not None:
            _log.error("queries_crashed", exc_info=error, hint=hints.BUG)
            round_.give_up(f"{type(error).__name__}: {error} (a bug in the metric source)")
        round_.give_up("the answer leaves this target out: this is a bug in the metric source")

    def _tick(self, tick: Tick) -> None:
        tick.prepare()
        self._conclude(tick, None)

    def _abandon(self, tick: Tick) -> None:
        tick.abandon()
        self._claims.release(tick.target.name)

    def _conclude(self, tick: Tick, answer: Answer | None) -> None:
        try:
            tick.conclude(answer)
        finally:
            self._claims.release(tick.target.name)


class _Round:
    """The ticks of one sweep between their question and their answer; each is concluded once, with the first."""

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
        """A tick that waits for the answer to `request`, or for nothing."""
        if request is None:
            self._unasked.append(tick)
        else:
            self._open[tick.target.name] = tick
            self.requests.append(request)

    def conclude_unasked(self) -> None:
        """Conclude those in release that wait for no answer, as a rollback does."""
        self._conclude_all([tick for tick in self._unasked if tick.in_release])

    def conclude_resting(self) -> None:
        """Conclude the others that wait for no answer."""
        self._conclude_all([tick for tick in self._unasked if not tick.in_release])

    def _conclude_all(self, ticks: Sequence[Tick]) -> None:
        with self._lock:
            self.concluding += [self._executor.submit(self._conclude, tick, None) for tick in ticks]

    def collect(self, metrics: MetricSource) -> None:
        """Ask for all, and conclude each as its answer comes."""
        self.asked.set()
        for target, answer in collect(metrics, self.requests):
            self._answered(target, answer)

    def give_up(self, why: str) -> None:
        """Conclude those that have no answer yet; what comes later is not heard."""
        for target in tuple(self._open):
            self._answered(target, ObservationError(why))

    def _answered(self, target: str, answer: Answer | None) -> None:
        with self._lock:
            tick = self._open.pop(target, None)
            if tick is not None:
                self.concluding.append(self._executor.submit(self._conclude, tick, answer))
