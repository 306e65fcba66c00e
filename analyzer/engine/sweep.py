"""One pass over all targets that are due together, with one question to Prometheus. The schedule calls `run`.

Nobody waits for a slow target longer than `patience`: its tick goes on alone, and sweeps leave the target out until it
has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta

import structlog

from analyzer.engine.claims import Claims
from analyzer.engine.tick import Tick
from analyzer.model.errors import ObservationError
from analyzer.model.target import Target
from analyzer.ports import BlockRequest, Collected, MetricSource

Answers = Mapping[str, Collected | ObservationError]

_log = structlog.get_logger(__name__)


class Sweeper:
    """Runs sweeps; several may run at once, for different targets. `executor` carries ticks and questions."""

    def __init__(
        self,
        begin: Callable[[Target], Tick],
        metrics: MetricSource,
        claims: Claims,
        executor: Executor,
        patience: timedelta,
    ) -> None:
        self._begin = begin
        self._metrics = metrics
        self._claims = claims
        self._executor = executor
        self._patience = patience.total_seconds()
        self._lock = threading.Lock()
        self._unanswered: list[Future[Answers]] = []

    def ask(self, metrics: MetricSource) -> None:
        """Put questions to this source from now on."""
        self._metrics = metrics

    def run(self, targets: Sequence[Target]) -> None:
        """Tick every target whose last tick has ended; waits for slow parts at most three times `patience`."""
        preparing = {self._executor.submit(tick.prepare): tick for tick in self._due(targets)}
        prepared, late = wait(preparing, timeout=self._patience)
        for future in late:
            self._release_after(future, preparing[future])
        requests = [(preparing[future], future.result()) for future in prepared]
        answers = self._collect([request for _, request in requests if request is not None])
        concluding = [
            self._executor.submit(self._conclude, tick, _answer_to(request, answers)) for tick, request in requests
        ]
        concluded, _ = wait(concluding, timeout=self._patience)
        for error in filter(None, (future.exception() for future in concluded)):
            _log.error("report_failed", exc_info=error)

    def _due(self, targets: Sequence[Target]) -> list[Tick]:
        due = [target for target in targets if self._claims.take_for_tick(target.name)]
        late = sorted({target.name for target in targets} - {target.name for target in due})
        if late:
            _log.warning("targets_left_out", targets=late, reason="their last tick has not ended")
        return [self._begin(target) for target in due]

    def _release_after(self, future: Future[BlockRequest | None], tick: Tick) -> None:
        _log.warning("target_slow", target=tick.target.name, seconds=self._patience)
        future.add_done_callback(lambda _: self._abandon(tick))

    def _collect(self, requests: Sequence[BlockRequest]) -> Answers:
        """One question for all; while an earlier one hangs, no other is put."""
        if not requests:
            return {}
        with self._lock:
            self._unanswered = [future for future in self._unanswered if not future.done()]
            hanging = bool(self._unanswered)
        if hanging:
            return _nobody(requests, "an earlier query still waits for its answer from Prometheus")
        return self._answers(self._executor.submit(self._metrics.collect, requests), requests)

    def _answers(self, future: Future[Answers], requests: Sequence[BlockRequest]) -> Answers:
        try:
            error = future.exception(timeout=self._patience)
        except TooLate:
            with self._lock:
                self._unanswered.append(future)
            return _nobody(requests, f"no answer from Prometheus within {self._patience:g} s")
        if error is not None:
            _log.error("collect_failed", exc_info=error)
            return _nobody(requests, f"{type(error).__name__}: {error} (a bug in the metric source)")
        return future.result()

    def _abandon(self, tick: Tick) -> None:
        tick.abandon()
        self._claims.release(tick.target.name)

    def _conclude(self, tick: Tick, answer: Collected | ObservationError | None) -> None:
        try:
            tick.conclude(answer)
        finally:
            self._claims.release(tick.target.name)


def _answer_to(request: BlockRequest | None, answers: Answers) -> Collected | ObservationError | None:
    if request is None:
        return None
    return answers.get(request.target, ObservationError(f"the answer leaves out {request.target}: this is a bug"))


def _nobody(requests: Sequence[BlockRequest], why: str) -> Answers:
    return {request.target: ObservationError(why) for request in requests}
