"""The whole answer of `why`. Called by the operators' commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from analyzer.model.moments import ago
from analyzer.model.status_document import StatusDocument
from analyzer.model.verdict_document import MetricDocument
from analyzer.record.explanation.metrics import comparisons, noise_floor, technical
from analyzer.record.explanation.outcome import because, culprit_metric, headline
from analyzer.record.explanation.outlook import last_answer, outlook
from analyzer.record.explanation.situation import about_release, at_present, done
from analyzer.record.explanation.text import sentence, wrap


def explain(status: StatusDocument, *, now: datetime, width: int = 80, details: bool = False) -> str:
    """Why a target stands where it does, as lines of at most `width` columns.

    In this order: outcome; what led to it; what was done and when; state now; one line per other metric; what would
    change it. `details` adds the technical values of each metric.
    """
    lines = wrap(headline(status, now), width, indent=0)
    culprit = next((one for one in status.metrics if one.name == culprit_metric(status)), None)
    for text in because(status, now):
        lines += wrap(text, width)
    if culprit and details:
        lines += _technical(culprit, status, width)
    for text in (*done(status, now), at_present(status)):
        lines += wrap(text, width)
    for group in [[one] for one in _others(status)] if details else [_others(status)]:
        for text in comparisons(group, status):
            lines += wrap(text, width)
        lines += [line for metric in group if details for line in _technical(metric, status, width)]
    for text in _remarks(status, now):
        lines += wrap(text, width)
    return "\n".join(lines)


def _others(status: StatusDocument) -> list[MetricDocument]:
    """The metrics whose numbers were not given as the culprit's."""
    if not about_release(status):
        return []
    return [one for one in status.metrics if one.name != culprit_metric(status)]


def _technical(metric: MetricDocument, status: StatusDocument, width: int) -> list[str]:
    return [line for text in technical(metric, status) for line in wrap(text, width, indent=6)]


def _remarks(status: StatusDocument, now: datetime) -> Iterator[str]:
    if status.phase.in_steps and not status.metrics and not status.error:
        yield "No metric was judged at the last tick."
    if floor := noise_floor(status):
        yield floor
    yield outlook(status, now)
    yield from (f"Warning: {warning}" for warning in status.warnings)
    if undelivered := status.undelivered_alerts:
        yield f"{undelivered} alert{' is' if undelivered == 1 else 's are'} not delivered yet."
    if answer := last_answer(status):
        yield sentence(answer)
    if status.updated_at:
        yield f"As of {ago(status.updated_at, now)}."
