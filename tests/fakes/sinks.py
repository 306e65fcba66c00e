"""An `AlertSink` in memory."""

from __future__ import annotations

from analyzer.model.alert import Alert
from analyzer.model.errors import AlertError


class MemorySink:
    """Records what it was given. `fail_with` makes each delivery raise that error until it is None again.

    `alerts` are those that were delivered, `tries` the ids of all that were tried, both in order.
    """

    def __init__(self, name: str = "memory", fail_with: Exception | None = None) -> None:
        self._name = name
        self.fail_with = fail_with
        self.alerts: list[Alert] = []
        self.tries: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def ids(self) -> list[str]:
        """The ids of the alerts that were delivered."""
        return [alert.id for alert in self.alerts]

    def break_down(self, *, retryable: bool) -> None:
        """Fail from now on."""
        self.fail_with = AlertError(f"receiver {self._name} is down", retryable=retryable)

    def repair(self) -> None:
        """Work again."""
        self.fail_with = None

    def deliver(self, alert: Alert) -> None:
        self.tries.append(alert.id)
        if self.fail_with is not None:
            raise self.fail_with
        self.alerts.append(alert)
