"""Counts of both sides in one time slice: the unit of evidence. Absence is a value, never NaN, None or []."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from analyzer.model.target import Side


@dataclass(frozen=True, slots=True)
class Timing:
    """How time is cut for one release, measured at its start and then frozen. All in seconds.

    A block is a whole number (at least 2) of `slot`s, and a slot is no shorter than the scrape interval, so a
    pod has a sample in every slot. Edges of blocks and slots are multiples of their length since the epoch, on
    Prometheus' clock. `delay` is how late a sample may be stored.
    """

    block: float
    slot: float
    delay: float

    def index(self, when: datetime) -> int:
        """The block that contains this moment."""
        return int(when.timestamp() // self.block)

    def first_full_block(self, when: datetime) -> int:
        """The first block that starts at this moment or later."""
        return int(-(-when.timestamp() // self.block))

    def last_closed_block(self, now: float) -> int:
        """The last block whose samples are all stored at `now` (seconds since the epoch, Prometheus' clock)."""
        return int((now - self.delay) // self.block) - 1


def timing_for(interval: float, scrape: float, delay: float) -> Timing:
    """Cut time for an analysis that looks every `interval` at pods scraped every `scrape` seconds.

    The block is the smallest multiple of `interval` that spans two scrapes; the slot divides it evenly.
    """
    block = interval * max(1, -(-2 * scrape // interval))
    return Timing(block=block, slot=block / (block // scrape), delay=delay)


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
class SideBlock:
    """One side in one block: what each pod measured, and why the other pods that should have, did not.

    A pod is expected in a block when it was ready and warmed up before the block began and was not gone
    before it ended.
    """

    pods: Mapping[str, Counts] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """Both sides in block number `index` (its start divided by the block's length).

    `stable_later` is stable with each pod's end counter taken one slot later, where those samples are already
    stored: an abort that holds only because the two sides were scraped at different moments falls with it.
    """

    index: int
    canary: SideBlock
    stable: SideBlock
    stable_later: SideBlock | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a guard's query at the end of block number `index`."""

    index: int
    value: float | NoData


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A pod that took part in a release: from when it was ready until when it was gone."""

    pod: str
    side: Side
    ready_at: datetime
    gone_at: datetime | None = None
