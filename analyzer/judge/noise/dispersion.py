"""How much counts vary beyond chance: between the batches of a pod (phi) and between pods, lastingly (tau).

Called by `noise`. All events are modelled as n_ib * rate_b * level_i: whatever all pods share in a batch (load,
incidents) is no noise, for the judge compares pods in the same blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # stats would take 50 MiB of memory, before anything is done

from analyzer.judge.sequential.profile import Floats

Flags = NDArray[np.bool_]

FEWEST = 12
"""Degrees of freedom below which the variation between batches is not estimated."""

EXPECTED = 2.0
"""Events that a cell must expect on average; batches are pooled until it does. Sparser cells are all 0 and 1."""

CAUTION = 0.9
"""Upper confidence bound of phi that is used in its place."""

UNSEEN = 0.05
"""A spread between pods so small that a short history does not show it is assumed unless it is excluded."""

_LEVEL = 0.004
_PODS_AT_EASE = 9
_ROUNDS, _CLOSE = 200, 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Events and exposure, both of shape (pods, batches); a pod that was absent in a batch has exposure 0 there."""

    events: Floats
    exposure: Floats

    @property
    def pods(self) -> int:
        """How many pods there are."""
        return len(self.events)

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return int(self.events.shape[1])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A variance ratio (phi) or a variance (of gauges), its upper bound, and the degrees of freedom behind it."""

    value: float
    upper: float
    freedom: int


def connected(seen: Flags) -> Flags:
    """Which pods belong to the largest group that shared batches, shape (pods,).

    Pods that were never there at the same time cannot be compared. `seen` (pods, batches) is where they were. Needs a
    pod.
    """
    group = _groups((seen.astype(float) @ seen.T) > 0)
    cells = np.bincount(group, weights=seen.sum(axis=1))
    return np.asarray((group == int(np.argmax(cells))) & seen.any(axis=1))


def _groups(together: Flags) -> NDArray[np.intp]:
    """Equal numbers for pods that hang together; each pod takes the least number of those that it was there with."""
    group = np.arange(len(together))
    while True:
        least = np.minimum(group, np.where(together, group, len(together)).min(axis=1))
        if (least == group).all():
            return group
        group = least


def between_batches(cells: Cells) -> Estimate | None:
    """phi: the variance of counts against that of independent requests. None with too little to go by.

    Pearson's chi2 over its degrees of freedom. The bound widens with the excess kurtosis of the residuals (bursts,
    few events), which makes chi2 itself vary more.
    """
    pooled = _pooled(_active(cells))
    freedom = int((pooled.exposure > 0).sum()) - pooled.pods - pooled.batches + 1
    if freedom < FEWEST:
        return None
    expected = _fitted(pooled)
    there = expected > 0
    squares = (pooled.events[there] - expected[there]) ** 2 / expected[there]
    phi = max(float(squares.sum()) / freedom, 1e-3)
    kurtosis = float((squares**2).mean() / max(squares.mean(), 1e-3) ** 2) - 3
    excess = max(kurtosis, phi / float(expected[there].mean()), 0.0)
    return Estimate(phi, upper_bound(phi, freedom / (1 + excess / 2)), freedom)


def between_pods(cells: Cells, phi: float) -> float:
    """tau: the lasting spread of pods' rates, on the log scale."""
    rates = cells.events.sum(axis=0) / np.maximum(cells.exposure.sum(axis=0), 1e-300)
    expected = cells.exposure @ rates
    there = expected > 0
    expected, seen = expected[there], cells.events.sum(axis=1)[there]
    chi2 = float(((seen - expected) ** 2 / expected).sum())
    return math.sqrt(math.log1p(lasting_variance(chi2, expected, phi)))


def lasting_variance(chi2: float, weights: Floats, noise: float) -> float:
    """Variance between pods, from their weighted sum of squares (DerSimonian and Laird's moment estimate).

    `weights` (pods,): what each pod's square is worth; with equal ones, w, this is (chi2/(J-1) - noise)/w. With few
    pods the sum of squares is raised first, see `few_pods`. A spread up to `UNSEEN` that the data do not exclude is
    assumed to be there. 0 for a single pod.
    """
    freedom = len(weights) - 1
    if freedom < 1:
        return 0.0
    worth = float(weights.sum() - (weights**2).sum() / weights.sum()) / freedom
    likely = (few_pods(freedom + 1) * chi2 / freedom - noise) / worth
    possible = (upper_bound(chi2 / freedom, freedom) - noise) / worth
    return max(0.0, likely, min(possible, UNSEEN**2))


def few_pods(pods: int) -> float:
    """By how much the squares between few pods are raised, at least 1.

    The canary's deviation in units of an estimated spread follows Student's t, whose tail is fat for few pods. This
    factor puts each number of pods at the tail that 9 have, at level .004. From 9 pods on, the rule e >= 1/alpha is
    itself strict enough (a deviation of about 3.5) to cover the error of the estimate.
    """
    quantile = special.stdtrit(pods - 1, 1 - _LEVEL) / special.stdtrit(_PODS_AT_EASE - 1, 1 - _LEVEL)
    return max(1.0, float(quantile) ** 2)


def upper_bound(variance: float, freedom: float) -> float:
    """The upper confidence bound of a variance that was estimated with so many degrees of freedom.

    One absurd batch can leave next to none; less than one counts as one, whose bound is 63 times the variance.
    """
    freedom = max(freedom, 1.0)
    return variance * freedom / float(special.chdtri(freedom, CAUTION))


def _active(cells: Cells) -> Cells:
    """Without pods and batches that have no events: they cannot tell how events vary."""
    pods, batches = cells.events.sum(axis=1) > 0, cells.events.sum(axis=0) > 0
    return Cells(cells.events[pods][:, batches], cells.exposure[pods][:, batches])


def _pooled(cells: Cells) -> Cells:
    """Neighbouring batches as one, until a cell expects enough events on average."""
    starts, events = [0], 0.0
    for batch in range(cells.batches):
        events += float(cells.events[:, batch].sum())
        if events >= EXPECTED * cells.pods and batch + 1 < cells.batches:
            starts.append(batch + 1)
            events = 0.0
    if len(starts) > 1 and events < EXPECTED * cells.pods:
        starts.pop()
    if not cells.batches:
        return cells
    summed = (np.add.reduceat(each, starts, axis=1) for each in (cells.events, cells.exposure))
    return Cells(*summed)


def _fitted(cells: Cells) -> Floats:
    """Expected events (pods, batches) by the pods' levels and the batches' rates of largest likelihood."""
    by_pod, by_batch = cells.events.sum(axis=1), cells.events.sum(axis=0)
    levels = np.ones(cells.pods)
    rates = by_batch / cells.exposure.sum(axis=0)
    for _ in range(_ROUNDS):
        fresh = by_pod / (cells.exposure @ rates)
        rates = by_batch / (fresh @ cells.exposure)
        moved = float(np.abs(fresh / levels - 1).max())
        levels = fresh
        if moved < _CLOSE:
            break
    return np.asarray(levels[:, None] * cells.exposure * rates)
