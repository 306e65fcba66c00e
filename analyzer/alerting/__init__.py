"""Receivers of alerts, which of them get which alert, and how often delivery is tried.

Rule: nothing here decides that something is worth an alert, and no failure here is ever felt outside: an alert
stays in the outbox until it is delivered or cannot be. Addresses may be secrets, so they are never shown.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from analyzer.alerting.outbox import flush
from analyzer.alerting.routing import Route, Router
from analyzer.ports import AlertSink

__all__ = ["Route", "Router", "flush", "sink"]


def sink(kind: str, name: str, **options: Any) -> AlertSink:
    """The receiver of this kind: what SINK in the module of that name makes."""
    make: Callable[..., AlertSink] = import_module(f"{__name__}.{kind}").SINK
    return make(name, **options)
