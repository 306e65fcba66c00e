"""The state document of one target: all that must survive a kill. Nothing measured is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from analyzer.model.alert import Alert
from analyzer.model.block import Timing
from analyzer.model.metric import Analysis
from analyzer.model.noise import Noise
from analyzer.model.numbers import percent
from analyzer.model.phase import START, Phase
from analyzer.model.plan import Mode, OnDrift, Plan, Step
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Replicas, RosterEntry, Template

SCHEMA = 1
"""Version of the state document. A document with a higher one is never read and never overwritten."""

EXECUTED_KEPT = 50
"""How many executed commands a document remembers; older ones are refused by the release they name."""


class Verb(StrEnum):
    """What an operator can request."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's request. `subject` is the release id it is for; for start and retry the canary's hash."""

    id: str
    verb: Verb
    subject: str
    by: str
    at: datetime
    extend: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExecutedCommand:
    """A command that was carried out or refused, and the answer that `status` repeats."""

    id: str
    verb: Verb
    accepted: bool
    answer: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """When a step was entered (its abort evidence starts) and when its replicas were reached (its proof starts)."""

    entered_at: datetime
    settled_at: datetime | None = None


class PauseKind(StrEnum):
    """Why a release is paused."""

    OPERATOR = "operator"
    GATE = "gate"
    DRIFT = "drift"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Pause:
    """A stop of forward moves. `resume` returns to the phase it interrupted (`during`: PROGRESSING or PROMOTING)."""

    kind: PauseKind
    reason: str
    since: datetime
    during: Phase = Phase.PROGRESSING

    @property
    def shown(self) -> str:
        """The reason as one phrase; that of an operator names the pause itself."""
        return self.reason if self.kind is PauseKind.OPERATOR else f"paused: {self.reason}"


class CauseKind(StrEnum):
    """Why a release was rolled back."""

    FAIL = "fail"
    GUARD = "guard"
    HARD_FAILURE = "hard-failure"
    OPERATOR = "operator"
    SUPERSEDED = "superseded"
    INCONCLUSIVE = "inconclusive"
    DRIFT = "drift"
    GATE_TIMEOUT = "gate-timeout"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a release is rolled back: `reason` in words, `culprit` is the metric or the kind of hard failure."""

    kind: CauseKind
    reason: str
    culprit: str | None = None


class Result(StrEnum):
    """How a release ended."""

    PROMOTED = "promoted"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class DeadlineClock:
    """Time that counts towards the deadline, and the moment up to which it was counted."""

    spent: timedelta
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the canary: the Deployment's uid and the hash of its template."""

    uid: str
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A Deployment (by uid) as last seen: the pod-template-hash of its template (`replica_set`), and our own hash.

    Where only our hash changes, the template was re-hashed (see `decision.template_identity`).
    """

    uid: str
    replica_set: str
    hash: str


@dataclass(frozen=True, slots=True)
class Release:
    """One attempt to take one canary template to production.

    `stable` is the template that a rollback restores; `step` counts from 0; `steps` has a record for each step entered
    so far. `written` says that stable runs the canary's template (for `swap`: that the roles were exchanged), `forced`
    that an operator promoted it without proof. `blind_since` and `refused_since` say since when Prometheus gives no
    usable answer, and since when pods of the new version cannot be created. `namespace` and `on_drift` are the
    target's at the start: with them a release whose target was removed from the configuration can be finished ("" in
    older documents). `promoting_at` is when stable's pods of the old version began to leave (None: not yet).
    `held_back` is how many pods of the old version are kept in the bake; until it is 0 both versions are compared.
    """

    id: str
    canary: Template
    stable: Template
    plan: Plan
    analysis: Analysis
    mode: Mode
    total: int
    timing: Timing
    started_at: datetime
    clock: DeadlineClock
    steps: tuple[StepRecord, ...]
    known_good: bool = False
    step: int = 0
    gate_open: bool = False
    extended: timedelta = timedelta(0)
    written: bool = False
    forced: bool = False
    roster: tuple[RosterEntry, ...] = ()
    alerted: tuple[str, ...] = ()
    blind_since: datetime | None = None
    refused_since: datetime | None = None
    promoting_at: datetime | None = None
    held_back: int = 0
    pause: Pause | None = None
    cause: Cause | None = None
    aborted_at: datetime | None = None
    safe_at: datetime | None = None
    ended_at: datetime | None = None
    result: Result | None = None
    noise: Mapping[str, Noise] = field(default_factory=dict, hash=False)
    namespace: str = ""
    on_drift: OnDrift = OnDrift.PAUSE

    @property
    def current_step(self) -> Step:
        """The step that the release is in."""
        return self.plan.steps[self.step]

    @property
    def step_name(self) -> str:
        """The step as every text names it: "step 1 of 3 (10 %)"."""
        return f"step {self.step + 1} of {len(self.plan.steps)} ({percent(self.current_step.weight / 100)})"

    @property
    def last_step(self) -> bool:
        """No step comes after this one."""
        return self.step == len(self.plan.steps) - 1

    @property
    def record(self) -> StepRecord:
        """When the present step was entered and settled."""
        return self.steps[-1]


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An alert on its way: the receivers that have it, and when to try the others again."""

    alert: Alert
    delivered: tuple[str, ...] = ()
    attempts: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class TargetState:
    """The state document.

    `handled` is the last canary version that was released, cancelled, or there from the start (None: the target was
    never seen); `unmanaged` until the first release begins: replicas are left alone. `stable_hash` is the version known
    to be stable, `previous` the one that was stable before it. `expected` is what our last writes asked for and
    `intent` the write that may be under way: replicas that match neither were changed by another client. `unconfirmed`
    are writes that may still be made: their requests got no response. `namespace` is where the Deployments were first
    seen ("" in older documents). `anchors` are of the present Deployments, where their pod-template-hash is known.
    """

    target: str
    roles: Roles
    phase: Phase
    since: datetime
    reason: str
    schema: int = SCHEMA
    epoch: int = 0
    handled: Version | None = None
    unmanaged: bool = True
    stable_hash: str | None = None
    previous: str | None = None
    release: Release | None = None
    releases: int = 0
    expected: Replicas | None = None
    intent: Move | None = None
    unconfirmed: tuple[Move, ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    executed: tuple[ExecutedCommand, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    namespace: str = ""
    anchors: tuple[Anchor, ...] = ()

    @classmethod
    def first(cls, target: Target, now: datetime, reason: str) -> TargetState:
        """The state of a target that nothing is known about yet."""
        return cls(target.name, target.roles, START, now, reason, namespace=target.namespace)

    @property
    def home(self) -> str:
        """The namespace of the Deployments that this document is about, "" where it is not known."""
        return (self.release.namespace if self.release is not None else "") or self.namespace

    def is_about(self, target: Target) -> bool:
        """Are these the Deployments that are configured? Which of them is stable is the document's to say."""
        return self.roles.same_pair(target.roles) and self.home in ("", target.namespace)

    def enter(self, phase: Phase, now: datetime, reason: str) -> TargetState:
        """The same document in another phase."""
        return replace(self, phase=phase, since=now, reason=reason)

    def with_release(self, release: Release) -> TargetState:
        """The same document with a changed release."""
        return replace(self, release=release)


@dataclass(frozen=True, slots=True)
class Stored:
    """A document and the version to name when it is saved again."""

    state: TargetState
    version: str
