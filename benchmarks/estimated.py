"""Noise as the product finds it: the judge's own estimate, from simulated history, one release at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from analyzer.judge.noise.estimate import estimate
from analyzer.model.block import Arrivals, Buckets, Counts, History, PodLevel, Restarts, Sample, SideBlock
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    NoiseSetting,
    RateMetric,
    RatioMetric,
    RestartsMetric,
)
from analyzer.model.noise import Noise
from benchmarks.latency import BOUNDS, PlayedLatency
from benchmarks.levels import PlayedGauge
from benchmarks.worlds import BATCH, Floats, Past

_SETTING = NoiseSetting()

CountsMetric = RatioMetric | RateMetric | RestartsMetric


def of_counts(metric: CountsMetric, past: Past) -> list[Noise]:
    """One estimate per run."""
    sample: Callable[[float, float], Sample]
    match metric:
        case RatioMetric():
            sample = Counts
        case RateMetric():
            sample = Arrivals
        case RestartsMetric():
            sample = Restarts
    pairs = np.stack([past.events, past.totals], axis=-1).transpose(0, 2, 1, 3)
    return [
        estimate(metric, _history([[sample(*pod) for pod in batch] for batch in run.tolist()]), _SETTING)
        for run in pairs
    ]


def of_latency(metric: HistogramMetric, played: PlayedLatency) -> list[Noise]:
    """One estimate per run, with numbers for every bound."""
    return [
        estimate(metric, _history(list(_buckets(events, totals)), BOUNDS), _SETTING)
        for events, totals in zip(played.past_events, played.past_total, strict=True)
    ]


def of_gauge(metric: GaugeMetric, played: PlayedGauge) -> list[Noise]:
    """One estimate per run."""
    return [
        estimate(metric, _history([[PodLevel(level) for level in batch] for batch in run.T.tolist()]), _SETTING)
        for run in played.past
    ]


def _buckets(events: Floats, totals: Floats) -> Iterator[list[Sample]]:
    below = np.concatenate([totals[..., None] - events, totals[..., None]], axis=-1)
    for batch in below.transpose(1, 0, 2).tolist():
        yield [Buckets(tuple(pod)) for pod in batch]


def _history(batches: list[list[Sample]], bounds: tuple[float, ...] = ()) -> History[Sample]:
    sides: list[SideBlock[Sample]] = [
        SideBlock({f"s-{pod}": one for pod, one in enumerate(batch)}, bounds=bounds) for batch in batches
    ]
    return History(BATCH, tuple(sides))
