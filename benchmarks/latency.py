"""Simulated latency histograms: log-normal, with pods that differ, wobble, and share incidents. See `worlds`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.worlds import (
    BATCH,
    BLOCK,
    PER_BATCH,
    Floats,
    Shared,
    Stage,
    World,
    along,
    blocks_of,
    pod_levels,
    shared_path,
    wobble,
)

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, math.inf)
OBJECTIVE = 0.25
MEDIAN, SIGMA = 0.1, 0.6
STEEPNESS = 3.3
"""The share above the objective grows with the median to about this power: a world's factors, which are of shares,
move the median by their 3.3rd root."""

_MEMORY = 60.0

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Latency:
    """`slower`: the canary's median against stable's. `wobble`: each pod's own, of all its requests, for a minute."""

    slower: float = 1.0
    wobble: float = 0.0
    rps: float = 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Above:
    """Requests above each bound but the last, (runs, blocks, bounds - 1), and all of them, (runs, blocks)."""

    events: Floats
    total: Floats


@dataclass(frozen=True, slots=True, eq=False)
class PlayedLatency:
    """One cell: `past` events (runs, pods, batches, bounds - 1) and totals (runs, pods, batches), and both sides."""

    stages: tuple[Stage, ...]
    past_events: Floats
    past_total: Floats
    canary: Above
    stable: Above


def play_latency(
    world: World,
    latency: Latency,
    stages: tuple[Stage, ...],
    *,
    runs: int,
    rng: np.random.Generator,
    hours: float = 6.0,
) -> PlayedLatency:
    """Simulate `runs` releases, each with `hours` of stable's past."""
    blocks, before = sum(stage.blocks for stage in stages), blocks_of(hours)
    past, present = shared_path(world, runs, before + blocks, rng).split(before)
    canary, stable = pod_levels(world.pod_spread, stages, runs, rng)
    cast = _Cast(world, latency, rng)
    events, totals = cast.past(past, stable)
    n_all = rng.poisson(latency.rps * BLOCK * present.load)
    n_c = rng.binomial(n_all, along(stages, "weight"))
    sides = (
        Above(
            _above(n, cast.shares(present, levels, along(stages, name), slower), world.batch, rng), n.astype(np.float64)
        )
        for n, levels, name, slower in ((n_c, canary, "canary", latency.slower), (n_all - n_c, stable, "stable", 1.0))
    )
    return PlayedLatency(stages, events, totals, *sides)


@dataclass(frozen=True, slots=True, eq=False)
class _Cast:
    """Draws what pods do."""

    world: World
    latency: Latency
    rng: np.random.Generator

    def shares(self, shared: Shared, levels: Floats, pods: Floats, slower: float) -> Floats:
        """A side's shares of requests above each bound, (runs, blocks, bounds - 1): means over its first `pods`."""
        total = np.zeros((*shared.base.shape, len(BOUNDS) - 1))
        for pod in range(int(pods.max())):
            total += self._pod(shared, levels[:, pod], slower) * (pod < pods)[None, :, None]
        return np.asarray(total / pods[None, :, None])

    def past(self, shared: Shared, levels: Floats) -> tuple[Floats, Floats]:
        """Events above bounds and totals of each pod in each batch of history."""
        runs, pods = levels.shape
        load = shared.load.reshape(runs, -1, PER_BATCH)
        totals = self.rng.poisson(
            np.repeat(self.latency.rps * BATCH / pods * load.mean(axis=2)[:, None, :], pods, axis=1)
        )
        events = np.zeros((*totals.shape, len(BOUNDS) - 1))
        for pod in range(pods):
            shares = self._pod(shared, levels[:, pod], 1.0) * shared.load[:, :, None]
            mean = shares.reshape(runs, -1, PER_BATCH, len(BOUNDS) - 1).mean(axis=2) / load.mean(axis=2)[:, :, None]
            events[:, pod] = _above(totals[:, pod], mean, self.world.batch, self.rng)
        return events, totals.astype(np.float64)

    def _pod(self, shared: Shared, level: Floats, slower: float) -> Floats:
        log_median = math.log(MEDIAN * slower) + (np.log(shared.base) + np.log(level)[:, None]) / STEEPNESS
        if self.latency.wobble:
            log_median = log_median + wobble(self.latency.wobble, _MEMORY, self.rng.standard_normal(shared.base.shape))
        return np.asarray(ndtr((log_median[:, :, None] - np.log(BOUNDS[:-1])) / SIGMA))


def _above(total: Whole, shares: Floats, batch: int, rng: np.random.Generator) -> Floats:
    """Requests above each bound, each bound's out of those above the one before; in clumps of `batch`."""
    left = (np.asarray(total) // batch).astype(np.int64)
    events, before = np.zeros(shares.shape), np.ones(shares.shape[:-1])
    for place in range(shares.shape[-1]):
        share = shares[..., place]
        left = rng.binomial(left, np.clip(share / np.maximum(before, 1e-300), 0.0, 1.0))
        events[..., place], before = left * batch, share
    return events


def quantile(side: Above, share: float, blocks: int) -> Floats:
    """What PromQL's `histogram_quantile` says of each so many consecutive blocks, (runs, minutes)."""
    total = side.total.reshape(len(side.total), -1, blocks).sum(axis=2)
    above = side.events.reshape(len(side.total), -1, blocks, side.events.shape[-1]).sum(axis=2)
    below = np.concatenate([np.zeros_like(total)[..., None], total[..., None] - above], axis=-1)
    edges = np.array([0.0, *BOUNDS[:-1]])
    rank = share * total
    place = np.minimum((below[..., 1:] < rank[..., None]).sum(axis=-1), len(edges) - 1)
    upper = np.minimum(place + 1, len(edges) - 1)
    low, high = (np.take_along_axis(below, each[..., None], axis=-1)[..., 0] for each in (place, upper))
    part = np.clip((rank - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
    return np.asarray(edges[place] + (edges[upper] - edges[place]) * part)
