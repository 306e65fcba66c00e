"""Whole releases of a gauge: levels that wander, pods that differ, fresh pods, incidents that one side shows first.

Run `python -m benchmarks.gauge_releases`. Seeded. Noise is estimated from 6 h of history, as in life; blocks of 30 s,
one step, an hour; 10 pods in all, .15 within pods from block to block. A minute or two for the default runs.
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import dataclass

import numpy as np

from analyzer.judge import begin, enter, fold, judge, prove_from
from analyzer.judge.noise.estimate import estimate
from analyzer.judge.sequential.profile import Floats
from analyzer.model.block import Block, History, PodLevel, Sample, SideBlock, Timing
from analyzer.model.metric import Analysis, GaugeMetric, Margin, NoiseSetting
from analyzer.model.noise import Noise
from analyzer.model.verdict import Outcome
from benchmarks.tables import share_of, show

METRIC = GaugeMetric("cpu", "cpu", tolerance=Margin(1.1))
TIMING = Timing(30.0, 15.0, 1.0)
PODS, BLOCKS, BATCHES, PER_BATCH = 10, 120, 72, 10
WITHIN = 0.15
SETTLING = 40.0


@dataclass(frozen=True, slots=True)
class Story:
    """`rho` from one block to the next, `tau` between pods, `ratio` of the canary's level; `fresh` is how much lower
    (log) its pods start, settling over 20 minutes; `early`: loads of tenfold that the canary shows a block earlier."""

    rho: float = 0.9
    tau: float = 0.1
    canary: int = 5
    ratio: float = 1.0
    fresh: float = 0.0
    early: bool = False

    def levels(self, rng: np.random.Generator, pods: int, blocks: int) -> Floats:
        """Logs of levels, shape (pods, blocks)."""
        shocks = rng.standard_normal((pods, blocks))
        logs = np.empty((pods, blocks))
        logs[:, 0] = shocks[:, 0]
        for block in range(1, blocks):
            logs[:, block] = self.rho * logs[:, block - 1] + math.sqrt(1 - self.rho**2) * shocks[:, block]
        return np.asarray(WITHIN * logs + self.tau * rng.standard_normal((pods, 1)))


STORIES = (
    *(Story(rho, tau, ratio=ratio) for rho, tau, ratio in itertools.product((0.0, 0.9), (0.0, 0.1, 0.3), (1.0, 1.6))),
    Story(canary=1),
    Story(canary=1, ratio=2.0),
    Story(fresh=0.5),
    Story(fresh=-0.5),
    Story(canary=1, fresh=-0.5),
    Story(rho=0.0, early=True),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="simulated releases per story")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = []
    for story in STORIES:
        ends = [release(story, rng) for _ in range(options.runs)]
        counts = [sum(outcome is kind for outcome, _ in ends) for kind in (Outcome.FAIL, Outcome.PASS)]
        blocks = [after for outcome, after in ends if outcome is not Outcome.INCONCLUSIVE]
        told = [
            f"{story.rho:g}",
            f"{story.tau:g}",
            f"{story.canary} of {PODS}",
            f"{story.ratio:g}x",
            f"{story.fresh:g}",
        ]
        minutes = f"{float(np.median(blocks)) * TIMING.block / 60:.1f} min" if blocks else "-"
        rows.append(
            [*told, "yes" if story.early else "", *(share_of(count, options.runs) for count in counts), minutes]
        )
    header = ["rho", "tau", "canary pods", "ratio", "starts lower by", "seen earlier", "aborted", "promoted", "decided"]
    show(f"Gauge releases, {options.runs} each, seed {options.seed}", header, rows)


def release(story: Story, rng: np.random.Generator) -> tuple[Outcome, int]:
    """How one release ends, and after how many blocks. A story of incidents goes on after a proof."""
    noise = _noise(story, rng)
    shared = math.log(10) * ((np.arange(BLOCKS + 1) // 10) % 2) if story.early else np.sin(np.arange(BLOCKS + 1) / 30)
    stable = story.levels(rng, PODS - story.canary, BLOCKS) + shared[:-1]
    canary = story.levels(rng, story.canary, BLOCKS) + (shared[1:] if story.early else shared[:-1])
    canary = canary + math.log(story.ratio) - story.fresh * np.exp(-np.arange(BLOCKS) / SETTLING)
    evidence = enter(begin(Analysis((METRIC,)), 1, TIMING, {METRIC.name: noise}), 0, abort_from=0)
    evidence, outcome = prove_from(evidence, 0), Outcome.INCONCLUSIVE
    for index in range(BLOCKS):
        block = Block(index, _side(canary[:, index], "c"), _side(stable[:, index], "s"))
        evidence = fold(evidence, METRIC.name, [block])
        outcome = judge(evidence).outcome
        if outcome is Outcome.FAIL or (outcome is Outcome.PASS and not story.early):
            return outcome, index + 1
    return outcome, BLOCKS


def _noise(story: Story, rng: np.random.Generator) -> Noise:
    means = np.exp(story.levels(rng, PODS, BATCHES * PER_BATCH)).reshape(PODS, BATCHES, PER_BATCH).mean(axis=2)
    past: History[Sample] = History(300.0, tuple(_side(np.log(means[:, batch]), "s") for batch in range(BATCHES)))
    return estimate(METRIC, past, NoiseSetting())


def _side(logs: Floats, name: str) -> SideBlock[PodLevel]:
    return SideBlock({f"{name}-{pod}": PodLevel(float(np.exp(one))) for pod, one in enumerate(logs)})


if __name__ == "__main__":
    main()
