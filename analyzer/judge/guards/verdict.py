"""From a guard's readings to its verdict. Called by `verdict` for each guard."""

from __future__ import annotations

from analyzer.judge.guards.evidence import GuardEvidence
from analyzer.judge.wording import NO_BLOCK
from analyzer.model.verdict import Classification, MetricVerdict


def judge_guard(one: GuardEvidence) -> MetricVerdict:
    """Classify one guard: HIGH or LOW when it is broken, PASS when as many readings in a row were in
    bounds."""
    classification, found, waiting = _classified(one)
    kept = classification is Classification.PASS
    return MetricVerdict(
        name=one.metric.name,
        classification=classification,
        reason=f"{one.metric.name}: {found}",
        proven=kept,
        advance_proven=kept,
        adverse=one.state.bad > 0,
        waiting=waiting,
    )


def _classified(one: GuardEvidence) -> tuple[Classification, str, str | None]:
    """The class, the sentence, and what is missing for a pass (None: nothing)."""
    state, metric = one.state, one.metric
    if one.broken and state.value is not None:
        above = metric.max is not None and state.value > metric.max
        kind = Classification.HIGH if above else Classification.LOW
        return kind, f"{_value(one)} for {_in_a_row(state.bad)}. Failed", None
    if one.error is not None:
        return Classification.ERROR, one.error, one.error
    if state.value is None:
        why = state.absence or NO_BLOCK
        return Classification.NO_DATA, why, why
    if one.kept:
        return Classification.PASS, f"{_value(one)}. Passed", None
    seen = state.bad or state.good
    waiting = f"{_value(one)}, {seen} of {_in_a_row(metric.blocks)}"
    return Classification.UNDECIDED, f"{waiting}. Undecided", waiting


def _value(one: GuardEvidence) -> str:
    """The latest value and the bound that it keeps or breaks: 0.7 is above max 0.5."""
    value, metric = one.state.value or 0.0, one.metric
    if metric.max is not None and value > metric.max:
        return f"{value:.4g} is above max {metric.max:g}"
    if metric.min is not None and value < metric.min:
        return f"{value:.4g} is below min {metric.min:g}"
    bounds = [f"{name} {bound:g}" for name, bound in (("min", metric.min), ("max", metric.max)) if bound is not None]
    return f"{value:.4g} is within {' and '.join(bounds)}"


def _in_a_row(blocks: int) -> str:
    return "1 block" if blocks == 1 else f"{blocks} consecutive blocks"
