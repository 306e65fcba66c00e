"""May the latest block say more when it is read again? The engine asks before it asks Prometheus."""

from __future__ import annotations

from dataclasses import replace

from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.verdict import Judged
from analyzer.model.verdict import MetricVerdict


def open_to_more(judged: Judged) -> bool:
    """Whether an abort waits for what would confirm it, or something of the latest block was not measured.

    Any other block is what it is: to read it again would be half of all that a fleet asks Prometheus for.
    """
    pending = any(metric.pending for metric in judged.verdict.metrics)
    return pending or any(one.incomplete for one in judged.evidence.metrics)


def sealed(judged: Judged) -> Judged:
    """The same, where the latest block cannot say more without what takes it back: half of a histogram's memory."""
    if open_to_more(judged):
        return judged
    metrics = tuple(
        replace(one, before=None) if isinstance(one, CountEvidence) else one for one in judged.evidence.metrics
    )
    return replace(judged, evidence=replace(judged.evidence, metrics=metrics))


def unconfirmed(judged: Judged) -> int | None:
    """The block whose stable counters are wanted one slot later, because an abort waits for them; None: no such.

    They come only with an answer that ends there: a later block would be the latest one then, and wait in its turn.
    A metric without an answer does not keep the others waiting: one that cannot be measured is left out.
    """
    waiting = [
        one.last
        for one, metric in zip(judged.evidence.metrics, judged.verdict.metrics, strict=True)
        if isinstance(one, CountEvidence) and one.last is not None and _waits(one, metric)
    ]
    return min(waiting, default=None)


def _waits(one: CountEvidence, metric: MetricVerdict) -> bool:
    """Its main test would abort (the fast lane needs no such answer), and would be confirmed by the latest block."""
    said, recheck = metric.evidence, one.state.recheck
    crossed = metric.pending and said is not None and said.abort >= said.abort_at
    if not crossed or one.error is not None or not one.metric.gating.aborts:
        return False
    if one.before is None or one.state.abort.counted == one.before.abort.counted:
        return False  # sealed, or no evidence
    return recheck is not None and recheck.later is None
