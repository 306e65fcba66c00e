"""The documents that people and programs read: a target's status, and the entry of an ended release in the history.

`record.status` builds them, the stores write them, the command line reads them. Another version may have written what
is read: a key that came later has a default, and enumerations are text. Only a phase has to be known: nearly all that
is said depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import AwareDatetime

from analyzer.model.phase import Phase
from analyzer.model.plain_json import JsonDocument
from analyzer.model.verdict import Sides
from analyzer.model.verdict_document import MetricDocument

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BySide(Generic[T]):
    """One for each side."""

    stable: T
    canary: T


@dataclass(frozen=True, slots=True)
class DeploymentDocument(JsonDocument):
    """Pods of one side's Deployment; None: not known."""

    deployment: str
    requested: int | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class PauseDocument(JsonDocument):
    """Why a release is paused. `timeout_at` is when a gate with a time-out stops waiting, `then` what happens then."""

    kind: str
    reason: str
    since: AwareDatetime
    timeout_at: AwareDatetime | None = None
    then: str | None = None


@dataclass(frozen=True, slots=True)
class CauseDocument(JsonDocument):
    """Why a release was rolled back, see `Cause`."""

    kind: str
    reason: str
    culprit: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerDocument(JsonDocument):
    """An operator's command that was carried out or refused, see `ExecutedCommand`."""

    id: str
    verb: str
    accepted: bool
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDocument(JsonDocument):
    """What one tick has to show for a target.

    `step` counts from 1, `weight` is the percentage of replicas that is requested now. What is not known is None;
    `metrics` is empty where nothing is judged. `compared` names the two sides of the metrics' numbers; None where they
    are the canary and stable.
    """

    target: str
    namespace: str
    mode: str | None = None
    phase: Phase
    phase_reason: str | None = None
    outcome: str | None = None
    action: str | None = None
    reason: str
    error: str | None = None
    release: str | None = None
    version: str | None = None
    step: int | None = None
    steps: int | None = None
    step_weight: float | None = None
    next_weight: float | None = None
    weight: float | None = None
    gate_open: bool | None = None
    known_good: bool | None = None
    started_at: AwareDatetime | None = None
    step_started_at: AwareDatetime | None = None
    promoting_at: AwareDatetime | None = None
    bake_ends_at: AwareDatetime | None = None
    deadline_at: AwareDatetime | None = None
    at_deadline: str | None = None
    aborted_at: AwareDatetime | None = None
    safe_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    verdict: str | None = None
    observed_share: float | None = None
    versions: BySide[str | None] = BySide(None, None)
    replicas: BySide[DeploymentDocument]
    metrics: tuple[MetricDocument, ...] = ()
    compared: Sides | None = None
    pause: PauseDocument | None = None
    cause: CauseDocument | None = None
    unmanaged: bool = False
    warnings: tuple[str, ...] = ()
    executed_commands: tuple[AnswerDocument, ...] = ()
    undelivered_alerts: int = 0
    since: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry(JsonDocument):
    """A release that has ended, with the last verdict on it where there is one."""

    id: str
    target: str
    result: str
    reason: str
    cause: str | None = None
    culprit: str | None = None
    mode: str | None = None
    known_good: bool = False
    versions: BySide[str | None] = BySide(None, None)
    total: int | None = None
    weights: tuple[float, ...] = ()
    metrics: tuple[MetricDocument, ...] = ()
    started_at: AwareDatetime | None = None
    aborted_at: AwareDatetime | None = None
    safe_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    seconds: float | None = None
    seconds_to_abort: float | None = None
    seconds_to_safe: float | None = None
