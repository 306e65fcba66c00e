"""What a release needs around it, as a list of independent checks: each finds what is not so and says the way out.

Rule: checks only read; they know nothing of each other, and none decides what becomes of its findings.
"""

from analyzer.actuation.preflight.checks import CHECKS, Check
from analyzer.actuation.preflight.preflight import ClusterPreflight

__all__ = ["CHECKS", "Check", "ClusterPreflight"]
