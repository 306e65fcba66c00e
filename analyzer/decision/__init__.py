"""Decides what happens to a release. Pure: values in, values out; every path ends in a reason.

Rule: nothing here reads a clock, does I/O or keeps a log; who carries a decision out is the engine's business.
"""

from analyzer.decision.decide import decide, moved_to
from analyzer.decision.roster import enroll

__all__ = ["decide", "enroll", "moved_to"]
