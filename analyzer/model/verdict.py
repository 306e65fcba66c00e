"""What the judge says: a classification per metric and a verdict per analysis, each with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never

from analyzer.model.block import Counts
from analyzer.model.noise import Noise
from analyzer.model.numbers import number, seconds, size


class Classification(StrEnum):
    """What is known about one metric. HIGH: the canary is worse upwards; LOW: worse downwards."""

    PASS = "PASS"
    HIGH = "HIGH"
    LOW = "LOW"
    NO_DATA = "NO_DATA"
    ERROR = "ERROR"
    UNDECIDED = "UNDECIDED"


class Outcome(StrEnum):
    """What is known about the whole analysis."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Sides:
    """What the two sides of a comparison are called in its sentences."""

    canary: str = "canary"
    stable: str = "stable"


CANARY_AND_STABLE = Sides()
BEFORE_AND_AFTER = Sides("after promotion", "before promotion")
"""A bake compares the new version with what stable was like before it was promoted."""


class Unit(StrEnum):
    """What a gauge's levels are measured in, as far as the name of its series tells."""

    BYTES = "bytes"
    SECONDS = "seconds"


def level_text(level: float, unit: Unit | None) -> str:
    """A gauge's level: 25.6 MiB, 250 ms, 12."""
    match unit:
        case Unit.BYTES:
            return size(level)
        case Unit.SECONDS:
            return seconds(level)
        case None:
            return number(level)
        case _:
            assert_never(unit)


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """Evidence in nats (log e-value) and the thresholds at which it decides.

    `advance` is the evidence for the looser proof that an intermediate step needs; it has the threshold of
    `promote`.
    """

    abort: float
    promote: float
    advance: float
    abort_at: float
    promote_at: float

    @property
    def abort_progress(self) -> float:
        """How far the evidence against the canary has come towards an abort, from 0 to 1."""
        return _progress(self.abort, self.abort_at)

    @property
    def promote_progress(self) -> float:
        """How far the evidence for the canary has come towards proof, from 0 to 1."""
        return _progress(self.promote, self.promote_at)

    @property
    def advance_progress(self) -> float:
        """The same for the looser proof of an intermediate step."""
        return _progress(self.advance, self.promote_at)


def _progress(evidence: float, threshold: float) -> float:
    """Log evidence over its threshold, clipped to 0 and 1; an infinite threshold is never reached."""
    if threshold <= 0:
        return 1.0
    return min(1.0, max(0.0, evidence / threshold))


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """One metric: its class, why, and the numbers behind it (those of the step being judged).

    `ratio` and `interval` compare canary to stable; an end that the data do not bound is 0 or infinity, and
    without any event (for `ratio`: without one in stable) they are None. `seconds_to_promote` and
    `seconds_to_advance` estimate what is still missing at present traffic if the canary is like stable, None
    when it is proven already, can't be estimated, or will not come. `pending`: an abort waits to be confirmed by
    stable's next sample.

    `levels` are canary's and stable's typical levels (geometric means over pods and blocks), which a gauge has where
    others have counts.
    `noise` is what was taken for the metric's own noise (None: a guard), `smallest_visible` the smallest ratio that
    could ever be told from it with the pods of this step, `boundary` the bound of a histogram that the numbers are
    about ("250 ms"), `query` the selectors, `unit` that of the levels. `waiting` says in a few words what is still
    missing for a proof ("promotion evidence 70 %, about 3m more at present traffic"), None where nothing is.
    `noise_note` says which differences the noise hides. `lane` says which test the evidence is from: the main one, or
    the fast lane, which is there for versions that fail outright.
    """

    name: str
    classification: Classification
    reason: str
    canary: Counts = Counts(0, 0)
    stable: Counts = Counts(0, 0)
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    evidence: LogEvidence | None = None
    proven: bool = False
    advance_proven: bool = False
    adverse: bool = False
    pending: bool = False
    seconds_to_promote: float | None = None
    seconds_to_advance: float | None = None
    silent_pods: tuple[str, ...] = ()
    noise: Noise | None = None
    smallest_visible: float | None = None
    boundary: str | None = None
    query: str | None = None
    levels: tuple[float, float] | None = None
    unit: Unit | None = None
    waiting: str | None = None
    noise_note: str | None = None
    lane: Literal["main", "fast"] = "main"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole analysis at one moment.

    `holds` is a guard with scope `both` that is broken: it stops forward moves and is no FAIL. `covered` says
    whether every canary pod has been in at least one full block. `observed_share` is the canary's part of the
    requests, None without any. `last_block` is the newest block in the evidence.
    """

    outcome: Outcome
    reason: str
    metrics: tuple[MetricVerdict, ...] = ()
    culprit: str | None = None
    advance: bool = False
    adverse: bool = False
    covered: bool = False
    holds: str | None = None
    observed_share: float | None = None
    last_block: int | None = None
