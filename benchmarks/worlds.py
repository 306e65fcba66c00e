"""Seeded services that misbehave as real ones do, thousands of releases at once, as counts of events per block.

Called by the tables. A service has stable pods with a past; a release shifts requests to canary pods in stages. Both
sides always see the same load, drift and incidents; pods differ only as the world says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]

BLOCK = 15.0
"""Seconds in a block."""

BATCH = 300.0
"""Seconds in a batch of history."""

PER_BATCH = int(BATCH / BLOCK)


@dataclass(frozen=True, slots=True)
class Stage:
    """A weight step: pods of both sides, the canary's share of requests, and how many blocks it lasts."""

    canary: int
    stable: int
    weight: float
    blocks: int


def beside(canary: int, stable: int, blocks: int = 240) -> tuple[Stage, ...]:
    """One stage in which every pod gets the same share of requests."""
    return (Stage(canary, stable, canary / (canary + stable), blocks),)


STEPS = (Stage(1, 19, 0.05, 60), Stage(2, 18, 0.1, 60), Stage(5, 15, 0.25, 60), Stage(10, 10, 0.5, 60))
"""An hour of 5, 10, 25 and 50 % of 20 pods."""


@dataclass(frozen=True, slots=True)
class World:
    """How a service is noisy.

    `drift`: load swings by 60 % and the base rate walks at random (some 45 % in an hour). `bursts`: incidents that
    hit all pods alike, two or three an hour, a minute long, ten times the base rate. `pod_spread`: standard
    deviation of pods' rates on the log scale. `batch`: events come in clumps of this many.
    """

    name: str
    drift: bool = False
    bursts: bool = False
    pod_spread: float = 0.0
    batch: int = 1


INDEPENDENT = World("independent")
WORLDS = (
    INDEPENDENT,
    World("drift and bursts", drift=True, bursts=True),
    World("pods differ, tau 0.1", pod_spread=0.1),
    World("pods differ, tau 0.3", pod_spread=0.3),
    World("batches of 5", batch=5),
)
UNLIKE = WORLDS[3]


@dataclass(frozen=True, slots=True)
class Service:
    """What is released: requests per second, stable's share of events, and what the canary makes of it.

    The canary's share is `ratio` times stable's plus `absolute`. `exposed`: what is counted is events per pod and
    second (`share` of them), not events out of requests; load then moves events.
    """

    share: float = 0.01
    ratio: float = 1.0
    absolute: float = 0.0
    rps: float = 200.0
    exposed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Events and totals of both sides, shape (runs, blocks)."""

    canary_events: Floats
    canary_total: Floats
    stable_events: Floats
    stable_total: Floats

    def summed(self, blocks: int) -> Counts:
        """Sums over each so many consecutive blocks (a remainder is dropped)."""

        def each(values: Floats) -> Floats:
            whole = values[:, : values.shape[1] // blocks * blocks]
            return np.asarray(whole.reshape(len(values), -1, blocks).sum(axis=2))

        return Counts(*map(each, self.all))

    @property
    def all(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The four arrays, in order."""
        return self.canary_events, self.canary_total, self.stable_events, self.stable_total


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Stable's pods before the release: events and totals (runs, pods, batches)."""

    events: Floats
    totals: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """Simulated releases of one cell: their stages, stable's past, and the release's blocks."""

    stages: tuple[Stage, ...]
    past: Past
    counts: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What all pods of a run share: factors of load and of the base rate, each (runs, blocks)."""

    load: Floats
    base: Floats

    def split(self, at: int) -> tuple[Shared, Shared]:
        """Before block `at`, and from it on."""
        return Shared(self.load[:, :at], self.base[:, :at]), Shared(self.load[:, at:], self.base[:, at:])


def play(
    world: World,
    service: Service,
    stages: tuple[Stage, ...],
    *,
    runs: int,
    rng: np.random.Generator,
    hours: float = 6.0,
) -> Played:
    """Simulate `runs` releases, each with `hours` of stable's past."""
    blocks, before = sum(stage.blocks for stage in stages), blocks_of(hours)
    past, present = shared_path(world, runs, before + blocks, rng).split(before)
    canary, stable = pod_levels(world.pod_spread, stages, runs, rng)
    history = _past(world, service, past, stable, rng)
    return Played(stages, history, _release(world, service, stages, present, (canary, stable), rng))


@dataclass(frozen=True, slots=True, eq=False)
class PlayedFreely:
    """Releases that leave a step when they may: stable's past, and the blocks that each step would see at any time."""

    past: Past
    by_step: tuple[Counts, ...]


def play_freely(
    world: World,
    service: Service,
    stages: tuple[Stage, ...],
    *,
    runs: int,
    rng: np.random.Generator,
    hours: float = 6.0,
) -> PlayedFreely:
    """As `play`, with every stage as long as the release may take; stages share load, incidents and pods."""
    before = blocks_of(hours)
    past, present = shared_path(world, runs, before + stages[0].blocks, rng).split(before)
    levels = pod_levels(world.pod_spread, stages, runs, rng)
    history = _past(world, service, past, levels[1], rng)
    by_step = tuple(_release(world, service, (stage,), present, levels, rng) for stage in stages)
    return PlayedFreely(history, by_step)


def blocks_of(hours: float) -> int:
    """Blocks in so many hours, in whole batches."""
    return int(hours * 3600 / BATCH) * PER_BATCH


def pod_levels(spread: float, stages: tuple[Stage, ...], runs: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Lasting factors of canary and stable pods, (runs, pods); stable has as many as all pods of the first stage."""
    pods = max(stage.canary for stage in stages), max(stages[0].canary + stages[0].stable, stages[0].stable)
    canary, stable = (np.exp(spread * rng.standard_normal((runs, each))) for each in pods)
    return canary, stable


def shared_path(world: World, runs: int, blocks: int, rng: np.random.Generator) -> Shared:
    """Load and base rate along the way."""
    load, base = np.ones((runs, blocks)), np.ones((runs, blocks))
    if world.drift:
        phase = rng.uniform(0, 2 * np.pi, (runs, 1))
        load += 0.6 * np.sin(2 * np.pi * np.arange(blocks) * BLOCK / 7200 + phase)
        base *= np.exp(wobble(0.45, 3600.0, rng.standard_normal((runs, blocks))))
    if world.bursts:
        started = rng.random((runs, blocks)) < 0.01
        running = started.copy()
        for later in range(1, 4):
            running[:, later:] |= started[:, :-later]
        base[running] *= 10
    return Shared(load, base)


def wobble(sd: float, memory: float, noise: Floats) -> Floats:
    """A stationary path of this standard deviation which forgets within `memory` seconds, from noise (..., blocks)."""
    keep = math.exp(-BLOCK / memory)
    scaled = noise * (sd * math.sqrt(1 - keep**2))
    scaled[..., 0] = noise[..., 0] * sd
    return np.asarray(lfilter([1.0], [1.0, -keep], scaled, axis=-1))


def drawn(world: World, totals: Floats, shares: Floats, rng: np.random.Generator, *, exposed: bool) -> Floats:
    """Events: each by itself, or in clumps that a total can't cut (it cuts what is more than there are requests)."""
    if world.batch > 1:
        events = world.batch * rng.poisson(totals * shares / world.batch).astype(np.float64)
        return events if exposed else np.minimum(events, totals)
    if exposed:
        return rng.poisson(totals * shares).astype(np.float64)
    return rng.binomial(totals.astype(np.int64), np.minimum(shares, 1.0)).astype(np.float64)


def _past(world: World, service: Service, shared: Shared, levels: Floats, rng: np.random.Generator) -> Past:
    """Batches of stable's pods: what the blocks of a batch share is averaged over them, by their load."""
    runs, pods = levels.shape
    load = shared.load.reshape(runs, -1, PER_BATCH)
    mean_load = load.mean(axis=2)
    rate = (load * shared.base.reshape(load.shape)).mean(axis=2) * service.share
    if service.exposed:
        totals = np.full((runs, pods, mean_load.shape[1]), BATCH)
        shares = rate[:, None, :] * levels[:, :, None]
    else:
        each = service.rps * BATCH / pods
        totals = rng.poisson(np.broadcast_to(each * mean_load[:, None, :], (runs, pods, mean_load.shape[1]))) * 1.0
        shares = (rate / mean_load)[:, None, :] * levels[:, :, None]
    return Past(drawn(world, totals, shares, rng, exposed=service.exposed), totals)


def _release(
    world: World,
    service: Service,
    stages: tuple[Stage, ...],
    shared: Shared,
    levels: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> Counts:
    runs, blocks = shared.load.shape
    share = service.share * shared.base * (shared.load if service.exposed else 1.0)
    pods_c, pods_s, weight = (along(stages, name) for name in ("canary", "stable", "weight"))
    if service.exposed:
        n_c, n_s = (np.broadcast_to(pods * BLOCK, (runs, blocks)) for pods in (pods_c, pods_s))
    else:
        n_all = rng.poisson(service.rps * BLOCK * shared.load)
        to_canary = rng.binomial(n_all, weight)
        n_c, n_s = to_canary.astype(np.float64), (n_all - to_canary).astype(np.float64)
    level_c, level_s = (mean_level(each, pods) for each, pods in zip(levels, (pods_c, pods_s), strict=True))
    bad = (service.ratio * share + service.absolute) * level_c
    x_c = drawn(world, n_c, bad, rng, exposed=service.exposed)
    return Counts(x_c, n_c, drawn(world, n_s, share * level_s, rng, exposed=service.exposed), n_s)


def along(stages: tuple[Stage, ...], name: str) -> NDArray[np.float64]:
    """An attribute of the stage of each block, shape (blocks,)."""
    return np.concatenate([np.full(stage.blocks, float(getattr(stage, name))) for stage in stages])


def mean_level(levels: Floats, pods: Floats) -> Floats:
    """Mean factor of the first `pods` pods at each block: (runs, blocks) from (runs, all pods)."""
    means = np.cumsum(levels, axis=1) / np.arange(1, levels.shape[1] + 1)
    return np.asarray(means[:, pods.astype(int) - 1])
