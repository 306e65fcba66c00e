"""Power where pods differ: our judge beside the best test that also has to estimate how much they do.

Run `python -m benchmarks noise`. One hour at 200 requests a second and 1 % errors, tau = 0.3, noise estimated from
six hours of 10 stable pods. The other test is Student's t on the logs of the pods' error rates over the whole hour:
the canary's pods against the stable ones beside them, with the spread estimated from all 10 stable pods (history and
release) and the canary's own. It looks once, at the end, and its level is set to the false-abort rate that we have.
"""

from __future__ import annotations

import numpy as np

from benchmarks import estimated, rules
from benchmarks.courts import CountCourt, of_counts, spread_of
from benchmarks.ours import by_time, ride, thresholds
from benchmarks.size import Size, progress
from benchmarks.tables import interval, share_of, show
from benchmarks.worlds import UNLIKE, Floats, Service, beside, play

SHARE, RPS, PODS, HOUR = 0.01, 200.0, 10, 240
CANARIES = (1, 2, 5)
RATIOS = (2.0, 3.0)


def report(size: Size) -> None:
    """Print the table."""
    rows, many = [], Size(20_000, size.seed)
    for canary in CANARIES:
        progress(f"power: {canary} canary pods of {PODS}")
        edge = rules.RATIO.tolerance
        at_edge = _ours(canary, Service(SHARE, edge.ratio, edge.absolute), size)
        level = max(at_edge, 1) / size.runs
        bound = float(np.quantile(_t_statistics(canary, edge.ratio, edge.absolute, many), 1 - level))
        for ratio in RATIOS:
            mine = _ours(canary, Service(SHARE, ratio), size)
            theirs = float((_t_statistics(canary, ratio, 0.0, many) > bound).mean())
            rows.append(_row(canary, ratio, (at_edge, mine, theirs), size.runs))
    header = [
        "canary pods",
        "canary",
        "false aborts at the tolerance",
        "power",
        "t-test's power",
        "power / t-test's",
    ]
    note = (
        f"{size}. 95 % confidence intervals (Clopper-Pearson). The t-test is set to the false-abort rate of "
        f"canary-analyzer (to one aborted release where there was none), from {many.runs} releases. Both rates are "
        "for canaries exactly at the tolerance, with other pods in each release. The t-test adds little to the error "
        "of the last column."
    )
    show(f"Power within an hour, pods differ by tau 0.3, noise estimated, of {PODS} pods", header, rows, note)


def _row(canary: int, ratio: float, hits: tuple[int, int, float], runs: int) -> list[str]:
    at_edge, mine, theirs = hits
    low, high = interval(mine, runs)
    relative = f"{mine / runs / theirs:.2f} ({low / theirs:.2f} to {high / theirs:.2f})" if theirs else "-"
    shares = [share_of(each, runs) for each in (at_edge, mine)]
    return [str(canary), f"{ratio:g}x", *shares, f"{100 * theirs:.2f} %", relative]


def _ours(canary: int, service: Service, size: Size) -> int:
    stages = beside(canary, PODS - canary, HOUR)
    played = play(UNLIKE, service, stages, runs=size.runs, rng=size.rng("power", canary, service))
    noise = spread_of(estimated.of_counts(rules.RATIO, played.past))
    court = CountCourt(rules.RATIO, stages, [of_counts(played.counts)], noise)
    schedule = by_time(stages, promotes=False)
    judged = ride(court, schedule, runs=size.runs, blocks=HOUR, at=thresholds(rules.RATIO, len(stages)))
    return int((judged.aborted > 0).sum())


def _t_statistics(canary: int, ratio: float, absolute: float, size: Size) -> Floats:
    """Student's t of many releases whose canary has this ratio: log rates of pods over the hour."""
    rng = size.rng("t", canary, ratio, absolute)
    stable, own = (np.exp(UNLIKE.pod_spread * rng.standard_normal((size.runs, each))) for each in (PODS, canary))
    requests = RPS * 3600 / PODS
    past = _log_rates(6 * requests, SHARE * stable, rng)
    now = _log_rates(requests, SHARE * stable[:, : PODS - canary], rng)
    new = _log_rates(requests, (ratio * SHARE + absolute) * own, rng)
    squares = ((past - past.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    squares += ((new - new.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    freedom = PODS - 1 + canary - 1
    error = np.sqrt(squares / freedom * (1 / canary + 1 / (PODS - canary)))
    return np.asarray((new.mean(axis=1) - now.mean(axis=1)) / error)


def _log_rates(requests: float, shares: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(np.log((rng.poisson(requests * shares) + 0.5) / requests))
