"""One configured pair of Deployments, and which of the two plays which role."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analyzer.model.metric import Analysis
from analyzer.model.plan import Mode, OnDrift, Plan


class Side(StrEnum):
    """The serving side and the new side."""

    STABLE = "stable"
    CANARY = "canary"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.CANARY if self is Side.STABLE else Side.STABLE


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the Deployments that are stable and canary now; promotion by `swap` exchanges them."""

    stable: str
    canary: str

    def swapped(self) -> Roles:
        """The roles after a promotion by `swap`."""
        return Roles(stable=self.canary, canary=self.stable)

    def same_pair(self, other: Roles) -> bool:
        """The same two Deployments, whichever of them is stable."""
        return {self.stable, self.canary} == {other.stable, other.canary}

    def name(self, side: Side) -> str:
        """The Deployment that plays this side."""
        return self.stable if side is Side.STABLE else self.canary


@dataclass(frozen=True, slots=True)
class Target:
    """A canary target as configured; `plan` and `analysis` apply from its next release on.

    `service` is the Service in front of both Deployments, where it was named; preflight looks at it.
    """

    name: str
    namespace: str
    roles: Roles
    plan: Plan
    analysis: Analysis
    mode: Mode = Mode.ACT
    on_drift: OnDrift = OnDrift.PAUSE
    service: str | None = None
