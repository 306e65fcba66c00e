"""The benchmarks' courts, which judge thousands of releases at once, say what the judge says of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from analyzer.judge import begin, enter, fold, judge, prove_from
from analyzer.judge.thresholds import ADVERSE
from analyzer.model.block import Arrivals, Block, Buckets, Counts, PodLevel, Sample, SideBlock, Timing
from analyzer.model.metric import Analysis, GaugeMetric, HistogramMetric, RateMetric, RatioMetric, TestedMetric
from analyzer.model.noise import BoundNoise, Noise
from analyzer.model.verdict import LogEvidence
from benchmarks.courts import CountCourt, GaugeCourt, of_counts, of_latency, spread_of
from benchmarks.latency import BOUNDS, OBJECTIVE, Above, Latency, play_latency
from benchmarks.levels import Gauge, play_gauge
from benchmarks.ours import Court
from benchmarks.worlds import INDEPENDENT, Service, Stage, beside, play

RUNS, BLOCKS = 4, 24
STAGES: tuple[Stage, ...] = beside(2, 8, BLOCKS)
NOISES = [Noise(1.0, 0.0), Noise(1.7, 0.05), Noise(1.2, 0.3), Noise(4.0, 0.1)]

Cut = Callable[[int, int], tuple[Sample, Sample]]
"""What both sides measured, by run and block."""


def the_judge(
    metric: TestedMetric, noise: Noise, cut: Cut, run: int, bounds: tuple[float, ...] = ()
) -> Sequence[LogEvidence]:
    """The judge's evidence after each block."""
    evidence = begin(Analysis((metric,)), 1, Timing(15, 15, 1), {metric.name: noise})
    evidence = prove_from(enter(evidence, 0, abort_from=0, fast_from=0), 0)
    found = []
    for index in range(BLOCKS):
        sides: list[SideBlock[Any]] = [
            SideBlock({"pod": sample}, bounds=bounds, merged=pods)
            for sample, pods in zip(cut(run, index), (STAGES[0].canary, STAGES[0].stable), strict=True)
        ]
        evidence = fold(evidence, metric.name, [Block(index, sides[0], sides[1], sides[1])])
        (said,) = judge(evidence).metrics
        assert said.evidence is not None
        found.append(said.evidence)
    return found


def assert_alike(court: Court, said: Sequence[Sequence[LogEvidence]]) -> None:
    """Promotion and advance to rounding; the abort wherever it holds a release back or ends it."""
    runs = np.arange(RUNS)
    court.enter(runs, 0)
    for block in range(BLOCKS):
        nats = court.hear(runs, 0, block)
        for run in range(RUNS):
            expected = said[run][block]
            if expected.abort >= ADVERSE:
                assert nats.abort[run] == pytest.approx(expected.abort, abs=1e-6)
            else:
                assert nats.abort[run] < ADVERSE
            for mine, theirs in ((nats.promote[run], expected.promote), (nats.advance[run], expected.advance)):
                if theirs > 0:
                    assert mine == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_ratio_court_says_what_the_judge_says(ratio: float) -> None:
    metric = RatioMetric("errors", "e", "t")
    played = play(INDEPENDENT, Service(ratio=ratio), STAGES, runs=RUNS, rng=np.random.default_rng(1), hours=1)
    x_c, n_c, x_s, n_s = played.counts.all

    def cut(run: int, block: int) -> tuple[Sample, Sample]:
        return Counts(x_c[run, block], n_c[run, block]), Counts(x_s[run, block], n_s[run, block])

    said = [the_judge(metric, noise, cut, run) for run, noise in enumerate(NOISES)]
    assert_alike(CountCourt(metric, STAGES, [of_counts(played.counts)], spread_of(NOISES)), said)


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_rate_court_says_what_the_judge_says(ratio: float) -> None:
    metric = RateMetric("orders", "o")
    service = Service(share=0.5, ratio=ratio, exposed=True)
    played = play(INDEPENDENT, service, STAGES, runs=RUNS, rng=np.random.default_rng(2), hours=1)
    x_c, n_c, x_s, n_s = played.counts.all

    def cut(run: int, block: int) -> tuple[Sample, Sample]:
        return Arrivals(x_c[run, block], n_c[run, block]), Arrivals(x_s[run, block], n_s[run, block])

    said = [the_judge(metric, noise, cut, run) for run, noise in enumerate(NOISES)]
    assert_alike(CountCourt(metric, STAGES, [of_counts(played.counts)], spread_of(NOISES)), said)


@pytest.mark.parametrize("slower", [1.0, 1.5])
def test_latency_court_says_what_the_judge_says(slower: float) -> None:
    metric = HistogramMetric("latency", "b", objective=OBJECTIVE)
    played = play_latency(INDEPENDENT, Latency(slower), STAGES, runs=RUNS, rng=np.random.default_rng(3), hours=1)
    noises = [
        Noise(one.dispersion, one.pod_spread, bounds=(BoundNoise(one.dispersion, one.pod_spread),) * (len(BOUNDS) - 1))
        for one in NOISES
    ]

    def cut(run: int, block: int) -> tuple[Sample, Sample]:
        return buckets(played.canary, run, block), buckets(played.stable, run, block)

    said = [the_judge(metric, noise, cut, run, BOUNDS) for run, noise in enumerate(noises)]
    objective = BOUNDS.index(OBJECTIVE)
    assert_alike(CountCourt(metric, STAGES, [of_latency(played)], spread_of(noises), objective), said)


@pytest.mark.parametrize("higher", [1.0, 2.5])
def test_gauge_court_says_what_the_judge_says(higher: float) -> None:
    metric = GaugeMetric("memory", "m")
    played = play_gauge(INDEPENDENT, Gauge(higher), STAGES, runs=RUNS, rng=np.random.default_rng(4), hours=1)

    def cut(run: int, block: int) -> tuple[Sample, Sample]:
        return PodLevel(math.exp(played.canary[run, block])), PodLevel(math.exp(played.stable[run, block]))

    said = [the_judge(metric, noise, cut, run) for run, noise in enumerate(NOISES)]
    assert_alike(GaugeCourt(metric, played, NOISES), said)


def buckets(side: Above, run: int, block: int) -> Buckets:
    """Cumulative counts from those above each bound."""
    total = float(side.total[run, block])
    return Buckets((*(total - above for above in side.events[run, block].tolist()), total))
