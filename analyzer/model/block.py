"""Counts of both sides in one time slice: the unit of evidence. Absence is a value, never NaN, None or []."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from typing_extensions import TypeVar


@dataclass(frozen=True, slots=True)
class Timing:
    """How time is cut for one release, measured at its start and then frozen. All in seconds.

    A block is a whole number (at least 2) of `slot`s, and a slot is no shorter than the scrape interval, so a
    pod has a sample in every slot. Both are whole milliseconds, so that edges are exact: multiples of their length
    since the epoch, on Prometheus' clock. `delay` is how late a sample may be stored.
    """

    block: float
    slot: float
    delay: float

    def index(self, when: datetime) -> int:
        """The block that contains this moment."""
        return math.floor(_lengths(when.timestamp(), self.block))

    def first_full_block(self, when: datetime) -> int:
        """The first block that starts at this moment or later."""
        return math.ceil(_lengths(when.timestamp(), self.block))

    def first_full_slot(self, when: datetime) -> int:
        """The first slot that starts at this moment or later."""
        return math.ceil(_lengths(when.timestamp(), self.slot))

    def last_closed_block(self, now: float) -> int:
        """The last block whose samples are all stored at `now` (seconds since the epoch, Prometheus' clock)."""
        return math.floor(_lengths(now - self.delay, self.block)) - 1

    def last_closed_slot(self, now: float) -> int:
        """The last slot whose samples are all stored at `now` (seconds since the epoch, Prometheus' clock)."""
        return math.floor(_lengths(now - self.delay, self.slot)) - 1


def _lengths(seconds: float, length: float) -> float:
    """How often a length of whole milliseconds fits, without the error of seconds that are no binary fraction."""
    return round(seconds * 1000, 3) / round(length * 1000)


def timing_for(interval: float, scrape: float, delay: float) -> Timing:
    """Cut time for an analysis that looks every `interval` at pods scraped every `scrape` seconds.

    The block is the smallest multiple of `interval` that spans two scrapes and has an even number of milliseconds;
    the slot is its smallest part of whole milliseconds that spans a scrape. Raises ValueError for less than 1 ms.
    """
    every, scraped = round(interval * 1000), math.ceil(round(scrape * 1000, 3))
    if min(every, scraped) < 1:
        raise ValueError(f"an interval of {interval:g} s and scrapes every {scrape:g} s: expected at least 1 ms")
    block = every * -(-2 * scraped // every)
    block += every * (block % 2)
    parts = next(parts for parts in range(block // scraped, 1, -1) if block % parts == 0)
    return Timing(block=block / 1000, slot=block / parts / 1000, delay=delay)


@dataclass(frozen=True, slots=True)
class NoData:
    """Nothing was measured, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Bad events out of all events of one pod (or a side) in one block."""

    events: float
    total: float


@dataclass(frozen=True, slots=True)
class Buckets:
    """One pod's histogram in one block: cumulative counts, one for each bound of the side's `bounds`."""

    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PodLevel:
    """One pod's gauge in one block: the mean of its samples."""

    value: float


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Events of one pod (or a side) in one block, and the exposure they came from (pods x seconds, or any share)."""

    events: float
    exposure: float


@dataclass(frozen=True, slots=True)
class Restarts:
    """Restarts of one pod (or a side) in one block, and the pod-hours they came from."""

    restarts: float
    pod_hours: float


Sample = Counts | Buckets | PodLevel | Arrivals | Restarts
"""What a pod measured in a block; each kind of metric names its own."""

S_co = TypeVar("S_co", bound=Sample, covariant=True, default=Counts)


@dataclass(frozen=True, slots=True)
class SideBlock(Generic[S_co]):
    """One side in one block: what each pod measured, and why the other pods that should have, did not.

    A pod is expected in a block when it was ready and warmed up before the block began and was not gone
    before it ended. `bounds` are a histogram's upper bounds, ascending, the last one infinite. `merged` is how many
    pods the entries of `pods` stand for, where they are sums (recorded data); None: one each.
    """

    pods: Mapping[str, S_co] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    merged: int | None = None


@dataclass(frozen=True, slots=True)
class Block(Generic[S_co]):
    """Both sides in block number `index` (its start divided by the block's length).

    `stable_later` is stable with each pod's end counter taken one slot later, where those samples are already
    stored: an abort that holds only because the two sides were scraped at different moments falls with it.
    """

    index: int
    canary: SideBlock[S_co]
    stable: SideBlock[S_co]
    stable_later: SideBlock[S_co] | None = None


@dataclass(frozen=True, slots=True)
class History(Generic[S_co]):
    """Stable's pods from before the release: batches of `length` seconds each, oldest first, gap-free.

    A batch holds the pods that were measured in it; a pod that did not exist then is simply not there.
    """

    length: float
    batches: tuple[SideBlock[S_co], ...] = ()


@dataclass(frozen=True, slots=True)
class GuardReading:
    """The value of a guard's query at the end of block number `index`."""

    index: int
    value: float | NoData
