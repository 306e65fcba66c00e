"""Which receivers get an alert."""

from __future__ import annotations

import pytest

from analyzer.alerting.routing import Route, Router
from analyzer.model.alert import AlertEvent, Severity
from tests.fakes.sinks import MemorySink
from tests.unit.alerting.sample_alerts import an_alert

SINKS = (MemorySink("oncall"), MemorySink("chat"), MemorySink("log"))


def test_without_routes_everybody_gets_everything() -> None:
    assert Router((), SINKS).receivers(an_alert()) == ("oncall", "chat", "log")


def test_without_receivers_nobody_gets_anything() -> None:
    assert Router((), ()).receivers(an_alert()) == ()


def test_a_route_takes_the_alerts_that_it_names() -> None:
    router = Router([Route(("oncall",), events=frozenset({AlertEvent.ABORTED, AlertEvent.STUCK}))], SINKS)

    assert router.receivers(an_alert(event=AlertEvent.STUCK)) == ("oncall",)
    assert router.receivers(an_alert(event=AlertEvent.GATE)) == ()


def test_a_route_must_match_in_everything_that_it_names() -> None:
    route = Route(("chat",), targets=frozenset({"my-app"}), severities=frozenset({Severity.WARNING}))
    router = Router([route], SINKS)

    assert router.receivers(an_alert(severity=Severity.WARNING)) == ("chat",)
    assert router.receivers(an_alert(severity=Severity.CRITICAL)) == ()
    assert router.receivers(an_alert(severity=Severity.WARNING, target="other")) == ()


def test_a_receiver_of_several_matching_routes_gets_an_alert_once() -> None:
    router = Router([Route(("log", "oncall")), Route(("oncall",)), Route(("log",))], SINKS)

    assert router.receivers(an_alert()) == ("oncall", "log")


def test_refuses_a_route_to_a_receiver_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="do not exist: pager; expected some of: oncall, chat, log"):
        Router([Route(("pager",))], SINKS)
