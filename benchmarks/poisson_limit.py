"""The limit: how much information about a margin a request carries at most, for rare events.

No test with the same error rate can decide sooner on average than when the information adds up to log(1/level).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import xlogy

from analyzer.model.metric import Margin


def nats_per_request(canary: float, stable: float, weight: float, margin: Margin) -> float:
    """Information against "canary is at the margin" per request, of which `weight` go to the canary.

    `canary` and `stable` are the true shares of events. It is the smallest Poisson divergence from any pair of
    shares at the margin.
    """

    def divergence(log_q: float) -> float:
        q = math.exp(log_q)
        at_margin = margin.ratio * q + margin.absolute
        return weight * _poisson(canary, at_margin) + (1 - weight) * _poisson(stable, q)

    found = minimize_scalar(divergence, bounds=(math.log(1e-9), 0.0), method="bounded", options={"xatol": 1e-8})
    return float(found.fun)


def _poisson(truth: float, other: float) -> float:
    return float(xlogy(truth, truth) - xlogy(truth, other) - truth + other) if other > 0 else np.inf
