"""How good the judge's decisions are: error rates at the worst case, healthy releases promoted, time to decide.

Run `python -m benchmarks quality`. Independent requests, one step, no noise allowed for: the judge at its most exact.
Every block is looked at. Under a minute for 2,000 runs.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from analyzer.judge.sequential.design import abort_grid, proof_grid
from analyzer.model.metric import Analysis, Margin, RatioMetric
from benchmarks.poisson_limit import nats_per_request
from benchmarks.race import Finish, Outcomes, Traffic, race
from benchmarks.size import Size, progress
from benchmarks.tables import share_of, show

METRIC = RatioMetric("errors", "errors_total", "requests_total")
ALPHA, BETA = Analysis((METRIC,)).false_abort, Analysis((METRIC,)).false_promote
ABORT, PROMOTE = (
    Finish(abort_grid(METRIC.tolerance), math.log(1 / ALPHA)),
    Finish(proof_grid(METRIC.promote_margin), math.log(1 / BETA)),
)
NATS_PER_BLOCK = 0.1
BLOCK_SECONDS = 15.0
REQUESTS = 3000
WEIGHTS = (0.1, 0.5)
TIMES = (
    "stable",
    "canary",
    "weight",
    "requests/block",
    "decided",
    "T* in blocks",
    "mean T",
    "efficiency",
    "T/T*",
    "median",
)
SHARES = (0.0, 0.0005, 0.01, 0.1)


_NOTE = (
    "{size}; at most 240 blocks each, judged after every block. Shares with 95 % confidence intervals "
    "(Clopper-Pearson), means with their standard error. T* is the time at which the information in the traffic adds "
    "up to log(1 / error rate), the limit for any test; efficiency is T* / mean T."
)

BLOCKS = 240
"""Blocks of each release; it is judged after every one."""


def report(size: Size) -> None:
    """Print all tables."""
    for table in (false_aborts, false_promotions, healthy, time_to_abort, time_to_promote):
        progress(f"quality: {table.__name__.replace('_', ' ')}")
        table(size)


def _race(size: Size, traffic: Traffic, *finishes: Finish) -> Outcomes:
    """One cell of a table."""
    return race(traffic, finishes, runs=size.runs, blocks=BLOCKS, rng=size.rng("race", traffic))


def false_aborts(size: Size) -> None:
    """Canaries exactly as bad as is tolerated."""
    rows = []
    for share, weight in itertools.product(SHARES, WEIGHTS):
        bad = METRIC.tolerance.ratio * share + METRIC.tolerance.absolute
        found = _race(size, Traffic(bad, share, weight, REQUESTS), ABORT)
        rows.append([f"{share:.2%}", f"{weight:.0%}", share_of(int((found.winner == 0).sum()), size.runs)])
    show(
        f"False aborts at the boundary (at most {ALPHA:.0%})",
        ["stable", "weight", "aborted"],
        rows,
        _NOTE.format(size=size),
    )


def false_promotions(size: Size) -> None:
    """Canaries exactly as bad as may not be promoted; promoted before they are aborted, or at all."""
    rows = []
    for share, weight in itertools.product(SHARES, WEIGHTS):
        bad = METRIC.promote_margin.ratio * share + METRIC.promote_margin.absolute
        traffic = Traffic(bad, share, weight, REQUESTS)
        alone, raced = _race(size, traffic, PROMOTE), _race(size, traffic, ABORT, PROMOTE)
        rows.append(
            [
                f"{share:.2%}",
                f"{weight:.0%}",
                share_of(int((alone.winner == 0).sum()), size.runs),
                share_of(int((raced.winner == 1).sum()), size.runs),
            ]
        )
    header = ["stable", "weight", "proven", "proven before aborted"]
    show(f"False promotions at the boundary (at most {BETA:.0%})", header, rows, _NOTE.format(size=size))


def healthy(size: Size) -> None:
    """Canaries like stable, at a realistic rate."""
    rows = []
    for share, weight in itertools.product(SHARES, WEIGHTS):
        found = _race(size, Traffic(share, share, weight, REQUESTS), ABORT, PROMOTE)
        promoted = found.blocks[found.winner == 1] * BLOCK_SECONDS
        rows.append(
            [
                f"{share:.2%}",
                f"{weight:.0%}",
                f"{found.share(1):.1%}",
                f"{found.share(0):.2%}",
                f"{found.high:.2%}",
                f"{promoted.mean():.0f} s",
            ]
        )
    header = ["stable", "weight", "promoted", "aborted", "blocks held back", "mean time to promote"]
    hour = BLOCKS * BLOCK_SECONDS / 60
    show(
        f"Healthy releases, {hour:.0f} min at {REQUESTS / BLOCK_SECONDS:.0f} rps", header, rows, _NOTE.format(size=size)
    )


def time_to_abort(size: Size) -> None:
    """Bad canaries, where the truth lies outside the tolerance."""
    cells = [
        (share, times, weight)
        for share, times, weight in itertools.product(SHARES[1:], (2, 5), WEIGHTS)
        if times * share > METRIC.tolerance.ratio * share + METRIC.tolerance.absolute
    ]
    rows = [_against_limit(size, cell, ABORT, METRIC.tolerance) for cell in cells]
    show(f"Time to abort against the limit T* ({NATS_PER_BLOCK} nats a block)", TIMES, rows, _NOTE.format(size=size))


def time_to_promote(size: Size) -> None:
    """Canaries like stable."""
    cells = [(share, 1, weight) for share, weight in itertools.product(SHARES, WEIGHTS)]
    rows = [_against_limit(size, cell, PROMOTE, METRIC.promote_margin) for cell in cells]
    show(f"Time to promote against the limit T* ({NATS_PER_BLOCK} nats a block)", TIMES, rows, _NOTE.format(size=size))


def _against_limit(size: Size, cell: tuple[float, int, float], finish: Finish, margin: Margin) -> list[str]:
    """One row: traffic is chosen so that a block carries just so much information about the margin."""
    share, times, weight = cell
    requests = NATS_PER_BLOCK / nats_per_request(times * share, share, weight, margin)
    found = _race(size, Traffic(times * share, share, weight, requests, exact=False), finish)
    limit, mean, median = finish.nats / NATS_PER_BLOCK, float(found.blocks.mean()), float(np.median(found.blocks))
    error = float(found.blocks.std()) / math.sqrt(size.runs)
    row = [f"{share:.2%}", f"{times}x", f"{weight:.0%}", f"{requests:.1f}", f"{found.share(0):.1%}"]
    return [
        *row,
        f"{limit:.0f}",
        f"{mean:.1f} +- {error:.1f}",
        f"{limit / mean:.2f}",
        f"{mean / limit:.2f}",
        f"{median / limit:.2f}",
    ]
