"""Minutes until a bad canary is aborted, by every rule, beside the least that any test could take.

Run `python -m benchmarks peers`. The limit T* is when the information that the traffic carries has added up to
log(1/alpha): against "no worse at all", which peers test, and against our default tolerance.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from analyzer.model.metric import Margin
from benchmarks import estimated, rules
from benchmarks.courts import CountCourt, no_spread, of_counts, spread_of
from benchmarks.ours import ALPHA, Judged, by_time, ride, thresholds
from benchmarks.poisson_limit import nats_per_request
from benchmarks.rules import Ended
from benchmarks.size import Size, progress
from benchmarks.tables import share_of, show
from benchmarks.worlds import INDEPENDENT, Counts, Played, Service, Stage, beside, play

SHARE, HOURS = 0.01, 3
CASES = ((2.0, 1, 200.0), (2.0, 1, 20.0), (5.0, 1, 20.0), (2.0, 5, 20.0))
"""How bad, canary pods of 10, and requests per second."""

PODS = 10
NOT_WORSE = Margin(1.0)
ORACLE = "oracle that knows both rates"


def report(size: Size) -> None:
    """Print one table per case."""
    for ratio, canary, rps in CASES:
        progress(f"time to abort: {ratio:g}x, {canary} of {PODS} pods, {rps:g} rps")
        _case(Service(SHARE, ratio, rps=rps), canary, size)


def _case(service: Service, canary: int, size: Size) -> None:
    stages, healthy = beside(canary, PODS - canary, HOURS * 240), replace(service, ratio=1.0)
    weight = stages[0].weight
    limits = [_limit(service, weight, margin) for margin in (NOT_WORSE, rules.RATIO.tolerance)]
    others = play(INDEPENDENT, healthy, stages, runs=1000, rng=size.rng("limit", healthy, canary), hours=0)
    limit = rules.oracle_limit_of(others.counts)
    bad, good = (_all(each, stages, service.ratio, limit, size) for each in (service, healthy))
    rows = [_row(name, bad[name], good[name], limits[name in (rules.OURS, rules.EXACT)]) for name in bad]
    header = [
        "rule",
        "healthy: aborted",
        "bad: aborted",
        "mean min",
        "median min",
        "its limit T*",
        "T/T*",
        "efficiency",
    ]
    note = (
        f"{size}. Independent errors of 1 %, {service.rps:.0f} requests a second, {canary} of {PODS} pods, at most "
        f"{HOURS} h, judged all the time. canary-analyzer runs with its default tolerance, so its limit differs from "
        "that of rules without a tolerance. Mean +- standard error; T/T* and efficiency (its inverse) use the mean. "
        f"The limit holds for tests that abort at most {ALPHA:.0%} of the releases within the tolerance; a rule that "
        "aborts more of them can be faster. A rank test on one value per minute cannot end before minute five."
    )
    show(
        f"Minutes to abort a canary {service.ratio:g}x as bad, {weight:.0%} of {service.rps:.0f} rps",
        header,
        rows,
        note,
    )


def _all(service: Service, stages: tuple[Stage, ...], ratio: float, limit: float, size: Size) -> dict[str, Ended]:
    """Every rule on the same releases; the oracle looks for `ratio`."""
    played = play(INDEPENDENT, service, stages, runs=size.runs, rng=size.rng("time", service, stages))
    return {
        ORACLE: _oracle(played.counts, ratio),
        rules.EXACT: rules.ours(_ours(played, size, exact=True)),
        rules.OURS: rules.ours(_ours(played, size, exact=False)),
        **rules.peers_rules(played.counts, limit),
    }


def _limit(service: Service, weight: float, margin: Margin) -> float:
    """T* in minutes."""
    return -math.log(ALPHA) / nats_per_request(service.ratio * SHARE, SHARE, weight, margin) / service.rps / 60


def _row(name: str, ended: Ended, healthy: Ended, limit: float) -> list[str]:
    minutes = ended.aborted[np.isfinite(ended.aborted)]
    row = [name, *(share_of(each.aborts, each.runs) for each in (healthy, ended))]
    if not len(minutes):
        return [*row, "-", "-", f"{limit:.2f}", "-", "-"]
    error = minutes.std() / math.sqrt(len(minutes))
    times = [f"{minutes.mean():.2f} +- {error:.2f}", f"{np.median(minutes):.2f}", f"{limit:.2f}"]
    return [*row, *times, f"{minutes.mean() / limit:.2f}", f"{limit / minutes.mean():.2f}"]


def _ours(played: Played, size: Size, *, exact: bool) -> Judged:
    spread = no_spread(size.runs) if exact else spread_of(estimated.of_counts(rules.RATIO, played.past))
    court = CountCourt(rules.RATIO, played.stages, [of_counts(played.counts)], spread)
    schedule, at = by_time(played.stages, promotes=False), thresholds(rules.RATIO, 1)
    return ride(court, schedule, runs=size.runs, blocks=played.stages[0].blocks, at=at)


def _oracle(counts: Counts, ratio: float) -> Ended:
    """Wald's test of the true rate against stable's true rate, both known; it looks at each block."""
    nats = counts.canary_events * math.log(ratio) - counts.canary_total * SHARE * (ratio - 1)
    reached = np.cumsum(nats, axis=1) >= -math.log(ALPHA)
    block = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.nan)
    return Ended(block / rules.PER_MINUTE, np.full(len(block), np.nan))
