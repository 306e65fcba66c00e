"""What a tick leaves behind for people: reports, the status document, the history. Never stops a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from analyzer.engine.pace import Pace
from analyzer.model.errors import RecordError
from analyzer.model.phase import Phase
from analyzer.model.state import ExecutedCommand, TargetState
from analyzer.model.verdict import Verdict
from analyzer.ports import ReleaseStore, Report, Reporter

StatusBuilder = Callable[[Report, TargetState], dict[str, Any]]
EntryBuilder = Callable[[TargetState, Verdict | None], dict[str, Any]]

_MOMENT = "updatedAt"
"""The only field of a status that always changes."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Published:
    at: datetime
    phase: Phase
    answers: tuple[ExecutedCommand, ...]
    fields: Mapping[str, Any]


class Chronicle:
    """Writes status and history and tells the reporters.

    A status is written when it changed: at once with the phase or an answer to an operator, else at most once `every`
    so long, and less often where hundreds of targets are in release (see `pace`).
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
        self._pace = Pace()
        self._published: dict[str, _Published] = {}
        self._archived: dict[str, str] = {}
        self._verdicts: dict[str, tuple[str, Verdict]] = {}

    def forget(self) -> None:
        """Take nothing for published any more: another daemon may have written meanwhile."""
        self._published.clear()

    def tell(self, report: Report, state: TargetState | None) -> None:
        """Pass a report on and publish the status. `state`: the document as saved last, None while not known."""
        for reporter in self._reporters:
            reporter.report(report)
        if state is not None:
            self._publish(report, state)

    def remember(self, state: TargetState, verdict: Verdict | None) -> None:
        """Keep the last verdict of the release in progress for its history."""
        if verdict is not None and verdict.metrics and state.release is not None and state.phase is not Phase.BAKING:
            self._verdicts[state.target] = (state.release.id, verdict)

    def archive(self, state: TargetState) -> None:
        """Make sure that an ended release is in the history. Raises RecordError."""
        release = state.release
        if release is None or release.result is None or self._archived.get(state.target) == release.id:
            return
        of, verdict = self._verdicts.get(state.target, ("", None))
        self._store.append_history(state.target, self._history_entry(state, verdict if of == release.id else None))
        self._archived[state.target] = release.id

    def _publish(self, report: Report, state: TargetState) -> None:
        status = self._status_of(report, state)
        fields = {key: value for key, value in status.items() if key != _MOMENT}
        last = self._published.get(state.target)
        if last is not None and fields == last.fields:
            self._pace.withdraw(state.target)
            return
        if not self._is_news(report, state, last) and not self._may_follow(report, state, last):
            return
        try:
            self._store.publish(state.target, status)
        except RecordError as error:
            _log.warning("status_not_written", target=state.target, reason=str(error))
            return
        self._published[state.target] = _Published(report.at, state.phase, state.executed, fields)

    def _is_news(self, report: Report, state: TargetState, last: _Published | None) -> bool:
        """Of a target that this process has not published yet, what is at rest: others left it as it is, mostly."""
        if last is None:
            return not state.phase.active or report.at - state.since < self._every
        return state.phase is not last.phase or state.executed != last.answers

    def _may_follow(self, report: Report, state: TargetState, last: _Published | None) -> bool:
        early = last is not None and report.at - last.at < self._every
        return not early and self._pace.turn(state.target, report.at)
