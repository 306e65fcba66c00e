"""Histories with known noise, seeded, for tests of how it is estimated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.model.block import Counts, History, PodLevel, Sample, SideBlock

BATCH = 300.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """Pods, batches of 5 minutes, and the events that a cell expects on average."""

    pods: int = 9
    batches: int = 36
    events: float = 60.0


def history(of: Callable[[int, int], Sample | None], pods: int, batches: int) -> History[Sample]:
    """What `of` (pod, batch) says; None: the pod is not there."""
    cells = [{f"p{pod}": of(pod, batch) for pod in range(pods)} for batch in range(batches)]
    return History(BATCH, tuple(SideBlock({pod: one for pod, one in cell.items() if one}) for cell in cells))


def errors(rng: np.random.Generator, shape: Shape, *, phi: float = 1.0, tau: float = 0.0) -> Floats:
    """Events (pods, batches) on a load that drifts: phi by errors in batches, tau by pods that differ."""
    levels = np.exp(tau * rng.standard_normal((shape.pods, 1)))
    drift = 1 + 0.5 * np.sin(np.arange(shape.batches) / 5)
    return np.asarray(rng.poisson(shape.events * levels * drift / phi) * phi, dtype=np.float64)


def of_errors(events: Floats, total: float = 6000.0) -> History[Sample]:
    """A ratio metric's history with these events."""
    return history(lambda pod, batch: Counts(float(events[pod, batch]), total), *events.shape)


def wandering(
    rng: np.random.Generator, shape: Shape, *, within: float = 0.1, rho: float = 0.0, tau: float = 0.0
) -> History[Sample]:
    """A gauge's history: an autoregressive log level in each pod, on a shared swing."""
    logs = np.empty((shape.pods, shape.batches))
    shocks = rng.standard_normal(logs.shape)
    logs[:, 0] = shocks[:, 0]
    for batch in range(1, shape.batches):
        logs[:, batch] = rho * logs[:, batch - 1] + math.sqrt(1 - rho**2) * shocks[:, batch]
    logs = within * logs + tau * rng.standard_normal((shape.pods, 1)) + np.sin(np.arange(shape.batches) / 7)
    return history(lambda pod, batch: PodLevel(float(np.exp(logs[pod, batch]))), *logs.shape)
