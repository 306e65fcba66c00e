"""Noise of a recorded metric: stated, estimated from recorded history, or the program's defaults. Called by `case`.

History is given in blocks as short as a release's; noise is estimated from batches of five minutes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.cli.judge.reading import CaseError, each
from analyzer.cli.judge.samples import Shape, side
from analyzer.judge.noise.estimate import estimate
from analyzer.model.block import Arrivals, Buckets, Counts, History, NoData, PodLevel, Restarts, Sample, SideBlock
from analyzer.model.metric import NoiseSetting, TestedMetric
from analyzer.model.noise import Noise

BATCH = 300.0
"""Seconds of history that are taken together."""


def noise_for(
    metric: TestedMetric, given: Mapping[str, Any], shape: Shape, seconds: float, shared: NoiseSetting
) -> Noise:
    """A metric's noise; its own statement wins over the one that is `shared` by all metrics of a case."""
    listed = given.get("history")
    found: History[Sample] | NoData = NoData("no history is given")
    if listed is not None:
        try:
            sides = each(listed, "a list of blocks of stable pods", lambda one: _stable(one, shape))
        except CaseError as error:
            raise error.within("history") from None
        found = in_batches(sides, seconds)
    return estimate(metric, found, metric.noise or shared)


def in_batches(sides: Sequence[SideBlock[Sample]], seconds: float) -> History[Sample]:
    """Blocks of so many seconds added up to batches of five minutes; what is left at the end is left out."""
    count = max(1, round(BATCH / seconds))
    whole = len(sides) - len(sides) % count
    batches = tuple(_added(sides[first : first + count]) for first in range(0, whole, count))
    return History(count * seconds, batches)


def _stable(given: object, shape: Shape) -> SideBlock[Sample]:
    """A block of history is a side, or an object with it under `stable`, as blocks of a release have it."""
    if type(given) is dict and "stable" in given:
        if given.keys() != {"stable"}:
            raise CaseError("expected the stable side alone, as there was no canary yet")
        return side(given["stable"], "stable", shape)
    try:
        return side(given, "", shape)
    except CaseError as error:
        raise CaseError(error.message, error.path[1:]) from None


def _added(sides: Sequence[SideBlock[Sample]]) -> SideBlock[Sample]:
    if len(sides) == 1:
        return sides[0]
    pods: defaultdict[str, list[Sample]] = defaultdict(list)
    for one in sides:
        for pod, sample in one.pods.items():
            pods[pod].append(sample)
    first = next((one for one in sides if one.pods), sides[0])
    return SideBlock({pod: _sum(samples) for pod, samples in pods.items()}, {}, first.bounds, first.merged)


def _sum(samples: Sequence[Sample]) -> Sample:
    """Counts and exposures add up; levels are averaged."""
    match samples[0]:
        case PodLevel():
            levels = [one.value for one in samples if isinstance(one, PodLevel)]
            return PodLevel(math.fsum(levels) / len(levels))
        case Buckets():
            rows = [one.counts for one in samples if isinstance(one, Buckets)]
            return Buckets(tuple(map(math.fsum, zip(*rows, strict=True))))
        case Counts():
            counts = [one for one in samples if isinstance(one, Counts)]
            return Counts(math.fsum(one.events for one in counts), math.fsum(one.total for one in counts))
        case Arrivals():
            came = [one for one in samples if isinstance(one, Arrivals)]
            return Arrivals(math.fsum(one.events for one in came), math.fsum(one.exposure for one in came))
        case Restarts():
            fell = [one for one in samples if isinstance(one, Restarts)]
            return Restarts(math.fsum(one.restarts for one in fell), math.fsum(one.pod_hours for one in fell))
