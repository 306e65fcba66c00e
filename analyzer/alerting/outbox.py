"""Delivers the alerts that a state document holds. The engine calls it and saves the entries that remain.

At least once: an entry leaves the document only after every receiver has its alert. Order is kept per receiver, so a
receiver that fails gets nothing newer before what it missed; other receivers do not wait for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog

from analyzer.alerting.routing import Router
from analyzer.model.backoff import backoff, jittered
from analyzer.model.duration import show_duration
from analyzer.model.errors import AlertError
from analyzer.model.state import OutboxEntry
from analyzer.ports import AlertSink

FIRST_WAIT = 1.0
"""Seconds to wait after the first failure; twice as long after each further one, less up to half for jitter."""

LONGEST_WAIT = 300.0
"""Seconds; no wait is longer, so a receiver that is back gets its alerts within that time."""

KEPT_FOR = timedelta(days=3)
"""An alert older than this is dropped, with an error in the log: the state document must not grow for ever."""

_HINT_DROPPED = "it is not sent again; fix the receiver, and see `canary-analyzer status` for what it was about"
_HINT_RETRY = f"it is sent again until delivered, for up to {show_duration(KEPT_FOR)}"
_HINT_BUG = f"a bug: please report it. {_HINT_RETRY}"

_log = structlog.get_logger(__name__)


class _Attempt(Enum):
    DELIVERED = auto()
    DROPPED = auto()
    FAILED = auto()


def flush(
    entries: tuple[OutboxEntry, ...], router: Router, now: datetime, chance: Callable[[], float] = random.random
) -> tuple[OutboxEntry, ...]:
    """Send what is due; gives the entries that are not delivered everywhere yet. Never raises.

    A receiver is tried until its first failure. One that refuses an alert for good counts as done with it, which is
    logged as an error. `chance` gives numbers from 0 to 1 for the jitter: an outage of a receiver meets the alerts of
    many targets at once.
    """
    waiting: set[str] = set()
    remaining = []
    for entry in entries:
        after = _advance(entry, router, waiting, now)
        if after is not None:
            remaining.append(_postponed(after, now, chance()) if after.attempts > entry.attempts else after)
    return tuple(remaining)


def _advance(entry: OutboxEntry, router: Router, waiting: set[str], now: datetime) -> OutboxEntry | None:
    """The entry after this try, or None when it is done. Adds receivers that have to wait to `waiting`."""
    open_receivers = [name for name in router.receivers(entry.alert) if name not in entry.delivered]
    if entry.alert.at + KEPT_FOR < now:
        if open_receivers:
            reason = f"not delivered within {show_duration(KEPT_FOR)}"
            _log.error("alert_dropped", receivers=open_receivers, reason=reason, hint=_HINT_DROPPED, **_about(entry))
        return None
    if entry.not_before is not None and now < entry.not_before:
        waiting.update(open_receivers)
        return entry if open_receivers else None
    return _tried(entry, open_receivers, router, waiting)


def _tried(entry: OutboxEntry, open_receivers: list[str], router: Router, waiting: set[str]) -> OutboxEntry | None:
    reached, failed = list(entry.delivered), False
    for name in open_receivers:
        if name in waiting:
            continue
        if _attempt(router.sink(name), entry) is _Attempt.FAILED:
            failed = True
            waiting.add(name)
        else:
            reached.append(name)
    if set(open_receivers) <= set(reached):
        return None
    after = replace(entry, delivered=tuple(reached))
    return replace(after, attempts=entry.attempts + 1) if failed else after


def _attempt(sink: AlertSink, entry: OutboxEntry) -> _Attempt:
    try:
        sink.deliver(entry.alert)
    except AlertError as error:
        if not error.retryable:
            _log.error("alert_dropped", receivers=[sink.name], reason=str(error), hint=_HINT_DROPPED, **_about(entry))
            return _Attempt.DROPPED
        _log.warning("alert_delivery_failed", receiver=sink.name, reason=str(error), hint=_HINT_RETRY, **_about(entry))
        return _Attempt.FAILED
    except Exception as error:  # noqa: BLE001 - a bug in one receiver must not keep alerts from the others
        _log.error(
            "alert_delivery_crashed", receiver=sink.name, reason=type(error).__name__, hint=_HINT_BUG, **_about(entry)
        )
        return _Attempt.FAILED
    _log.info("alert_delivered", receiver=sink.name, **_about(entry))
    return _Attempt.DELIVERED


def _postponed(entry: OutboxEntry, now: datetime, chance: float) -> OutboxEntry:
    wait = jittered(backoff(entry.attempts, FIRST_WAIT, LONGEST_WAIT), chance)
    return replace(entry, not_before=now + timedelta(seconds=wait))


def _about(entry: OutboxEntry) -> dict[str, object]:
    alert = entry.alert
    return {"alert": alert.id, "target": alert.target, "release": alert.release, "attempts": entry.attempts + 1}
