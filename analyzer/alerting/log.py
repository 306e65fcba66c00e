"""The log receiver: alerts for those who collect logs, and the receiver that needs no set-up."""

from __future__ import annotations

import logging

import structlog

from analyzer.model.alert import Alert, Severity

_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
}

_log = structlog.get_logger(__name__)


class LogSink:
    """Writes alerts as `alert` events: critical ones as errors, warnings as warnings, the others as information."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """The receiver's name in the configuration."""
        return self._name

    def deliver(self, alert: Alert) -> None:
        """Write the alert to the log; never raises."""
        _log.log(
            _LEVELS[alert.severity],
            "alert",
            receiver=self._name,
            id=alert.id,
            kind=alert.event.value,
            severity=alert.severity.value,
            target=alert.target,
            namespace=alert.namespace,
            release=alert.release,
            summary=alert.summary,
            details=dict(alert.details),
        )


SINK = LogSink
