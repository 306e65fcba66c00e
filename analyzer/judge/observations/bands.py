"""Which margins a metric has, and for a histogram's bound, which of them apply in a block. Called by the evidence.

Below the 90th percentile a share of requests is large and moves by itself, in the tail it is small: a bound has
margins by the part of stable's requests above it. That part is read from the step's blocks before the one that is
weighed, so the choice is made before the block is seen and every guarantee holds. In a step's first block, where
nothing is known yet, margins apply that contain both.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from analyzer.judge.sequential.design import ADVANCE_MARGIN, Margins, Whole
from analyzer.judge.sequential.profile import Floats
from analyzer.model.metric import HistogramMetric, Margin, RateMetric, RatioMetric, RestartsMetric

CountMetric = RatioMetric | HistogramMetric | RateMetric | RestartsMetric
"""The kinds that count events: all tests but the gauge's."""

OPEN, BODY, TAIL = 0, 1, 2
"""Bands of a histogram's bounds: not known yet, below the 90th percentile, above it."""

TAIL_SHARE = 0.1

_IN_BODY, _IN_TAIL = HistogramMetric.body, HistogramMetric.tail
_TOLERANCE = (_IN_BODY.tolerance.at_least(_IN_TAIL.tolerance), _IN_BODY.tolerance, _IN_TAIL.tolerance)
_PROMOTE = (_IN_BODY.promote.at_most(_IN_TAIL.promote), _IN_BODY.promote, _IN_TAIL.promote)
_ADVANCE_RATIO = 2.0


def margins_of(metric: CountMetric) -> Margins:
    """The margins of each band (only histograms have more than one)."""
    match metric:
        case RatioMetric():
            return Margins((metric.tolerance,), (metric.promote_margin,), _advance(metric.promote_margin))
        case HistogramMetric():
            tolerance = _TOLERANCE if metric.tolerance is None else (metric.tolerance,) * len(_TOLERANCE)
            promote = _PROMOTE if metric.promote_margin is None else (metric.promote_margin,) * len(_PROMOTE)
            advance = ADVANCE_MARGIN if metric.promote_margin is None else _advance(metric.promote_margin)
            return Margins(tolerance, promote, advance)
        case RateMetric() | RestartsMetric():
            wide = metric.promote_margin
            advance = Margin(max(_ADVANCE_RATIO, wide.ratio), wide.absolute)
            return Margins((metric.tolerance,), (wide,), advance)
        case _:
            assert_never(metric)


def _advance(promote: Margin) -> Margin:
    """An intermediate step never asks for more than promotion does."""
    return Margin(max(ADVANCE_MARGIN.ratio, promote.ratio), max(ADVANCE_MARGIN.absolute, promote.absolute))


def bands_after(events: Floats, total: Floats) -> Whole:
    """The band of each bound, from stable's events above it so far (..., bounds) of all its requests (...)."""
    known = total[..., None] > 0
    tail = events <= TAIL_SHARE * total[..., None]
    return np.asarray(np.where(known, np.where(tail, TAIL, BODY), OPEN), dtype=np.intp)
