"""Prometheus -> blocks, or a stated absence.

Rule: everything that Prometheus or the network can do wrong ends here, as an ObservationError or as a reason in
`absent` or `NoData`; what a block holds depends only on its edges, never on when or how often it was asked for.
"""

from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.login import PasswordLogin, TokenLogin
from analyzer.observation.source import PrometheusMetricSource

__all__ = ["PasswordLogin", "PrometheusConnection", "PrometheusMetricSource", "TokenLogin"]
