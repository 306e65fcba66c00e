"""Every rule on the same simulated releases: when it aborts and when it promotes. Called by the tables and curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analyzer.model.metric import RatioMetric
from benchmarks import estimated, peers
from benchmarks.courts import CountCourt, Spread, no_spread, of_counts, spread_of
from benchmarks.ours import Judged, by_time, ride, thresholds
from benchmarks.peers import Minutes, Series
from benchmarks.size import Size
from benchmarks.worlds import BLOCK, STEPS, Counts, Floats, Played, Service, World, play

RATIO = RatioMetric("errors", "errors_total", "requests_total")
PER_MINUTE = int(60 / BLOCK)

OURS = "canary-analyzer"
EXACT = "canary-analyzer, noise not allowed for"
KAYENTA = "Kayenta's way, each minute"
MANN_WHITNEY = "Mann-Whitney p < .01, each minute"
POOLED = "pooled z p < .01, each minute"
NAIVE = "over 1 %, 5 failed checks"
TUNED = "5 failed checks, limit set by an oracle"


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Per run: minutes to the abort and to the promotion, NaN where there was none."""

    aborted: Floats
    promoted: Floats

    @property
    def runs(self) -> int:
        """How many releases there were."""
        return len(self.aborted)

    @property
    def aborts(self) -> int:
        """How many were aborted."""
        return int(np.isfinite(self.aborted).sum())

    @property
    def promotions(self) -> int:
        """How many were promoted."""
        return int(np.isfinite(self.promoted).sum())


def ours(judged: Judged) -> Ended:
    """The daemon's decisions, in minutes."""
    aborted, promoted = (np.where(block > 0, block / PER_MINUTE, np.nan) for block in (judged.aborted, judged.promoted))
    return Ended(aborted, promoted)


def theirs(ended: Minutes, minutes: int) -> Ended:
    """A peer's: what it did not abort, it promotes when the time is over."""
    return Ended(np.where(ended > 0, ended, np.nan), np.where(ended > 0, np.nan, minutes))


def shares(counts: Counts) -> Series:
    """Shares of events per minute, 0 without requests; `counts` are per minute."""
    return Series(
        counts.canary_events / np.maximum(counts.canary_total, 1),
        counts.stable_events / np.maximum(counts.stable_total, 1),
    )


def all_rules(world: World, service: Service, size: Size, limits: Mapping[str, float]) -> dict[str, Ended]:
    """What every rule makes of the same releases of a ratio metric; `limits` has the oracle's, by world."""
    played = play(world, service, STEPS, runs=size.runs, rng=size.rng(world, service))
    noise = spread_of(estimated.of_counts(RATIO, played.past))
    return {
        OURS: ours(_ridden(played, noise)),
        EXACT: ours(_ridden(played, no_spread(size.runs))),
        **peers_rules(played.counts, limits[world.name]),
    }


def peers_rules(counts: Counts, limit: float) -> dict[str, Ended]:
    """The peers' decisions on a ratio metric's blocks."""
    per_minute = counts.summed(PER_MINUTE)
    series = shares(per_minute)
    ranks = peers.standing(series)
    ended: dict[str, Callable[[], Minutes]] = {
        KAYENTA: lambda: peers.kayenta(series, ranks),
        MANN_WHITNEY: lambda: peers.mann_whitney(ranks),
        POOLED: lambda: peers.pooled_z(per_minute),
        NAIVE: lambda: peers.failed_checks(series, 0.01),
        TUNED: lambda: peers.failed_checks(series, limit),
    }
    return {name: theirs(rule(), series.canary.shape[1]) for name, rule in ended.items()}


def oracle_limit(world: World, share: float, size: Size) -> float:
    """The limit that fails 1 % of healthy releases in this very world; from other releases than those it judges."""
    rng = size.rng("oracle", world, share)
    return oracle_limit_of(play(world, Service(share), STEPS, runs=max(size.runs, 1000), rng=rng, hours=0).counts)


def oracle_limit_of(healthy: Counts) -> float:
    """The limit that fails 1 % of these."""
    return peers.tuned_limit(shares(healthy.summed(PER_MINUTE)))


def _ridden(played: Played, spread: Spread) -> Judged:
    sides = [of_counts(played.counts)] * len(played.stages)
    runs, blocks = played.counts.canary_events.shape
    court = CountCourt(RATIO, played.stages, sides, spread)
    return ride(court, by_time(played.stages), runs=runs, blocks=blocks, at=thresholds(RATIO, len(played.stages)))
