"""What a case came to, for programs and for people. Called by `command` for each line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analyzer.cli.judge.cases import Case
from analyzer.model.metric import GaugeMetric, QueryMetric, TestedMetric
from analyzer.model.noise import Noise
from analyzer.model.plain_json import plain_json
from analyzer.model.verdict import MetricVerdict, Outcome, Verdict
from analyzer.model.verdict_document import metric_document


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One line of output: what was found, as JSON values; `failed` when the line could not be judged."""

    found: Mapping[str, Any]
    failed: bool = False

    def as_json(self) -> str:
        """One line of ASCII. JSON has no infinity: what is not bounded is null."""
        return json.dumps(self.found, allow_nan=False)

    def as_row(self) -> str:
        """One line of the table."""
        found = self.found
        if self.failed:
            return _row(found["id"], "error", "", "", f"line {found['line']}: {found['error']}")
        kind = found.get("classification") or found.get("culprit") or ""
        decided = "" if found["decidedAt"] is None else found["decidedAt"]
        return _row(found["id"], found["verdict"], kind, decided, found["reason"])


HEAD = "ID            VERDICT       METRIC        AT      REASON"
"""Names the columns of the table; METRIC is its classification, or the culprit among several."""


def judged(case: Case, verdict: Verdict, decided_at: int | None) -> CaseResult:
    """The result of a case whose verdict came at block `decided_at` (None: at the end, undecided)."""
    metrics = [
        _metric(metric, one, case.noise.get(metric.name))
        for metric, one in zip(case.analysis.metrics, verdict.metrics, strict=True)
    ]
    outcome, held = _outcome(verdict, decided_at)
    if case.whole:
        return CaseResult(
            {
                "id": case.id,
                "verdict": outcome,
                "decidedAt": decided_at,
                "culprit": verdict.culprit,
                "reason": held or verdict.reason,
                "metrics": metrics,
            }
        )
    only = {**metrics[0], "reason": held or metrics[0]["reason"]}
    head = {"id": case.id, "classification": only["classification"], "verdict": outcome}
    return CaseResult(
        {**head, "decidedAt": decided_at, **{key: only[key] for key in only if key not in ("name", "classification")}}
    )


def _outcome(verdict: Verdict, decided_at: int | None) -> tuple[Outcome, str | None]:
    """The outcome, and why a proven canary is not promoted all the same."""
    if decided_at is not None or verdict.outcome is not Outcome.PASS:
        return verdict.outcome, None
    return Outcome.INCONCLUSIVE, verdict.holds or f"not every canary pod is measured; {verdict.reason}"


def failed(identity: object, message: str, line: int) -> CaseResult:
    """A line that could not be judged, and why."""
    return CaseResult({"id": identity, "error": message, "line": line}, failed=True)


def _metric(metric: TestedMetric | QueryMetric, one: MetricVerdict, noise: Noise | None) -> dict[str, Any]:
    """What the status says of it too, with numbers that are not rounded: programs go on calculating with them."""
    found = plain_json(metric_document(replace(one, noise=noise), digits=None))
    if found["logEvidence"]:
        found["logEvidence"] = {key: found["logEvidence"][key] for key in ("abort", "promote")}
    if found["noise"]:
        del found["noise"]["dispersion" if isinstance(metric, GaugeMetric) else "withinPod"]
    tested = () if isinstance(metric, QueryMetric) else ("logEvidence", "ratio", "interval", "noise")
    return {key: found[key] for key in ("name", "classification", *tested, "reason")}


def _row(identity: object, verdict: str, metric: str, decided: object, reason: str) -> str:
    name = "" if identity is None else str(identity)
    return f"{name:<13} {verdict:<13} {metric:<13} {decided!s:<7} {reason}".rstrip()
