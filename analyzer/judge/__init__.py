"""Blocks in, classification and verdict out: statistics whose error rates hold however often one looks.

Rule: pure. Values in, values out; no clock, no I/O, no log, no randomness; the only home of numpy and scipy.
"""

from __future__ import annotations

from analyzer.judge.evidence import Evidence, begin, enter, fail, fold, last_folded, prove_from
from analyzer.judge.verdict import judge

__all__ = ["Evidence", "begin", "enter", "fail", "fold", "judge", "last_folded", "prove_from"]
