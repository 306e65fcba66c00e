"""Commands for operators of running releases: requests to the daemon, and what its documents say.

Rule: they read and write documents alone, in the cluster or in a folder. They need no connection to Prometheus, and
can be used while the daemon is down: it takes requests up when it is back.
"""

from analyzer.cli.operate.command import register

__all__ = ["register"]
