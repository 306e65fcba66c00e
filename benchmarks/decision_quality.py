"""How good the judge's decisions are: error rates at the worst case, healthy releases promoted, time to decide.

Run `python -m benchmarks.decision_quality`. Every block is looked at. Seeded; prints tables with their Monte
Carlo intervals; less than a minute for the default runs.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from dataclasses import dataclass

import numpy as np

from analyzer.judge import begin, enter, fold, judge, prove_from
from analyzer.judge.design import abort_grid, proof_grid
from analyzer.model.block import Block, Counts, SideBlock, Timing
from analyzer.model.metric import Analysis, Margin, RatioMetric
from benchmarks.poisson_limit import nats_per_request
from benchmarks.race import Finish, Outcomes, Traffic, race
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


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    runs: int
    blocks: int
    seed: int

    def race(self, traffic: Traffic, *finishes: Finish) -> Outcomes:
        """One cell of a table."""
        rng = np.random.default_rng(self.seed)
        return race(traffic, finishes, runs=self.runs, blocks=self.blocks, rng=rng)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="simulated releases per cell")
    parser.add_argument("--blocks", type=int, default=240, help="looks at each release, one per block")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    size = Size(options.runs, options.blocks, options.seed)
    print(f"{size.runs} releases per cell, {size.blocks} looks each, seed {size.seed}")
    false_aborts(size)
    false_promotions(size)
    healthy(size)
    time_to_abort(size)
    time_to_promote(size)
    cost()


def false_aborts(size: Size) -> None:
    """Canaries exactly as bad as is tolerated."""
    rows = []
    for share, weight in itertools.product(SHARES, WEIGHTS):
        bad = METRIC.tolerance.ratio * share + METRIC.tolerance.absolute
        found = size.race(Traffic(bad, share, weight, REQUESTS), ABORT)
        rows.append([f"{share:.2%}", f"{weight:.0%}", share_of(int((found.winner == 0).sum()), size.runs)])
    show(f"False aborts at the boundary (at most {ALPHA:.0%})", ["stable", "weight", "aborted"], rows)


def false_promotions(size: Size) -> None:
    """Canaries exactly as bad as may not be promoted; promoted before they are aborted, or at all."""
    rows = []
    for share, weight in itertools.product(SHARES, WEIGHTS):
        bad = METRIC.promote_margin.ratio * share + METRIC.promote_margin.absolute
        traffic = Traffic(bad, share, weight, REQUESTS)
        alone, raced = size.race(traffic, PROMOTE), size.race(traffic, ABORT, PROMOTE)
        rows.append(
            [
                f"{share:.2%}",
                f"{weight:.0%}",
                share_of(int((alone.winner == 0).sum()), size.runs),
                share_of(int((raced.winner == 1).sum()), size.runs),
            ]
        )
    header = ["stable", "weight", "proven", "proven before aborted"]
    show(f"False promotions at the boundary (at most {BETA:.0%})", header, rows)


def healthy(size: Size) -> None:
    """Canaries like stable, at a realistic rate."""
    rows = []
    for share, weight in itertools.product(SHARES, WEIGHTS):
        found = size.race(Traffic(share, share, weight, REQUESTS), ABORT, PROMOTE)
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
    header = ["stable", "weight", "promoted", "aborted", "looks held back", "mean time to promote"]
    hour = size.blocks * BLOCK_SECONDS / 60
    show(f"Healthy releases, {hour:.0f} min at {REQUESTS / BLOCK_SECONDS:.0f} rps", header, rows)


def time_to_abort(size: Size) -> None:
    """Bad canaries, where the truth lies outside the tolerance."""
    cells = [
        (share, times, weight)
        for share, times, weight in itertools.product(SHARES[1:], (2, 5), WEIGHTS)
        if times * share > METRIC.tolerance.ratio * share + METRIC.tolerance.absolute
    ]
    rows = [_against_limit(size, cell, ABORT, METRIC.tolerance) for cell in cells]
    show(f"Time to abort against the limit T* ({NATS_PER_BLOCK} nats a block)", TIMES, rows)


def time_to_promote(size: Size) -> None:
    """Canaries like stable."""
    cells = [(share, 1, weight) for share, weight in itertools.product(SHARES, WEIGHTS)]
    rows = [_against_limit(size, cell, PROMOTE, METRIC.promote_margin) for cell in cells]
    show(f"Time to promote against the limit T* ({NATS_PER_BLOCK} nats a block)", TIMES, rows)


def _against_limit(size: Size, cell: tuple[float, int, float], finish: Finish, margin: Margin) -> list[str]:
    """One row: traffic is chosen so that a block carries just so much information about the margin."""
    share, times, weight = cell
    requests = NATS_PER_BLOCK / nats_per_request(times * share, share, weight, margin)
    found = size.race(Traffic(times * share, share, weight, requests, exact=False), finish)
    limit, mean, median = finish.nats / NATS_PER_BLOCK, float(found.blocks.mean()), float(np.median(found.blocks))
    row = [f"{share:.2%}", f"{times}x", f"{weight:.0%}", f"{requests:.1f}", f"{found.share(0):.1%}"]
    return [*row, f"{limit:.0f}", f"{mean:.1f}", f"{limit / mean:.2f}", f"{mean / limit:.2f}", f"{median / limit:.2f}"]


def cost(rounds: int = 1000) -> None:
    """What one block and one verdict of one metric cost."""
    entered = enter(begin(Analysis((METRIC,)), 1, Timing(15, 15, 1)), 0, abort_from=0)
    evidence = fresh = prove_from(entered, 0)
    canary = SideBlock({f"c-{k}": Counts(1, 100) for k in range(5)})
    stable = SideBlock({f"s-{k}": Counts(1, 100) for k in range(5)})
    blocks = [Block(index, canary, stable, stable) for index in range(rounds)]
    start = time.perf_counter()
    for block in blocks:
        evidence = fold(evidence, METRIC.name, [block])
    folded = time.perf_counter()
    short = fold(fresh, METRIC.name, blocks[:3])
    judging = time.perf_counter()
    for _ in range(rounds):
        judge(short)
    judged = time.perf_counter()
    rows = [[f"{(folded - start) / rounds * 1e6:.0f} us", f"{(judged - judging) / rounds * 1e6:.0f} us"]]
    show("Cost of one metric, 5 + 5 pods", ["one evidence update", "one verdict"], rows)


if __name__ == "__main__":
    main()
