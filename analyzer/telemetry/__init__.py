"""What the program says about itself: the log, its own metrics, Kubernetes Events.

Rule: an event has a constant snake_case name, its numbers stand in keys of their own, and no secret gets out.
"""

from analyzer.telemetry.events import EventReporter
from analyzer.telemetry.logging import configure
from analyzer.telemetry.meters import OwnMetrics
from analyzer.telemetry.report import LogReporter

__all__ = ["EventReporter", "LogReporter", "OwnMetrics", "configure"]
