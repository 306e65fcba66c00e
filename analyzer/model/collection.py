"""What is asked of Prometheus for one release, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from analyzer.model.block import Block, GuardReading, Sample, Timing
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric
from analyzer.model.workload import RosterEntry


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """Ask for every closed block after number `after`, for one target's release.

    `warmup` is in seconds: a pod takes part in blocks that start that long after it was ready (and after its
    process started). `fast_after`: ask ratio metrics for every closed slot after this one too (None: for none);
    in slots a pod counts from its first sample on, warm-up or not. `until` is the moment that the roster is known up
    to: the answer is what it would have been then, whenever it comes, so that it is the same for a later roster.
    """

    target: str
    namespace: str
    metrics: tuple[Metric, ...]
    roster: tuple[RosterEntry, ...]
    timing: Timing
    after: int
    warmup: float
    fast_after: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """Blocks after the requested one, gap-free up to `upto` (which is `after` when none has closed yet).

    Per metric: blocks of its kind or readings (query), in order, or the error that its query met. A metric with an
    error has no blocks at all in this answer; ask for the same blocks again. `fast` has blocks of one slot (their
    `index` counts slots since the epoch) for ratio metrics where they were asked for.
    """

    upto: int
    metrics: Mapping[str, Sequence[Block[Sample]] | Sequence[GuardReading] | ObservationError]
    fast: Mapping[str, Sequence[Block]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What Prometheus has of some pods now.

    `silent` pods have no live series; `interval` is the longest time between two scrapes in seconds (None: not known
    yet); `clock` is Prometheus' own time in seconds since the epoch.
    """

    silent: tuple[str, ...]
    interval: float | None
    clock: float
