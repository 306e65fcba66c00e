"""The command line: one module per command, put together in `app`. Commands parse, call and print; nothing else."""

from analyzer.cli.app import main

__all__ = ["main"]
