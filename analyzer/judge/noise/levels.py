"""How much gauges wander by themselves: within a pod from one 5-minute mean to the next, and between pods.

Called by `noise`. All on the log scale: log y_ib = batch_b + pod_i + noise, so what all pods share in a batch is none.
"""

from __future__ import annotations

import math

import numpy as np

from analyzer.judge.noise.dispersion import FEWEST, Estimate, lasting_variance, upper_bound
from analyzer.judge.sequential.profile import Floats

STRETCHES = (1, 3, 12)
"""Batches that are averaged, up to an hour: what wanders slowly varies more in longer means than chance gives."""

_ROUNDS, _CLOSE = 200, 1e-12


def within_pods(levels: Floats) -> Estimate | None:
    """Variance of the log of a pod's means over one batch, as it counts in the long run. None with too little.

    `levels` (pods, batches) are logs, NaN where a pod was absent. The largest of the variances of means over 1, 3
    and 12 batches, each times its length: they are the same where batches are independent, and grow where a pod's
    level wanders slowly.
    """
    scaled = [
        Estimate(stretch * one.value, stretch * one.upper, one.freedom)
        for stretch in STRETCHES
        if (one := _residual(_averaged(levels, stretch))) is not None
    ]
    return max(scaled, key=lambda one: one.value, default=None)


def between_pods(levels: Floats, variance: float) -> float:
    """tau: the lasting spread between pods' levels, given the variance of a batch mean within them."""
    pods, _ = _fitted(levels)
    batches = np.isfinite(levels).sum(axis=1).astype(np.float64)
    mean = float((batches * pods).sum() / batches.sum())
    return math.sqrt(lasting_variance(float((batches * (pods - mean) ** 2).sum()), batches, variance))


def _residual(levels: Floats) -> Estimate | None:
    present = np.isfinite(levels)
    levels = levels[present.any(axis=1)][:, present.any(axis=0)]
    present = np.isfinite(levels)
    freedom = int(present.sum()) - levels.shape[0] - levels.shape[1] + 1
    if freedom < FEWEST:
        return None
    pods, batches = _fitted(levels)
    squares = (levels - pods[:, None] - batches)[present] ** 2
    variance = max(float(squares.sum()) / freedom, 1e-12)
    excess = max(0.0, float((squares**2).mean()) / max(float(squares.mean()), 1e-12) ** 2 - 3)
    return Estimate(variance, upper_bound(variance, freedom / (1 + excess / 2)), freedom)


def _averaged(levels: Floats, stretch: int) -> Floats:
    """Means over stretches of batches, of pods that were there all the time; what is left over at the end drops."""
    whole = levels.shape[1] // stretch
    return np.asarray(levels[:, : whole * stretch].reshape(len(levels), whole, stretch).mean(axis=2))


def _fitted(levels: Floats) -> tuple[Floats, Floats]:
    """Least squares pod and batch effects by taking turns; needs a value in every row and column."""
    pods, batches = np.zeros(levels.shape[0]), np.zeros(levels.shape[1])
    for _ in range(_ROUNDS):
        batches = np.nanmean(levels - pods[:, None], axis=0)
        fresh = np.nanmean(levels - batches, axis=1)
        done = bool(np.abs(fresh - pods).max() < _CLOSE)
        pods = fresh
        if done:
            break
    return pods, batches
