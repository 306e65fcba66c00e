"""At how many nats evidence decides; shared by every kind of metric. Made by `verdict`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analyzer.model.metric import Analysis, TestedMetric
from analyzer.model.verdict import CANARY_AND_STABLE, Sides

ADVERSE = 1.0
"""Nats of evidence that the canary is beyond its tolerance which hold back a move forward.

The data are then e times likelier under some excess than under the tolerance allows. At any one look the
chance of that is at most 1/e for a canary exactly at its tolerance and far smaller for a healthy one
(measured in `benchmarks/decision_quality.py`), whose evidence falls as it is served; it delays, and never
ends a release.
"""

MISSING = 0.2
"""With a larger share of pod measurements missing, nothing is proven."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Nats at which evidence decides in one step (`fast`: in the fast lane), and what is needed to foretell when:
    the length of a block in seconds, and whether proof may begin (the step's replicas were reached).

    `last_step`: proof is for promotion. `sides` is what the two sides are called.
    """

    abort: float
    promote: float
    block: float
    settled: bool
    fast: float = math.inf
    last_step: bool = True
    sides: Sides = CANARY_AND_STABLE

    @property
    def false_alarm(self) -> float | None:
        """The chance of an abort of a canary that is within its limit; None where two times are compared: then other
        traffic explains a difference as well."""
        return math.exp(-self.abort) if self.sides == CANARY_AND_STABLE else None


def alpha_of(analysis: Analysis, metric: TestedMetric) -> float:
    """The metric's part of `falseAbort` by its importance, over all steps; the whole of it where it cannot abort."""
    weights = sum(test.importance for test in analysis.tests if test.gating.aborts)
    share = metric.importance / weights if metric.gating.aborts and weights > 0 else 1.0
    return share * analysis.false_abort
