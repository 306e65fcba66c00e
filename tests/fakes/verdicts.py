"""Verdicts as the judge would give them, for tests of what follows from one."""

from __future__ import annotations

from typing import Any

from analyzer.model.block import Counts
from analyzer.model.metric import Analysis, Gating, QueryMetric, RatioMetric, Scope
from analyzer.model.verdict import Classification, MetricVerdict, Outcome, Verdict

ANALYSIS = Analysis(
    metrics=(
        RatioMetric("errors", 'http_total{code=~"5.."}', "http_total"),
        QueryMetric("slo", "slo", max=0.5, scope=Scope.CANARY, gating=Gating.ABORT),
    )
)
"""One metric that must be proven, and a guard of the canary."""


def measured(classification: Classification, **changes: Any) -> MetricVerdict:
    """The verdict about `errors`, with counts unless there are no data."""
    seen = classification not in (Classification.NO_DATA, Classification.ERROR)
    counts = Counts(4, 100) if seen else Counts(0, 0)
    values: dict[str, Any] = {
        "name": "errors",
        "classification": classification,
        "reason": f"errors: {classification.value}",
        "canary": counts,
        "stable": counts,
    }
    return MetricVerdict(**{**values, **changes})


def verdict(outcome: Outcome, classification: Classification, **changes: Any) -> Verdict:
    """A verdict that rests on `errors` alone."""
    values: dict[str, Any] = {
        "outcome": outcome,
        "reason": f"the judge says {outcome.value}",
        "metrics": (measured(classification),),
        "covered": classification not in (Classification.NO_DATA, Classification.ERROR),
    }
    return Verdict(**{**values, **changes})


PASS = verdict(Outcome.PASS, Classification.PASS, advance=True)
FAIL = verdict(Outcome.FAIL, Classification.HIGH, culprit="errors", adverse=True)
GUARD_FAIL = verdict(
    Outcome.FAIL,
    Classification.UNDECIDED,
    culprit="slo",
    metrics=(
        measured(Classification.UNDECIDED),
        MetricVerdict("slo", Classification.HIGH, "slo: 0.9 is out of [-, 0.5]"),
    ),
)
UNDECIDED = verdict(Outcome.INCONCLUSIVE, Classification.UNDECIDED)
ADVERSE = verdict(Outcome.INCONCLUSIVE, Classification.UNDECIDED, adverse=True)
PROVEN_STEP = verdict(Outcome.INCONCLUSIVE, Classification.UNDECIDED, advance=True)
LEVELS = verdict(
    Outcome.INCONCLUSIVE,
    Classification.UNDECIDED,
    metrics=(measured(Classification.UNDECIDED, canary=Counts(0, 0), stable=Counts(0, 0), ratio=1.1),),
)
"""Measured as a gauge is: with a ratio, without counts."""
NO_DATA = verdict(Outcome.INCONCLUSIVE, Classification.NO_DATA)
ERROR = verdict(Outcome.ERROR, Classification.ERROR)
UNCOVERED = verdict(Outcome.PASS, Classification.PASS, advance=True, covered=False)
SILENT = verdict(
    Outcome.PASS,
    Classification.PASS,
    advance=True,
    metrics=(measured(Classification.PASS, silent_pods=("shop-canary-7",)),),
)
HELD = verdict(Outcome.PASS, Classification.PASS, advance=True, holds="queue: 9 is out of [-, 5] on both sides")
