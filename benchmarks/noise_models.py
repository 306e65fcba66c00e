"""Every kind of metric in every noise model, with the noise estimated from simulated history, as in life.

Run `python -m benchmarks noise`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks import estimated, peers, power, rules
from benchmarks.courts import CountCourt, of_counts, spread_of
from benchmarks.kinds import KINDS, Canary, Kind, Seen
from benchmarks.ours import ALPHA, Judged, Schedule, ride, thresholds
from benchmarks.rules import Ended, theirs
from benchmarks.size import Size, progress
from benchmarks.tables import above, holm, share_of, show
from benchmarks.worlds import BLOCK, WORLDS, Service, Stage, World, play_freely

MINUTE = int(60 / BLOCK)
DEADLINE = 2 * 3600
PLANS = {
    "5 of 10 (the default steps)": ((1, 9, 5), (3, 7, 5), (5, 5, 10)),
    "2 of 10": ((1, 9, 5), (2, 8, 10)),
    "1 of 10": ((1, 9, 10),),
    "10 beside 10": ((1, 10, 5), (3, 10, 5), (10, 10, 10)),
}
"""Canary pods, stable pods, and minutes held, step by step."""

SIGNIFICANT = 0.05
"""An adjusted p below this says that a cell's true rate is above alpha."""

SPREADS = (*WORLDS[:3], World("pods differ, tau 0.2", pod_spread=0.2), *WORLDS[3:])


def report(size: Size) -> None:
    """Print the tables."""
    _kinds(size)
    _plans(size)
    power.report(size)


def _kinds(size: Size) -> None:
    healthy, bad, hits = [], [], []
    for kind in KINDS:
        for world in kind.worlds:
            progress(f"noise models: {kind.name}, {world.name}")
            seen, edge, worse = (kind.simulate(world, canary, size) for canary in Canary)
            limit = None if seen.series is None else peers.tuned_limit(seen.series)
            hits.append((seen.ours.aborts, edge.ours.aborts))
            tolerated = share_of(edge.ours.aborts, size.runs)
            healthy.append([kind.name, world.name, *_healthy(kind, seen)])
            healthy[-1].insert(3, tolerated)
            bad.append([kind.name, world.name, kind.bad, *_bad(worse, limit)])
    adjusted = holm([above(each, size.runs, ALPHA) for pair in hits for each in pair])
    for row, (one, other) in zip(healthy, zip(adjusted[::2], adjusted[1::2], strict=True), strict=True):
        row.insert(4, f"{min(one, other):.2f}")
    note = (
        f"{size}. One hour: 5, 10, 25 and 50 % of 20 pods, 15 minutes each; noise estimated from six hours of history. "
        "95 % confidence intervals (Clopper-Pearson). At the tolerance: the canary is exactly as bad as is tolerated "
        "(latency: at the objective; with drift: at some bound at some time). "
        f'p: p-value of "the true rate is at most {ALPHA:.0%}" for canary-analyzer (exact binomial test, the smaller '
        f"of both columns, Holm-adjusted for all {2 * len(hits)} rates); the smallest is {min(adjusted):.2g}, so "
        f"{_claim(adjusted)}. Kayenta and Mann-Whitney compare one value per minute (latency: the 95th percentile), "
        "pooled z compares shares (latency: the share over the objective), the failed checks use the limit that people "
        "set (1 % errors, a 95th percentile of 500 ms). Restarts do not gate promotion; nearly all releases that they "
        "end are ended by the rule about one pod that restarts twice within ten minutes, which is not a test and has "
        "no error rate."
    )
    header = [
        "metric",
        "noise model",
        rules.OURS,
        "at the tolerance",
        "p",
        "promoted",
        rules.KAYENTA,
        rules.MANN_WHITNEY,
        rules.POOLED,
        "5 failed checks",
    ]
    show("False aborts of healthy releases, and of canaries at the tolerance", header, healthy, note)
    note = (
        f"{size}. Share aborted within the hour, and the median minutes until then. The limit of the failed checks is "
        "set with hindsight, so that 1 % of these same healthy releases fail; it cannot be known in advance."
    )
    header = ["metric", "noise model", "canary", rules.OURS, "min", rules.KAYENTA, "min", rules.MANN_WHITNEY, "min"]
    show("Bad releases that are aborted", [*header, rules.TUNED, "min"], bad, note)


def _claim(adjusted: Sequence[float]) -> str:
    """What the table says about the guarantee, at the usual 5 %."""
    above_alpha = sum(p < SIGNIFICANT for p in adjusted)
    return f"{above_alpha or 'none'} of them {'are' if above_alpha > 1 else 'is'} significantly above {ALPHA:.0%}"


def _healthy(kind: Kind, seen: Seen) -> list[str]:
    runs = seen.ours.runs
    row = [share_of(seen.ours.aborts, runs), share_of(seen.ours.promotions, runs) if seen.ours.promotions else "-"]
    if seen.series is None:
        return [*row, "-", "-", "-", "-"]
    ranks = peers.standing(seen.series)
    row += [_share(peers.kayenta(seen.series, ranks)), _share(peers.mann_whitney(ranks))]
    row.append("-" if seen.counts is None else _share(peers.pooled_z(seen.counts)))
    row.append("-" if kind.naive is None else _share(peers.failed_checks(seen.series, kind.naive)))
    return row


def _bad(seen: Seen, limit: float | None) -> list[str]:
    row = _caught(seen.ours)
    if seen.series is None or limit is None:
        return [*row, "-", "-", "-", "-", "-", "-"]
    ranks, minutes = peers.standing(seen.series), seen.series.canary.shape[1]
    every = (peers.kayenta(seen.series, ranks), peers.mann_whitney(ranks), peers.failed_checks(seen.series, limit))
    return [*row, *(text for each in every for text in _caught(theirs(each, minutes)))]


def _caught(ended: Ended) -> list[str]:
    return [share_of(ended.aborts, ended.runs), f"{np.nanmedian(ended.aborted):.1f}" if ended.aborts else "-"]


def _share(ended: peers.Minutes) -> str:
    return share_of(int((ended > 0).sum()), len(ended))


def _plans(size: Size) -> None:
    rows = []
    for name, steps in PLANS.items():
        for world in SPREADS:
            progress(f"plans: {name}, {world.name}")
            judged = _released(steps, world, size)
            promoted = judged.promoted[judged.promoted > 0] / MINUTE
            held = sum(minutes for _, _, minutes in steps)
            times = [f"{np.quantile(promoted, q):.1f}" if len(promoted) else "-" for q in (0.5, 0.95)]
            shares = [share_of(int((each > 0).sum()), size.runs) for each in (judged.promoted, judged.aborted)]
            rows.append([name, world.name, *shares, str(held), *times])
    header = [
        "canary pods in the last step",
        "noise model",
        "promoted",
        "aborted",
        "holds, min",
        "median min",
        "95th percentile",
    ]
    note = (
        f"{size}. Errors of 1 %, 200 requests a second over all pods, six hours of history of 10 pods, defaults except "
        "for the steps. A step ends when its hold is over, the looser proof is reached and there is no adverse "
        f"evidence; deadline {DEADLINE / 3600:.0f} h. 95 % confidence intervals (Clopper-Pearson)."
    )
    show("Healthy releases by the default plan, and with fewer or more pods", header, rows, note)


def _released(steps: tuple[tuple[int, int, int], ...], world: World, size: Size) -> Judged:
    blocks = int(DEADLINE / BLOCK)
    stages = tuple(Stage(canary, stable, canary / (canary + stable), blocks) for canary, stable, _ in steps)
    played = play_freely(world, Service(), stages, runs=size.runs, rng=size.rng("plan", steps, world))
    spread = spread_of(estimated.of_counts(rules.RATIO, played.past))
    court = CountCourt(rules.RATIO, stages, [of_counts(each) for each in played.by_step], spread)
    schedule = Schedule(tuple(minutes * MINUTE for _, _, minutes in steps), by_proof=True)
    return ride(court, schedule, runs=size.runs, blocks=blocks, at=thresholds(rules.RATIO, len(steps)))
