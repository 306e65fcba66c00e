"""What a guard's readings say. Called by `verdict` for each guard."""

from __future__ import annotations

from analyzer.judge.guard import GuardEvidence
from analyzer.model.metric import QueryMetric
from analyzer.model.verdict import Classification, MetricVerdict


def judge_guard(one: GuardEvidence) -> MetricVerdict:
    """Classify one guard: HIGH or LOW when it is broken, PASS when as many readings in a row were in
    bounds."""
    classification, reason = _classified(one)
    kept = classification is Classification.PASS
    return MetricVerdict(
        name=one.metric.name,
        classification=classification,
        reason=f"{one.metric.name}: {reason}",
        proven=kept,
        advance_proven=kept,
        adverse=one.state.bad > 0,
    )


def _classified(one: GuardEvidence) -> tuple[Classification, str]:
    state, metric = one.state, one.metric
    if one.broken and state.value is not None:
        above = metric.max is not None and state.value > metric.max
        found = f"{state.value:g} is out of {_bounds(metric)} for {state.bad} valid blocks in a row"
        return (Classification.HIGH if above else Classification.LOW), found
    if one.error is not None:
        return Classification.ERROR, one.error
    if state.value is None:
        return Classification.NO_DATA, state.absence or "no full block of this step is over yet"
    if one.kept:
        return Classification.PASS, f"{state.value:g}, within {_bounds(metric)}"
    if state.bad:
        return Classification.UNDECIDED, (
            f"{state.value:g} is out of {_bounds(metric)}, {state.bad} of {metric.blocks} valid blocks in a row"
        )
    return Classification.UNDECIDED, (
        f"{state.value:g}, within {_bounds(metric)} for {state.good} of {metric.blocks} valid blocks in a row"
    )


def _bounds(metric: QueryMetric) -> str:
    low = "-" if metric.min is None else f"{metric.min:g}"
    high = "-" if metric.max is None else f"{metric.max:g}"
    return f"[{low}, {high}]"
