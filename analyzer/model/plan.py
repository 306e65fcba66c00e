"""How a release goes: its steps, its capacity bounds, and what to do when it cannot be decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Mode(StrEnum):
    """`act` moves replicas; `observe` judges, alerts and shows, and never writes a workload."""

    ACT = "act"
    OBSERVE = "observe"


class CapacityMode(StrEnum):
    """`preserve` keeps stable + canary = total; `surge` never writes stable's replicas."""

    PRESERVE = "preserve"
    SURGE = "surge"


class Promotion(StrEnum):
    """How a proven version becomes the stable one."""

    COPY_TEMPLATE = "copyTemplate"
    SWAP = "swap"
    EXTERNAL = "external"


class Advance(StrEnum):
    """What a step needs to advance besides its hold: enough evidence, or only no evidence against the canary."""

    PROOF = "proof"
    TIME = "time"


class OnInconclusive(StrEnum):
    """What happens when the deadline passes without a verdict."""

    HOLD = "hold"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


class OnDrift(StrEnum):
    """What happens when another client scales or edits a Deployment during a release."""

    PAUSE = "pause"
    REASSERT = "reassert"
    ABORT = "abort"


class OnRegression(StrEnum):
    """What happens in the bake when the new version is worse than the old one was before the promotion."""

    ALERT = "alert"
    ROLLBACK = "rollback"


class GateTimeout(StrEnum):
    """What a manual gate does when its timeout has passed."""

    HOLD = "hold"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of pods, or a percentage of the total, as Kubernetes' IntOrString."""

    value: int
    percent: bool = False

    def rounded_up(self, total: int) -> int:
        """Kubernetes' rounding of maxSurge."""
        return math.ceil(total * self.value / 100) if self.percent else self.value

    def rounded_down(self, total: int) -> int:
        """Kubernetes' rounding of maxUnavailable."""
        return total * self.value // 100 if self.percent else self.value

    def __str__(self) -> str:
        return f"{self.value}%" if self.percent else str(self.value)


@dataclass(frozen=True, slots=True)
class Gate:
    """A step that waits for an operator. Without a timeout it waits for ever, and sends a reminder after 4 h."""

    timeout: timedelta | None = None
    then: GateTimeout = GateTimeout.HOLD


@dataclass(frozen=True, slots=True)
class Step:
    """A weight (percent of replicas, above 0 and below 100) and how long it is held at least (the dwell)."""

    weight: float
    hold: timedelta
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """How far our own writes may go above and below the total."""

    mode: CapacityMode = CapacityMode.PRESERVE
    max_surge: Amount = Amount(25, percent=True)
    max_unavailable: Amount = Amount(0)
    max_canary_replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a release that is not statistics. Frozen when the release starts.

    `holdback`: this many pods of the old version are kept during the bake for comparison; with `swap` only.
    `on_regression` acts on the comparison of before and after the promotion, which has no error guarantee.
    `weight_tolerance`: percentage points by which a step's real share may differ from its weight; None: any.
    """

    steps: tuple[Step, ...]
    capacity: Capacity = Capacity()
    promote: Promotion = Promotion.COPY_TEMPLATE
    advance: Advance = Advance.PROOF
    bake: timedelta = timedelta(minutes=30)
    holdback: int = 0
    on_regression: OnRegression = OnRegression.ALERT
    deadline: timedelta = timedelta(hours=2)
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD
    ready_within: timedelta = timedelta(minutes=5)
    weight_tolerance: float | None = None
