"""The tests of a gauge: closed forms in the sums that `gauge` keeps. Called by `gauge_verdict` and the benchmarks.

With P = sum 1/v and the estimate h = sum (d/v)/P, h is normal about the true log ratio g of the pods that ran, with
variance 1/P; over which pods the canary got, g is normal too, with variance tau_step^2 = tau^2 (1/J_c + 1/J_s).
Abort: e = sum_g w1(g) exp l(g) / sum_g w0(g) exp l(g), where w0 = N(log R0, tau_step^2) and w1 is w0 convolved with a
prior on the excess u >= 0. Both integrals are Gaussian, so log e(u) = (u (h - log R0) - u^2/2)/(1/P + tau_step^2), a
likelihood ratio of two mixtures and thus a martingale under w0; being monotone in h, it is a supermartingale below.
Promote: the same without tau, against g >= log R1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analyzer.judge.gauges.evidence import Term
from analyzer.judge.sequential.design import POINTS
from analyzer.judge.sequential.profile import Floats, log_evidence

_LARGEST = math.log(200)
_EXCESS_SCALE = 0.4
_RATIO_SCALE = math.log(2)


@dataclass(frozen=True, slots=True)
class Normal:
    """An estimate of a log ratio and its variance (infinite without data)."""

    mean: float
    variance: float


def normal(term: Term) -> Normal:
    """The estimate that blocks add up to."""
    if term.weight <= 0:
        return Normal(0.0, math.inf)
    return Normal(term.drift / term.weight, 1 / term.weight)


def log_abort(estimate: Normal, tolerated: float, pods: float) -> float:
    """Nats against "at most `tolerated`" (a log ratio); `pods` is tau_step^2."""
    if not math.isfinite(estimate.variance):
        return 0.0
    u, log_weights = _excesses()
    profile = (u * (estimate.mean - tolerated) - u * u / 2) / (estimate.variance + pods)
    return float(log_evidence(log_weights, profile))


def log_proof(estimate: Normal, margin: float) -> float:
    """Nats against "at least `margin`" (a log ratio)."""
    if not math.isfinite(estimate.variance):
        return 0.0
    u, log_weights = _shortfalls(margin)
    profile = (u * (margin - estimate.mean) - u * u / 2) / estimate.variance
    return float(log_evidence(log_weights, profile))


def log_proofs(means: Floats, variances: Floats, margin: float) -> Floats:
    """`log_proof` of many estimates at once, each with data: shape (estimates,)."""
    u, log_weights = _shortfalls(margin)
    profile = (u * (margin - means[:, None]) - u * u / 2) / variances[:, None]
    return log_evidence(log_weights, profile)


def half_width(estimate: Normal, level: float) -> float:
    """Half the width of the confidence sequence for the log ratio of the pods that ran, infinite without data.

    Robbins' normal mixture with a prior of standard deviation log 2: it ever misses with probability <= `level`.
    """
    if not math.isfinite(estimate.variance):
        return math.inf
    known = 1 / estimate.variance
    mixture = 0.5 * math.log1p(known * _RATIO_SCALE**2)
    surprise = estimate.mean**2 / (2 * (_RATIO_SCALE**2 + estimate.variance))
    return math.sqrt(2 * estimate.variance * (mixture + surprise - math.log(level)))


@lru_cache(maxsize=1)
def _excesses() -> tuple[Floats, Floats]:
    """Excesses beyond the tolerance and their log weights: half-Cauchy, most within 1.5 times."""
    u = np.geomspace(0.01, _LARGEST, POINTS)
    return u, _log_normalised(u / (1 + (u / _EXCESS_SCALE) ** 2))


@lru_cache(maxsize=256)
def _shortfalls(margin: float) -> tuple[Floats, Floats]:
    """Distances below the margin and their log weights: most near a canary like stable, the rest anywhere better."""
    u = np.geomspace(0.01, _LARGEST, POINTS)
    alike = np.exp(-0.5 * ((u - margin) / 0.25) ** 2) / (0.25 * math.sqrt(2 * math.pi))
    return u, _log_normalised(u * (0.8 * alike + 0.2 * np.exp(-u / 2) / 2))


def _log_normalised(weights: Floats) -> Floats:
    return np.asarray(np.log(weights / weights.sum()))
