"""A history as arrays of pods by batches, one row per pod in the order of their names. Called by `noise`.

What cannot be true (not a number, negative, more events than requests) counts as absent, as in a release's blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from analyzer.judge.noise.dispersion import Cells
from analyzer.judge.observations.sums import MOST, READERS
from analyzer.judge.sequential.profile import Floats
from analyzer.model.block import Buckets, History, PodLevel, Sample

_ABSENT = (0.0, 0.0)
_LEAST = 1e-9


def cells_of(history: History[Sample]) -> Cells:
    """Events and exposure of a ratio, rate or restarts metric."""
    return _cells(history, _counted)


def cells_per_bound(history: History[Sample]) -> tuple[Cells, ...]:
    """For each bound of a histogram but the last: requests above it, of all requests.

    Batches whose bounds are not those of the newest one are left out.
    """
    bounds = next((side.bounds for side in reversed(history.batches) if side.bounds), ())
    same = History(history.length, tuple(side for side in history.batches if side.bounds == bounds))
    return tuple(_cells(same, _above(place, len(bounds))) for place in range(len(bounds) - 1))


def levels_of(history: History[Sample]) -> Floats:
    """Logs of a gauge's levels, shape (pods, batches), NaN where there is none above 0."""
    rows = [[_log_level(side.pods.get(pod)) for side in history.batches] for pod in _pods(history)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(history.batches))


def _cells(history: History[Sample], read: Callable[[Sample], tuple[float, float]]) -> Cells:
    pods = _pods(history)
    pairs = [[_read(side.pods.get(pod), read) for side in history.batches] for pod in pods]
    both = np.array(pairs, dtype=np.float64).reshape(len(pods), len(history.batches), 2)
    return Cells(both[..., 0], both[..., 1])


def _pods(history: History[Sample]) -> list[str]:
    return sorted({pod for side in history.batches for pod in side.pods})


def _read(sample: Sample | None, read: Callable[[Sample], tuple[float, float]]) -> tuple[float, float]:
    events, exposure = _ABSENT if sample is None else read(sample)
    return (events, exposure) if 0 <= events <= MOST and _LEAST <= exposure <= MOST else _ABSENT


def _counted(sample: Sample) -> tuple[float, float]:
    read = READERS.get(type(sample))
    row = "" if read is None else read(sample)
    return _ABSENT if isinstance(row, str) else (row[0][0], row[1])


def _above(place: int, bounds: int) -> Callable[[Sample], tuple[float, float]]:
    def read(sample: Sample) -> tuple[float, float]:
        if not isinstance(sample, Buckets) or len(sample.counts) != bounds:
            return _ABSENT
        return sample.counts[-1] - sample.counts[place], sample.counts[-1]

    return read


def _log_level(sample: Sample | None) -> float:
    if isinstance(sample, PodLevel) and 0 < sample.value < math.inf:
        return math.log(sample.value)
    return math.nan
