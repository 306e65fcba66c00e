"""Puts the questions of all releases to Prometheus at once. The sweep calls it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzer.model.collection import BlockRequest
from analyzer.ports import MetricSource
from analyzer.release.bake import Answer, Asked, BakeComparison


def collect(metrics: MetricSource, asked: Sequence[Asked]) -> Iterator[tuple[str, Answer]]:
    """Query everything at once; a joined result comes when both of its parts have."""
    plain = [one for one in asked if isinstance(one, BlockRequest)]
    pairs = {part.target: one for one in asked if isinstance(one, BakeComparison) for part in (one.now, one.earlier)}
    halves: dict[str, Answer] = {}
    requests = [*plain, *(part for one in asked if isinstance(one, BakeComparison) for part in (one.now, one.earlier))]
    for target, answer in metrics.collect(requests):
        pair = pairs.get(target)
        if pair is None:
            yield target, answer
            continue
        halves[target] = answer
        if pair.now.target in halves and pair.earlier.target in halves:
            yield pair.target, pair.joined(halves[pair.now.target], halves[pair.earlier.target])
