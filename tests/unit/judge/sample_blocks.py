"""Analyses and blocks for the judge's tests, short to write and easy to read."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.judge import Evidence, begin, enter, fold, prove_from
from analyzer.model.block import Block, Counts, SideBlock, Timing
from analyzer.model.metric import Analysis, Metric, RatioMetric

ERRORS = RatioMetric("errors", "errors_total", "requests_total")
TIMING = Timing(block=30.0, slot=15.0, delay=2.0)

Pair = tuple[float, float]


def side(**pods: Pair | str) -> SideBlock:
    """A side: per pod its events and total, or why it is absent."""
    return SideBlock(
        pods={pod: Counts(*one) for pod, one in pods.items() if not isinstance(one, str)},
        absent={pod: one for pod, one in pods.items() if isinstance(one, str)},
    )


def block(index: int, canary: Pair | SideBlock, stable: Pair | SideBlock, later: Pair | None = None) -> Block:
    """A block with one pod c on the canary side and one pod s on stable's; `later`: stable one slot later."""
    return Block(
        index,
        canary if isinstance(canary, SideBlock) else side(c=canary),
        stable if isinstance(stable, SideBlock) else side(s=stable),
        None if later is None else side(s=later),
    )


def run(canary: Pair, stable: Pair, blocks: range) -> list[Block]:
    """The same counts in each block, confirmed by the same counts one slot later."""
    return [block(index, canary, stable, later=stable) for index in blocks]


def release(*metrics: Metric, steps: int = 1, timing: Timing = TIMING, settled: bool = True) -> Evidence:
    """A release in its first step without a fast lane, with evidence counted from block 0 on."""
    evidence = enter(begin(Analysis(metrics or (ERRORS,), fast_lane=None), steps, timing), 0, abort_from=0)
    return prove_from(evidence, 0) if settled else evidence


def folded(evidence: Evidence, blocks: Sequence[Block], metric: str = "errors") -> Evidence:
    """The evidence with these blocks in one metric."""
    return fold(evidence, metric, blocks)
