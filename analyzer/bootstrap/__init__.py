"""The composition root. Rule: every adapter is chosen and put together here, and only here, by the command line."""

from analyzer.bootstrap.cluster import ClusterDaemon, ClusterOptions
from analyzer.bootstrap.daemon import World, daemon
from analyzer.bootstrap.settings import settings_of

__all__ = ["ClusterDaemon", "ClusterOptions", "World", "daemon", "settings_of"]
