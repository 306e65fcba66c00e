"""Decides what happens to a release. Pure: values in, values out; every path ends in a reason.

Rule: nothing here reads a clock, does I/O or writes a log; the engine carries decisions out.
"""

from analyzer.decision.decide import decide, moved_to
from analyzer.decision.invariants import keep_invariants
from analyzer.decision.roster import enroll

__all__ = ["decide", "enroll", "keep_invariants", "moved_to"]
