"""Blocks in, classification and verdict out: statistics whose error rates hold however often one looks.

Rule: pure. Values in, values out; no clock, no I/O, no log, no randomness; the only home of numpy and scipy.
"""

from __future__ import annotations

from analyzer.judge.evidence import Evidence, begin, enter, fail, fold, fold_fast, last_folded, last_slot, prove_from
from analyzer.judge.noise.estimate import estimate as estimate_noise
from analyzer.judge.noise.placebo import checked as check_placebo
from analyzer.judge.recheck import open_to_more, sealed, unconfirmed
from analyzer.judge.thresholds import alpha_of
from analyzer.judge.verdict import Judged, judge, judge_after

__all__ = [
    "Evidence",
    "Judged",
    "alpha_of",
    "begin",
    "check_placebo",
    "enter",
    "estimate_noise",
    "fail",
    "fold",
    "fold_fast",
    "judge",
    "judge_after",
    "last_folded",
    "last_slot",
    "open_to_more",
    "prove_from",
    "sealed",
    "unconfirmed",
]
