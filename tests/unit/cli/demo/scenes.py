"""Reports of a demo's ticks, for the tests of what it shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from analyzer.model.block import Counts
from analyzer.model.decision import Action, Decision, Transition
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.state import Cause, CauseKind, TargetState
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, Outcome, Unit, Verdict
from tests.unit.record.sample_states import a_release, a_state, at
from tests.unit.record.test_status import SNAPSHOT, TARGET, a_workload

ERRORS = MetricVerdict(
    "errors",
    Classification.UNDECIDED,
    "errors: canary 10.5 %. Undecided: promotion evidence 70 %.",
    canary=Counts(43, 410),
    stable=Counts(125, 3662),
    ratio=3.07,
    evidence=LogEvidence(abort=6.49, promote=2.1, advance=3.0, abort_at=6.5, promote_at=3.0),
    advance_proven=True,
)
MEMORY = MetricVerdict(
    "memory", Classification.PASS, "memory: passed", levels=(26.8e6, 26.7e6), unit=Unit.BYTES, proven=True
)
VERDICT = Verdict(Outcome.INCONCLUSIVE, "", (ERRORS, MEMORY), observed_share=0.1034)
CAUSE = Cause(CauseKind.FAIL, "errors: canary 10.5 %: 3.1x. Failed, false alarm chance below 0.15 %.", "errors")
NO_CANARY = replace(SNAPSHOT, canary=a_workload("my-app-v2", "c0ffee001122", 0, 0))


def scene(reason: str, *entered: Phase, state: TargetState | None = None, **changes: Any) -> Report:
    """A tick that gave this reason, in which these phases were entered one after the other from the first on."""
    decided = {key: changes.pop(key) for key in ("action", "move") if key in changes}
    transitions = tuple(Transition(*pair, reason) for pair in pairwise(entered))
    decision = Decision(
        decided.pop("action", Action.HOLD), reason, state or a_state(), transitions=transitions, **decided
    )
    return Report(**{"target": TARGET, "at": at(90), "decision": decision, "snapshot": SNAPSHOT, **changes})


def aborted(**changes: Any) -> TargetState:
    """The state of a release whose canary is out of service."""
    release = a_release(cause=CAUSE, aborted_at=at(60), safe_at=at(62), ended_at=at(65), **changes)
    return a_state(phase=Phase.ABORTED, release=release, reason=CAUSE.reason)
