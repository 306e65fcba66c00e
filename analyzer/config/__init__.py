"""YAML files in, one validated `Configuration` out, or every mistake in them at once.

Rule: a key that is accepted works. What is not built yet is refused by name, never ignored.
"""

from analyzer.config.alerts import Log, Receiver, RouteSettings, Webhook
from analyzer.config.configuration import Configuration, ReleaseLimits
from analyzer.config.load import ConfigWatch, load
from analyzer.config.prometheus import Authorization, BasicAuth, PrometheusSettings

__all__ = [
    "Authorization",
    "BasicAuth",
    "ConfigWatch",
    "Configuration",
    "Log",
    "PrometheusSettings",
    "Receiver",
    "ReleaseLimits",
    "RouteSettings",
    "Webhook",
    "load",
]
