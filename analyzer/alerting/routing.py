"""Which receivers get which alert. The outbox asks at each try, so a changed configuration counts at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.ports import AlertSink


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts that match all of its sets go to its receivers; an empty set matches everything."""

    receivers: tuple[str, ...]
    events: frozenset[AlertEvent] = frozenset()
    targets: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()

    def matches(self, alert: Alert) -> bool:
        """Does this route take the alert?"""
        return (
            (not self.events or alert.event in self.events)
            and (not self.targets or alert.target in self.targets)
            and (not self.severities or alert.severity in self.severities)
        )


class Router:
    """Sends an alert to the receivers of every route that matches it; without any routes, to all receivers.

    Raises ValueError for a route to a receiver that does not exist: the configuration was checked for that.
    """

    def __init__(self, routes: Iterable[Route], sinks: Iterable[AlertSink]) -> None:
        self._routes = tuple(routes)
        self._sinks = {sink.name: sink for sink in sinks}
        unknown = {name for route in self._routes for name in route.receivers} - self._sinks.keys()
        if unknown:
            raise ValueError(
                f"routes name receivers that do not exist: {', '.join(sorted(unknown))}; "
                f"expected some of: {', '.join(self._sinks)}"
            )

    def receivers(self, alert: Alert) -> tuple[str, ...]:
        """Names of the receivers of this alert, each once, in the order of the configuration."""
        if not self._routes:
            return tuple(self._sinks)
        wanted = {name for route in self._routes if route.matches(alert) for name in route.receivers}
        return tuple(name for name in self._sinks if name in wanted)

    def sink(self, receiver: str) -> AlertSink:
        """The receiver of that name, which must be one that `receivers` gave."""
        return self._sinks[receiver]
