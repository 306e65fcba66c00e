"""From what pods measured to what a side adds to the evidence. Called by `observed`.

Impossible numbers (not a number, negative, more events than requests, falling buckets) make that pod absent
in that block, with the reason; they never reach the arithmetic.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from analyzer.model.block import Arrivals, Buckets, Counts, Restarts, Sample, SideBlock

MOST = 2.0**53
"""Above this, counters no longer count one by one."""

_SHOWN = 20

Row = tuple[tuple[float, ...], float]
"""Events (one number per boundary, one for all other kinds), and the total or exposure they came from."""

Reader = Callable[[Sample], Row | str]
"""Reads one pod's sample; a text says why it cannot be used."""


@dataclass(frozen=True, slots=True)
class SideSum:
    """One side in one block: the sum over its pods, each pod's own row, and why others are absent.

    `merged` is how many pods the entries of `pods` stand for, None: one each.
    """

    events: tuple[float, ...] = ()
    total: float = 0.0
    pods: Mapping[str, Row] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    merged: int | None = None

    @property
    def standing_for(self) -> int:
        """Pods that were measured."""
        return len(self.pods) if self.merged is None else max(self.merged, len(self.pods))


def side_sum(side: SideBlock[Sample], read: Reader) -> SideSum:
    """Sum a side, exactly the same in whatever order the pods come."""
    rows: dict[str, Row] = {}
    wrong: dict[str, str] = {}
    for pod, sample in side.pods.items():
        row = read(sample)
        if isinstance(row, str):
            wrong[pod] = row
        else:
            rows[pod] = row
    absent = {**side.absent, **wrong} if wrong else side.absent
    return _summed(rows, absent, side.merged)


def taken_later(stable: SideSum, later: SideSum | None) -> SideSum | None:
    """The sum over stable's pods with their end taken later; None while one of them is not known yet."""
    if later is None or any(pod not in later.pods for pod in stable.pods):
        return None
    found = _summed({pod: later.pods[pod] for pod in stable.pods}, {}, stable.merged)
    return found if found.total > 0 else None


def read_counts(sample: Sample) -> Row | str:
    """A ratio's events of a total."""
    if not isinstance(sample, Counts):
        return _not("events and total", sample)
    events, total = sample.events, sample.total
    if 0 <= events <= total <= MOST:
        return (events,), total
    return f"impossible counts: {events:g} events of {total:g} (expected 0 <= events <= total <= 2^53)"


def read_arrivals(sample: Sample) -> Row | str:
    """A rate's events and exposure."""
    if not isinstance(sample, Arrivals):
        return _not("events and exposure", sample)
    return _exposed(sample.events, sample.exposure, "exposure")


def read_restarts(sample: Sample) -> Row | str:
    """Restarts and pod-hours."""
    if not isinstance(sample, Restarts):
        return _not("restarts and pod-hours", sample)
    return _exposed(sample.restarts, sample.pod_hours, "pod-hours")


READERS: Mapping[type[Sample], Reader] = {Counts: read_counts, Arrivals: read_arrivals, Restarts: read_restarts}
"""By what a pod measured; buckets have readers of their own."""


@lru_cache(maxsize=1024)
def bucket_reader(places: tuple[int, ...], bounds: int) -> Reader:
    """Requests above the bounds at `places`, of all requests, from cumulative counts at `bounds` bounds."""

    def read(sample: Sample) -> Row | str:
        if not isinstance(sample, Buckets):
            return _not("buckets", sample)
        counts = sample.counts
        if len(counts) != bounds:
            return f"{len(counts)} buckets for {bounds} bounds"
        if not counts or not (counts[0] >= 0 and counts[-1] <= MOST) or not _rising(counts):
            return f"impossible buckets: {_shown(counts)} (expected cumulative counts that never fall, up to 2^53)"
        return tuple(counts[-1] - counts[place] for place in places), counts[-1]

    return read


def refused(reason: str) -> Reader:
    """A reader for a side whose pods cannot be used at all."""
    return lambda _: reason


def _exposed(events: float, exposure: float, what: str) -> Row | str:
    if 0 <= events <= MOST and 0 <= exposure <= MOST and (exposure > 0 or events == 0):
        return (events,), exposure
    return f"impossible counts: {events:g} events in {exposure:g} {what} (expected both from 0 to 2^53)"


def _rising(counts: tuple[float, ...]) -> bool:
    return all(map(operator.le, counts, counts[1:]))


def _summed(rows: Mapping[str, Row], absent: Mapping[str, str], merged: int | None) -> SideSum:
    each = list(rows.values())
    if len(each) == 1:
        return SideSum(each[0][0], each[0][1], rows, absent, merged)
    events = tuple([math.fsum(column) for column in zip(*[row[0] for row in each], strict=True)])
    return SideSum(events, math.fsum([row[1] for row in each]), rows, absent, merged)


def _not(expected: str, sample: Sample) -> str:
    return f"expected {expected}, found {type(sample).__name__}"


def _shown(counts: tuple[float, ...]) -> str:
    text = ", ".join(f"{count:g}" for count in counts[:_SHOWN])
    return text + (", ..." if len(counts) > _SHOWN else "")
