"""Which margins a metric has, and for a histogram's bound, which of them apply in a block. Called by the evidence.

Below the 90th percentile a share of requests is large and moves by itself, in the tail it is small: a bound has
margins by the part of stable's requests above it. That part is read from the step's blocks before the one that is
weighed, so the choice is made before the block is seen and every guarantee holds. In a step's first block, where
nothing is known yet, margins apply that contain both.
"""

from __future__ import annotations

import numpy as np

from analyzer.judge.sequential.design import Margins, Whole
from analyzer.judge.sequential.profile import Floats
from analyzer.model.metric import CountMetric, HistogramMetric

OPEN, BODY, TAIL = 0, 1, 2
"""Bands of a histogram's bounds: not known yet, below the 90th percentile, above it."""

TAIL_SHARE = 0.1

_IN_BODY, _IN_TAIL = HistogramMetric.body, HistogramMetric.tail
_TOLERANCE = (_IN_BODY.tolerance.at_least(_IN_TAIL.tolerance), _IN_BODY.tolerance, _IN_TAIL.tolerance)
_PROMOTE = (_IN_BODY.promote.at_most(_IN_TAIL.promote), _IN_BODY.promote, _IN_TAIL.promote)


def margins_of(metric: CountMetric) -> Margins:
    """The margins of each band (only histograms have more than one)."""
    wide, advance = metric.promote_margin, metric.advance_margin
    if wide is not None:
        advance = advance.at_least(wide)  # an intermediate step never asks for more than promotion does
    if not isinstance(metric, HistogramMetric):
        return Margins((metric.tolerance,), (metric.promote_margin,), advance)
    tolerance = _TOLERANCE if metric.tolerance is None else (metric.tolerance,) * len(_TOLERANCE)
    return Margins(tolerance, _PROMOTE if wide is None else (wide,) * len(_PROMOTE), advance)


def bands_after(events: Floats, total: Floats) -> Whole:
    """The band of each bound, from stable's events above it so far (..., bounds) of all its requests (...)."""
    known = total[..., None] > 0
    tail = events <= TAIL_SHARE * total[..., None]
    return np.asarray(np.where(known, np.where(tail, TAIL, BODY), OPEN), dtype=np.intp)
