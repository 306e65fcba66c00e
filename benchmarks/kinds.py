"""Every kind of metric in simulated releases: what our judge makes of it, and what a dashboard would show of it.

Called by `noise_models`. `bad` asks for a canary that is worse, by a factor that is said with each kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.counts import restart_rule
from analyzer.model.metric import GaugeMetric, HistogramMetric, RateMetric, RestartsMetric
from benchmarks import estimated
from benchmarks.courts import CountCourt, GaugeCourt, of_counts, of_latency, spread_of
from benchmarks.latency import BOUNDS, OBJECTIVE, Above, Latency, play_latency, quantile
from benchmarks.levels import Gauge, play_gauge
from benchmarks.ours import Court, Judged, Runs, by_time, ride, thresholds
from benchmarks.peers import Series
from benchmarks.rules import PER_MINUTE, RATIO, Ended, ours, shares
from benchmarks.size import Size
from benchmarks.worlds import BLOCK, STEPS, WORLDS, Counts, Floats, Service, World, play

LATENCY = HistogramMetric("latency", "latency_bucket", objective=OBJECTIVE)
GAUGE = GaugeMetric("memory", "memory_bytes")
RATE = RateMetric("orders", "orders_total")
RESTARTS = RestartsMetric("restarts")
BLOCKS = sum(stage.blocks for stage in STEPS)

AT_OBJECTIVE, AT_ANY_TIME = 1.077, 1.045
"""So much slower, the share over the objective is what the default tolerance of a tail allows (6.3 % becomes 8.0 %);
and so much slower, every bound stays within its tolerance whatever drift and incidents do to all pods."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One cell: our decisions, one value a minute per side (larger is worse), and counts per minute where there are."""

    ours: Ended
    series: Series | None
    counts: Counts | None = None


class Canary(IntEnum):
    """How good the canary truly is: like stable, exactly as bad as is tolerated, or bad as its kind says."""

    HEALTHY = 0
    TOLERATED = 1
    BAD = 2


Simulate = Callable[[World, Canary, Size], Seen]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind with its service, in words; the worlds that it has, what `bad` means, and a limit people would set."""

    name: str
    bad: str
    simulate: Simulate
    worlds: tuple[World, ...] = WORLDS
    naive: float | None = None


def errors(share: float, ratio: float) -> Simulate:
    """A ratio metric."""

    def simulate(world: World, canary: Canary, size: Size) -> Seen:
        edge = RATIO.tolerance
        ratios = (1.0, edge.ratio, ratio)
        service = Service(share, ratios[canary], edge.absolute if canary is Canary.TOLERATED else 0.0)
        played = play(world, service, STEPS, runs=size.runs, rng=size.rng("kind", world, service))
        spread = spread_of(estimated.of_counts(RATIO, played.past))
        court = CountCourt(RATIO, STEPS, [of_counts(played.counts)] * len(STEPS), spread)
        per_minute = played.counts.summed(PER_MINUTE)
        judged = ride(court, by_time(STEPS), runs=size.runs, blocks=BLOCKS, at=thresholds(RATIO, len(STEPS)))
        return Seen(ours(judged), shares(per_minute), per_minute)

    return simulate


def latency(wobble: float) -> Simulate:
    """A histogram; people look at its 95th percentile, or at requests over the objective."""

    def simulate(world: World, canary: Canary, size: Size) -> Seen:
        service = Latency((1.0, AT_ANY_TIME if world.drift or world.bursts else AT_OBJECTIVE, 1.5)[canary], wobble)
        played = play_latency(world, service, STEPS, runs=size.runs, rng=size.rng("kind", world, service))
        spread, objective = spread_of(estimated.of_latency(LATENCY, played)), BOUNDS.index(OBJECTIVE)
        court = CountCourt(LATENCY, STEPS, [of_latency(played)] * len(STEPS), spread, objective)
        judged = ride(court, by_time(STEPS), runs=size.runs, blocks=BLOCKS, at=thresholds(LATENCY, len(STEPS)))
        series = Series(*(quantile(side, 0.95, PER_MINUTE) for side in (played.canary, played.stable)))
        return Seen(ours(judged), series, _over(played.canary, played.stable, objective))

    return simulate


def gauge(memory: float) -> Simulate:
    """A gauge; people look at its mean over pods."""

    def simulate(world: World, canary: Canary, size: Size) -> Seen:
        service = Gauge((1.0, GAUGE.tolerance.ratio, 2.0)[canary], memory=memory)
        played = play_gauge(world, service, STEPS, runs=size.runs, rng=size.rng("kind", world, service))
        court = GaugeCourt(GAUGE, played, estimated.of_gauge(GAUGE, played))
        judged = ride(court, by_time(STEPS), runs=size.runs, blocks=BLOCKS, at=thresholds(GAUGE, len(STEPS)))
        return Seen(ours(judged), Series(*(_by_minute(np.exp(side)) for side in (played.canary, played.stable))))

    return simulate


def rate(world: World, canary: Canary, size: Size) -> Seen:
    """A rate of which less is worse."""
    service = Service(1.0, (1.0, 1 / RATE.tolerance.ratio, 0.5)[canary], exposed=True)
    played = play(world, service, STEPS, runs=size.runs, rng=size.rng("kind", world, service))
    spread = spread_of(estimated.of_counts(RATE, played.past))
    court: Court = CountCourt(RATE, STEPS, [of_counts(played.counts)] * len(STEPS), spread)
    judged = ride(court, by_time(STEPS), runs=size.runs, blocks=BLOCKS, at=thresholds(RATE, len(STEPS)))
    c_events, c_total, s_events, s_total = played.counts.summed(PER_MINUTE).all
    return Seen(ours(judged), Series(-c_events / c_total, -s_events / s_total))


def restarts(world: World, canary: Canary, size: Size) -> Seen:
    """Restarts per pod-hour; nobody looks at them by the minute."""
    edge = RESTARTS.tolerance
    absolute = edge.absolute / 3600 if canary is Canary.TOLERATED else 0.0
    service = Service(0.05 / 3600, (1.0, edge.ratio, 200.0)[canary], absolute, exposed=True)
    played = play(world, service, STEPS, runs=size.runs, rng=size.rng("kind", world, service))
    past = type(played.past)(played.past.events, played.past.totals / 3600)
    c_events, c_total, s_events, s_total = played.counts.all
    hours = Counts(c_events, c_total / 3600, s_events, s_total / 3600)
    spread = spread_of(estimated.of_counts(RESTARTS, past))
    court = CountCourt(RESTARTS, STEPS, [of_counts(hours)] * len(STEPS), spread)
    judged = ride(
        court, by_time(STEPS, promotes=False), runs=size.runs, blocks=BLOCKS, at=thresholds(RESTARTS, len(STEPS))
    )
    struck = _struck(c_events, s_events, size.rng("struck", world, service))
    aborted = np.where((struck > 0) & ((judged.aborted == 0) | (struck < judged.aborted)), struck, judged.aborted)
    return Seen(ours(Judged(aborted, judged.promoted)), None)


_UNCLUMPED = WORLDS[:4]

KINDS = (
    Kind("errors, 1 %", "2x", errors(0.01, 2.0), naive=0.01),
    Kind("errors, 0.05 %", "5x", errors(0.0005, 5.0), naive=0.01),
    Kind("latency", "1.5x slower", latency(0.0), naive=0.5),
    Kind("latency, pods wobble by 10 %", "1.5x slower", latency(0.1), naive=0.5),
    Kind("gauge, memory of 1 min", "2x", gauge(60.0), _UNCLUMPED),
    Kind("gauge, memory of 10 min", "2x", gauge(600.0), _UNCLUMPED),
    Kind("rate", "half", rate),
    Kind("restarts, 0.05 per pod-hour", "200x", restarts, _UNCLUMPED),
)


def _over(canary: Above, stable: Above, objective: int) -> Counts:
    return Counts(canary.events[..., objective], canary.total, stable.events[..., objective], stable.total).summed(
        PER_MINUTE
    )


def _by_minute(values: Floats) -> Floats:
    return np.asarray(values.reshape(len(values), -1, PER_MINUTE).mean(axis=2))


def _struck(canary: Floats, stable: Floats, rng: np.random.Generator) -> Runs:
    """The block (from 1) at which the rule about a pod that restarts again and again ends a release, 0 for never.

    A side's restarts fall on its pods alike; the rule starts anew with each step, as the evidence does.
    """
    reach, struck, begin = math.ceil(restart_rule.SECONDS / BLOCK), np.zeros(len(canary), dtype=np.int64), 0
    for stage in STEPS:
        part = slice(begin, begin + stage.blocks)
        pods = rng.multinomial(canary[:, part].astype(np.int64), [1 / stage.canary] * stage.canary)
        quiet = _recent(stable[:, part], reach) == 0
        broken = (_recent(pods, reach).max(axis=2) >= restart_rule.RESTARTS) & quiet
        fresh = (struck == 0) & broken.any(axis=1)
        struck[fresh] = begin + broken[fresh].argmax(axis=1) + 1
        begin += stage.blocks
    return struck


def _recent(values: NDArray[Any], blocks: int) -> NDArray[Any]:
    """Sums over the last so many blocks, along the second axis."""
    sums = np.cumsum(values, axis=1)
    sums[:, blocks:] = sums[:, blocks:] - np.cumsum(values, axis=1)[:, :-blocks]
    return sums
