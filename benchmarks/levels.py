"""Simulated gauges (memory, queues): each pod wanders about its own level. See `worlds`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.worlds import (
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


@dataclass(frozen=True, slots=True)
class Gauge:
    """`higher`: the canary's level against stable's. A pod's log level wanders by `sd`, forgetting in `memory` s."""

    higher: float = 1.0
    sd: float = 0.15
    memory: float = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class PlayedGauge:
    """One cell: stable's 5-minute means before (runs, pods, batches), and both sides' mean logs (runs, blocks)."""

    stages: tuple[Stage, ...]
    past: Floats
    canary: Floats
    stable: Floats


def play_gauge(
    world: World,
    gauge: Gauge,
    stages: tuple[Stage, ...],
    *,
    runs: int,
    rng: np.random.Generator,
    hours: float = 6.0,
) -> PlayedGauge:
    """Simulate `runs` releases, each with `hours` of stable's past."""
    blocks, before = sum(stage.blocks for stage in stages), blocks_of(hours)
    past, present = shared_path(world, runs, before + blocks, rng).split(before)
    canary, stable = pod_levels(world.pod_spread, stages, runs, rng)
    history = np.stack([_means(np.exp(_pod(gauge, past, level, rng))) for level in stable.T], axis=1)
    sides = [
        _side(gauge, present, levels, along(stages, name), rng)
        for levels, name in ((canary * gauge.higher, "canary"), (stable, "stable"))
    ]
    return PlayedGauge(stages, history, *sides)


def _pod(gauge: Gauge, shared: Shared, level: Floats, rng: np.random.Generator) -> Floats:
    own = wobble(gauge.sd, gauge.memory, rng.standard_normal(shared.base.shape))
    return np.asarray(np.log(shared.base) + np.log(level)[:, None] + own)


def _side(gauge: Gauge, shared: Shared, levels: Floats, pods: Floats, rng: np.random.Generator) -> Floats:
    total = np.zeros(shared.base.shape)
    for pod in range(int(pods.max())):
        total += _pod(gauge, shared, levels[:, pod], rng) * (pod < pods)
    return np.asarray(total / pods)


def _means(values: Floats) -> Floats:
    return np.asarray(values.reshape(len(values), -1, PER_BATCH).mean(axis=2))
