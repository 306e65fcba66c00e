"""Commands for operators of running releases: they show the daemon's documents and submit commands to it.

Rule: they only read and write documents, in the cluster or in a folder. They need no connection to Prometheus, and work
while the daemon is down: it executes the commands when it is back.
"""

from analyzer.cli.operate.command import register

__all__ = ["register"]
