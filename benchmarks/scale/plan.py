"""What is set up and measured in one run: its numbers, names and times. Everything else in this package asks here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

INTERVAL = 15.0
"""Seconds between two sweeps, and between two scrapes of a pod."""

HOME = "canary-analyzer"
"""The analyzer's own namespace."""

CORE = 0
"""The core that the measured process has; all other programs of a run have the others."""

PAIRS_IN_NAMESPACE = 100
PODS = 10
"""Pods of a target in release, both sides together; idle ones have `IDLE_PODS`."""
IDLE_PODS = 2

BEFORE = 300.0
"""Seconds of series before the first sweep: the releases began in this time."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One target: its number, and whether it is in release."""

    number: int
    in_release: bool

    @property
    def name(self) -> str:
        """Of the target; its Deployments are NAME-v1 and NAME-v2."""
        return f"shop-{self.number:05d}"

    @property
    def namespace(self) -> str:
        """Where its Deployments are."""
        return f"team-{self.number // PAIRS_IN_NAMESPACE:03d}"


@dataclass(frozen=True, slots=True)
class Standing:
    """So many targets of which so many are in release, looked at `sweeps` times from the moment `begin` on."""

    targets: int
    in_release: int
    sweeps: int
    begin: float

    @property
    def pairs(self) -> Iterator[Pair]:
        """All targets; those in release are spread evenly among them."""
        for number in range(self.targets):
            share = self.in_release / self.targets
            yield Pair(number, int((number + 1) * share) > int(number * share))

    @property
    def namespaces(self) -> list[str]:
        """All that hold targets."""
        return sorted({pair.namespace for pair in self.pairs})

    @property
    def series_from(self) -> float:
        """The first scrape, in seconds since the epoch."""
        return self.begin - BEFORE

    @property
    def scrapes(self) -> int:
        """From then until after the last sweep."""
        return int((self.sweeps + 2) + BEFORE / INTERVAL)

    def moment(self, sweep: int) -> datetime:
        """When this sweep is made, on the clock of the run; the first one has number 1."""
        return datetime.fromtimestamp(self.begin, UTC) + timedelta(seconds=sweep * INTERVAL)
