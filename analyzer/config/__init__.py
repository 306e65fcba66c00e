"""YAML files in, one validated `Configuration` out, or every mistake in them at once.

Rule: a key that is accepted works. What is not built yet is refused by name, never ignored.
"""

from analyzer.config.configuration import (
    Authorization,
    BasicAuth,
    Configuration,
    Log,
    PrometheusSettings,
    Receiver,
    ReleaseLimits,
    RouteSettings,
    Webhook,
)
from analyzer.config.load import load
from analyzer.config.watch import ConfigWatch

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
