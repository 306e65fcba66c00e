"""What a stretch of blocks adds up to, for a metric that counts events. Called by the evidence of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.judge.observations.observation import Observation
from analyzer.judge.observations.sums import SideSum
from analyzer.judge.presence import missing_share
from analyzer.judge.sequential.design import WIDTH
from analyzer.judge.sequential.profile import Floats, Profile
from analyzer.model.block import Counts

NOTHING = Profile(np.zeros((1, WIDTH)))
"""The profile of no block at all."""


@dataclass(frozen=True, slots=True)
class SideTotals:
    """One side over many blocks: events (one number per boundary) of the total, and each pod's part of it.

    `stood_for` is the total times the pods that each entry stood for, which only merged data makes differ.
    """

    events: tuple[float, ...] = ()
    total: float = 0.0
    pods: Mapping[str, float] = field(default_factory=dict)
    stood_for: float = 0.0

    def counts(self, boundary: int = 0) -> Counts:
        """Events and total at one boundary."""
        return Counts(self.events[boundary] if self.events else 0.0, self.total)

    @property
    def pods_alike(self) -> float:
        """How many pods that serve alike would average out as much as these do; at least 1."""
        squares = sum(part * part for part in self.pods.values())
        if squares <= 0:
            return 1.0
        return max(1.0, self.total * self.total / squares * (self.stood_for / self.total))

    def plus(self, sides: Sequence[SideSum]) -> SideTotals:
        """With more blocks, added one by one: the sum is the same in whatever portions they come."""
        if not sides:
            return self
        events = list(self.events or (0.0,) * len(sides[0].events))
        total, pods, stood_for = self.total, dict(self.pods), self.stood_for
        for side in sides:
            for place, more in enumerate(side.events):
                events[place] += more
            total += side.total
            stood_for += side.total * side.standing_for / max(1, len(side.pods))
            for pod, (_, part) in side.pods.items():
                pods[pod] = pods.get(pod, 0.0) + part
        return SideTotals(tuple(events), total, pods, stood_for)


NOBODY = SideTotals()


@dataclass(frozen=True, slots=True)
class Window:
    """What a stretch of blocks adds up to.

    `profile` has shape (boundaries, points). `canary` and `stable` are sums over the `counted` blocks (both sides
    had requests) of all `blocks`; in `idle` ones both sides were measured but one had no request. `present` and
    `absent` count pods in blocks, of both sides; `absence` is the latest reason for one.
    """

    profile: Profile = NOTHING
    canary: SideTotals = NOBODY
    stable: SideTotals = NOBODY
    blocks: int = 0
    counted: int = 0
    idle: int = 0
    present: int = 0
    absent: int = 0
    absence: str | None = None

    @property
    def missing(self) -> float:
        """The share of expected pod measurements that are absent, 0 to 1."""
        return missing_share(self.present, self.absent)

    def plus(self, seen: Sequence[Observation], added: Floats) -> Window:
        """With more blocks; `added` has the profiles of the counted ones, shape (counted, boundaries, points)."""
        counted = [one for one in seen if one.counted]
        profile = self.profile
        if counted:
            values = profile.values + added[0]
            for row in added[1:]:
                values += row
            profile = Profile(values)
        idle = sum(not one.counted and bool(one.canary.pods) and bool(one.stable.pods) for one in seen)
        return Window(
            profile=profile,
            canary=self.canary.plus([one.canary for one in counted]),
            stable=self.stable.plus([one.stable for one in counted]),
            blocks=self.blocks + len(seen),
            counted=self.counted + len(counted),
            idle=self.idle + idle,
            present=self.present + sum(len(one.canary.pods) + len(one.stable.pods) for one in seen),
            absent=self.absent + sum(len(one.canary.absent) + len(one.stable.absent) for one in seen),
            absence=_absence(seen) or self.absence,
        )


def _absence(seen: Sequence[Observation]) -> str | None:
    for one in reversed(seen):
        for side in (one.canary, one.stable):
            if side.absent:
                pod = min(side.absent)
                return f"{pod}: {side.absent[pod]}"
    return None
