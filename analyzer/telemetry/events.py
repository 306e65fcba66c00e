"""Kubernetes Events on both Deployments, one for each change of phase: what `kubectl describe deployment` shows.

Events are a courtesy. They are written by a thread of their own from a bounded queue, at a bounded rate, and dropped
rather than waited for: the engine never notices how long the API server takes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import structlog

from analyzer.kube.errors import ForbiddenError, KubeError
from analyzer.kube.objects import Api
from analyzer.model.report import Report
from analyzer.model.target import Side
from analyzer.model.workload import Workload
from analyzer.telemetry.event_series import EventSeries, Happening, Involved
from analyzer.telemetry.report import made

_QUEUED = 1000
_LONGEST_STOP = 5.0  # seconds that a stop waits for Events that are still queued

_NOTE = "CanaryNote"
_HINT_LOST = "this Event is lost, releases are not affected; see the status and the log for the phase"
_HINT_RULES = "allow create and patch of events in the namespaces of the targets; releases are not affected"
_HINT_BUG = "a bug: please report it; this Event is lost, releases are not affected"

_log = structlog.get_logger(__name__)


class EventReporter:
    """A `Reporter` that writes Events.

    `instance` tells this daemon from another one of the same name; `on_drop` is called for each Event that is not
    written, from any thread.
    """

    def __init__(self, api: Api, instance: str, on_drop: Callable[[], object] = lambda: None) -> None:
        self._series = EventSeries(api, instance)
        self._queue: queue.Queue[Happening | None] = queue.Queue(_QUEUED)
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._on_drop = on_drop
        self._forbidden = False

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, if that is quick, and end."""
        if not self._thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=_LONGEST_STOP)
        except queue.Full:
            return
        self._thread.join(_LONGEST_STOP)

    def report(self, report: Report) -> None:
        """Queue the Events of one tick; drops them where the queue is full."""
        for happening in happenings(report):
            try:
                self._queue.put_nowait(happening)
            except queue.Full:
                self._on_drop()

    def _work(self) -> None:
        while (happening := self._queue.get()) is not None:
            try:
                written = self._series.write(happening)
            except KubeError as error:
                self._failed(happening, error)
            except Exception:  # noqa: BLE001 - a bug must not silence every Event that follows
                self._on_drop()
                _log.exception("event_write_crashed", **_about(happening), hint=_HINT_BUG)
            else:
                if not written:
                    self._on_drop()

    def _failed(self, happening: Happening, error: KubeError) -> None:
        self._on_drop()
        if not isinstance(error, ForbiddenError):
            _log.warning("event_write_failed", **_about(happening), reason=str(error), hint=_HINT_LOST)
        elif not self._forbidden:  # one line is enough: it will not change by itself
            self._forbidden = True
            _log.warning(
                "events_forbidden", namespace=happening.involved.namespace, reason=str(error), hint=_HINT_RULES
            )


def _about(happening: Happening) -> dict[str, str]:
    involved = happening.involved
    return {"namespace": involved.namespace, "deployment": involved.name, "event_reason": happening.reason}


def happenings(report: Report) -> Iterator[Happening]:
    """What one tick has to say about each Deployment that exists; nothing where nothing changed."""
    said = list(_said(report))
    if not said or report.snapshot is None:
        return
    for side in Side:
        workload = report.snapshot.side(side)
        if workload is not None:
            involved = _involved(report, workload)
            for reason, warning, text in said:
                yield Happening(involved, reason, f"{report.target.name}: {text}", report.at, warning=warning)


def _said(report: Report) -> Iterator[tuple[str, bool, str]]:
    """Reason, whether it is a warning, and text."""
    for transition in made(report):
        text = f"{transition.before} -> {transition.after}: {transition.reason}"
        yield transition.after.event_reason, transition.after.warns, text
    if report.error is None:
        for note in report.decision.notes:
            yield _NOTE, False, note


def _involved(report: Report, workload: Workload) -> Involved:
    return Involved(namespace=report.target.namespace, name=workload.name, uid=workload.uid)
