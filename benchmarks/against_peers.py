"""Our judge beside the rules of others, on the same simulated releases: errors, time, users hurt.

Run `python -m benchmarks peers`.
"""

from __future__ import annotations

import numpy as np

from benchmarks import rules
from benchmarks.rules import Ended
from benchmarks.size import Size, progress
from benchmarks.tables import share_of, show
from benchmarks.worlds import BLOCK, STEPS, WORLDS, Service, World, along

SHARE = 0.01
BAD = (2.0, 5.0)


def report(size: Size) -> None:
    """Print the tables."""
    limits = {world.name: rules.oracle_limit(world, SHARE, size) for world in WORLDS}
    for world in WORLDS:
        progress(f"peers: {world.name}")
        _world(world, size, limits)


def _world(world: World, size: Size, limits: dict[str, float]) -> None:
    margin = rules.RATIO.promote_margin
    healthy = rules.all_rules(world, Service(SHARE), size, limits)
    bad = {ratio: rules.all_rules(world, Service(SHARE, ratio), size, limits) for ratio in BAD}
    edge = rules.all_rules(world, Service(SHARE, margin.ratio, margin.absolute), size, limits)
    rows = [
        [
            name,
            share_of(ended.aborts, ended.runs),
            share_of(ended.promotions, ended.runs),
            share_of(edge[name].promotions, ended.runs),
            *(text for ratio in BAD for text in _caught(bad[ratio][name], ratio)),
        ]
        for name, ended in healthy.items()
    ]
    header = ["rule", "healthy: aborted", "healthy: promoted", "at the promote margin: promoted"]
    for ratio in BAD:
        header += [f"{ratio:g}x: aborted", f"{ratio:g}x: median min", f"{ratio:g}x: users hurt"]
    show(f"Errors of 1 %, {world.name}", header, rows, _NOTE.format(size=size))


_NOTE = (
    "{size}. One hour: 5, 10, 25 and 50 % of 20 pods, 15 minutes each, 200 requests a second. Shares with 95 % "
    "confidence intervals (Clopper-Pearson). Minutes: median of the aborted releases. Users hurt: mean number of "
    "requests that failed within the hour because of the canary. A promotion is proof about the pods that ran: where "
    "pods differ, a canary at the margin that happens to get good pods really is below the margin."
)


def _caught(ended: Ended, ratio: float) -> list[str]:
    median = f"{np.nanmedian(ended.aborted):.1f}" if ended.aborts else "-"
    return [share_of(ended.aborts, ended.runs), median, f"{_hurt(ended, ratio):.0f}"]


def _hurt(ended: Ended, ratio: float) -> float:
    """Expected requests that fail in an hour because of the canary: its share until the end, all after a promotion."""
    excess = 200 * BLOCK * SHARE * (ratio - 1)
    weight = np.concatenate([[0.0], np.cumsum(along(STEPS, "weight"))])
    blocks = len(weight) - 1
    end = np.nan_to_num(np.fmin(ended.aborted, ended.promoted) * rules.PER_MINUTE, nan=blocks).astype(int)
    after = np.where(np.isfinite(ended.promoted), blocks - end, 0)
    return float(((weight[end] + after) * excess).mean())
