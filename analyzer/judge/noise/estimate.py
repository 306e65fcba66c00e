"""How noisy a metric is by itself, from what stable's pods measured before the release.

Called by the engine when a release starts and by the offline judge; the numbers are then frozen. Nothing here is
exact: see docs/noise.md for what is proved and what is simulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from analyzer.judge.gauges.evidence import BATCH_SECONDS
from analyzer.judge.noise import dispersion
from analyzer.judge.noise import levels as level_noise
from analyzer.judge.noise.dispersion import Cells
from analyzer.judge.noise.past import cells_of, cells_per_bound, levels_of
from analyzer.model.block import History, NoData, Sample
from analyzer.model.duration import show_duration
from analyzer.model.metric import GaugeMetric, HistogramMetric, NoiseSetting, TestedMetric
from analyzer.model.noise import USUAL_SPREAD, USUAL_WITHIN, BoundNoise, Noise

ENOUGH_PODS = 4
"""With fewer pods, the spread between them is never taken to be smaller than the default."""

TWO = 2
"""Pods that it takes to tell what one does by itself from what all do."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a history gave: numbers (None: too little of it) and where from, or why not, in words."""

    words: str
    dispersion: float | None = None
    spread: float | None = None
    within: float | None = None
    bounds: tuple[BoundNoise, ...] = ()


def estimate(metric: TestedMetric, history: History[Sample] | NoData, setting: NoiseSetting) -> Noise:
    """The noise of one metric. Stated numbers are used as they are; what the history cannot tell has its default."""
    found = _found(metric, history)
    numbers = (found.dispersion, found.spread, found.within)
    stated = (setting.dispersion, setting.pod_spread, setting.within_pod)
    default = (metric.usual_dispersion, USUAL_SPREAD, USUAL_WITHIN)
    phi, tau, within = (
        next(number for number in choices if number is not None)
        for choices in zip(stated, numbers, default, strict=True)
    )
    return Noise(
        dispersion=phi,
        pod_spread=tau,
        within_pod=within,
        source=_source(metric, setting, found),
        bounds=_bounds(found.bounds, setting),
    )


def _found(metric: TestedMetric, history: History[Sample] | NoData) -> _Found:
    if isinstance(history, NoData):
        return _Found(f"default: {history.reason}")
    pods = {pod for side in history.batches for pod in side.pods}
    if len(pods) < TWO:
        return _too_little(history, len(pods), None)
    if isinstance(metric, GaugeMetric):
        return _of_gauge(history)
    if isinstance(metric, HistogramMetric):
        return _of_histogram(history)
    return _of_counts(cells_of(history), history)


def _of_counts(cells: Cells, history: History[Sample]) -> _Found:
    cells = _comparable(cells)
    phi = dispersion.between_batches(cells)
    if phi is None:
        return _too_little(history, cells.pods, float(cells.events.sum()))
    spread = dispersion.between_pods(cells, phi.value)
    return _Found(
        f"from {_extent(history, cells.pods)}",
        dispersion=max(1.0, phi.upper),
        spread=spread if cells.pods >= ENOUGH_PODS else max(spread, USUAL_SPREAD),
    )


def _of_histogram(history: History[Sample]) -> _Found:
    """Each bound by itself; one that saw too few events above it is as noisy as the nearest that did not."""
    each = [_of_counts(cells, history) for cells in cells_per_bound(history)]
    known = [place for place, one in enumerate(each) if one.dispersion is not None]
    if not known:
        return each[0] if each else _too_little(history, 0, 0)
    nearest = [each[min(known, key=lambda other: abs(other - place))] for place in range(len(each))]
    bounds = tuple(BoundNoise(one.dispersion or 1.0, one.spread or 0.0) for one in nearest)
    return _Found(
        each[known[0]].words,
        dispersion=max(one.dispersion for one in bounds),
        spread=max(one.pod_spread for one in bounds),
        bounds=bounds,
    )


def _of_gauge(history: History[Sample]) -> _Found:
    levels = levels_of(history)
    levels = levels[dispersion.connected(np.isfinite(levels))]
    levels = levels[:, np.isfinite(levels).any(axis=0)]
    variance = level_noise.within_pods(levels)
    if variance is None:
        return _too_little(history, len(levels), None)
    spread = level_noise.between_pods(levels, variance.value)
    return _Found(
        f"from {_extent(history, len(levels))}",
        spread=spread if len(levels) >= ENOUGH_PODS else max(spread, USUAL_SPREAD),
        within=math.sqrt(variance.upper * history.length / BATCH_SECONDS),
    )


def _comparable(cells: Cells) -> Cells:
    """Only pods that can be compared with each other."""
    together = dispersion.connected(cells.exposure > 0)
    return Cells(cells.events[together], cells.exposure[together])


def _too_little(history: History[Sample], pods: int, events: float | None) -> _Found:
    extent = _extent(history, pods)
    if events is not None and pods > 1 and (pods - 1) * (len(history.batches) - 1) >= dispersion.FEWEST:
        return _Found(f"default: {events:.0f} events in {extent} are too few")
    return _Found(f"default: {extent} are too little history")


def _extent(history: History[Sample], pods: int) -> str:
    length = show_duration(timedelta(seconds=history.length * len(history.batches)))
    return f"{length} of {pods} {'pod' if pods == 1 else 'pods'}"


def _source(metric: TestedMetric, setting: NoiseSetting, found: _Found) -> str:
    """In words: what is stated, and where the rest comes from."""
    needed = {"dispersion": setting.dispersion, "podSpread": setting.pod_spread}
    if isinstance(metric, GaugeMetric):
        needed = {"podSpread": setting.pod_spread, "withinPod": setting.within_pod}
    stated = [name for name, number in needed.items() if number is not None]
    if len(stated) == len(needed):
        return "stated"
    return f"{stated[0]} stated, the rest {found.words}" if stated else found.words


def _bounds(found: tuple[BoundNoise, ...], setting: NoiseSetting) -> tuple[BoundNoise, ...]:
    if setting.dispersion is not None and setting.pod_spread is not None:
        return ()
    return tuple(
        BoundNoise(
            one.dispersion if setting.dispersion is None else setting.dispersion,
            one.pod_spread if setting.pod_spread is None else setting.pod_spread,
        )
        for one in found
    )
