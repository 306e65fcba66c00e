"""The output of a tick for people: reports, status document, history. Its failures never stop a release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from analyzer.engine import hints
from analyzer.engine.status_rate_limit import StatusRateLimit
from analyzer.engine.target import PublishedStatus, TargetRuntime
from analyzer.model.errors import RecordError
from analyzer.model.report import Report
from analyzer.model.state import TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.model.verdict import Classification, Outcome, Verdict
from analyzer.ports import Forgetful, ReleaseStore, Reporter

StatusBuilder = Callable[[Report, TargetState], StatusDocument]
EntryBuilder = Callable[[TargetState, Verdict | None], HistoryEntry]

_log = structlog.get_logger(__name__)


class Publisher:
    """Writes status and history and calls the reporters.

    A status is written when it changed: at once with the phase or an answer to an operator, else at most once per
    `every`, and less often where hundreds of targets are in release (see `status_rate_limit`). Idle targets of a new
    leader have a rate limit of their own: thousands of them do not delay those in release.
    """

    def __init__(
        self,
        store: ReleaseStore,
        status_of: StatusBuilder,
        history_entry: EntryBuilder,
        reporters: Sequence[Reporter],
        every: timedelta,
    ) -> None:
        self._store = store
        self._status_of = status_of
        self._history_entry = history_entry
        self._reporters = tuple(reporters)
        self._every = every
        self._limit = StatusRateLimit()
        self._limit_of_idle = StatusRateLimit()

    def forget(self, target: str) -> None:
        """Drop a target that is no longer configured."""
        self._withdraw(target)
        for reporter in self._reporters:
            if isinstance(reporter, Forgetful):
                reporter.forget(target)

    def tell(self, runtime: TargetRuntime, report: Report, state: TargetState | None) -> bool:
        """Pass a report on and publish the status. `state`: as saved last, None while not known.

        True: the published status is complete; else it is written at a later tick.
        """
        self.repeat(report)
        if state is None:
            return False
        return self._publish(runtime, replace(report, verdict=_verdict_shown(runtime, report, state)), state)

    def repeat(self, report: Report) -> None:
        """Pass on a report whose status is published already. A reporter that fails is logged: releases go on."""
        for reporter in self._reporters:
            try:
                reporter.report(report)
            except Exception:  # noqa: BLE001 - it must not raise; a bug in it must not cost a tick
                _log.exception(
                    "reporter_failed",
                    reporter=type(reporter).__name__,
                    target=report.target.name,
                    hint=hints.BUG,
                )

    def remember(self, runtime: TargetRuntime, state: TargetState, verdict: Verdict | None) -> None:
        """Keep the verdict on a release in progress for its end.

        The verdict that proved a version is kept while it is promoted, unless it fails then; and after that, when a
        bake's comparison decides only where it fails.
        """
        release, phase = state.release, state.phase
        compared = phase.serves_both or not phase.steps_over
        if verdict is None or release is None or not compared or not _measured(verdict):
            return
        known = _remembered(runtime, release.id)
        proven = known is not None and known.outcome is Outcome.PASS and phase.promoting
        if not proven or verdict.outcome is Outcome.FAIL:
            runtime.verdict = (release.id, verdict)

    def archive(self, runtime: TargetRuntime, state: TargetState) -> None:
        """Add an ended release to the history, once. Raises RecordError."""
        release = state.release
        if release is None or release.result is None or runtime.archived == release.id:
            return
        self._store.append_history(state.target, self._history_entry(state, _remembered(runtime, release.id)))
        runtime.archived = release.id

    def _publish(self, runtime: TargetRuntime, report: Report, state: TargetState) -> bool:
        status = self._status_of(report, state)
        fields = _digest(status)
        last = runtime.published
        if last is not None and fields == last.fields:
            self._withdraw(state.target)
            return True
        if not self._is_news(report, state, last) and not self._may_follow(report, state, last):
            return False
        try:
            self._store.publish(state.target, status)
        except RecordError as error:
            _log.warning("status_write_failed", target=state.target, reason=str(error), hint=hints.RETRIED)
            return False
        runtime.published = PublishedStatus(report.at, state.phase, state.executed, fields)
        return True

    def _is_news(self, report: Report, state: TargetState, last: PublishedStatus | None) -> bool:
        """Of a target that this process has not published yet, only what has just happened: the former leader published
        the rest."""
        if last is None:
            return report.at - state.since < self._every
        return state.phase is not last.phase or state.executed != last.answers

    def _may_follow(self, report: Report, state: TargetState, last: PublishedStatus | None) -> bool:
        early = last is not None and report.at - last.at < self._every
        limit = self._limit if last is not None or state.phase.active else self._limit_of_idle
        return not early and limit.turn(state.target, report.at)

    def _withdraw(self, target: str) -> None:
        for limit in (self._limit, self._limit_of_idle):
            limit.withdraw(target)


def _remembered(runtime: TargetRuntime, release: str) -> Verdict | None:
    of, verdict = runtime.verdict or ("", None)
    return verdict if of == release else None


def _verdict_shown(runtime: TargetRuntime, report: Report, state: TargetState) -> Verdict | None:
    """An ended release shows the verdict that it ended on, not that nothing is judged any more."""
    if state.release is None or state.release.result is None:
        return report.verdict
    return _remembered(runtime, state.release.id) or report.verdict


def _digest(status: StatusDocument) -> bytes:
    """Of all that does not change with every tick."""
    return hashlib.blake2b(repr(replace(status, updated_at=None)).encode(), digest_size=16).digest()


def _measured(verdict: Verdict) -> bool:
    """Whether anything was measured for it."""
    absent = (Classification.NO_DATA, Classification.ERROR)
    return any(metric.classification not in absent for metric in verdict.metrics)
