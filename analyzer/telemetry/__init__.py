"""What the program says about itself: the log.

Rule: an event has a constant snake_case name, its numbers stand in keys of their own, and no secret gets out.
"""

from analyzer.telemetry.logging import configure
from analyzer.telemetry.report import LogReporter

__all__ = ["LogReporter", "configure"]
