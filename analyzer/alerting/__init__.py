"""Receivers of alerts, which of them get which alert, and how often delivery is tried.

Rule: nothing here decides that something is worth an alert, and no failure here is ever felt outside: an alert
stays in the outbox until it is delivered or cannot be. Addresses may be secrets, so they are never shown.
"""

from analyzer.alerting.log import LogSink
from analyzer.alerting.outbox import flush
from analyzer.alerting.routing import Route, Router
from analyzer.alerting.webhook import WebhookSink

__all__ = ["LogSink", "Route", "Router", "WebhookSink", "flush"]
