"""All that is known about a release, as a value: begun, moved from step to step, and fed with blocks.

The engine calls these functions. The same calls with the same blocks give the same evidence to the last bit,
whether the blocks come one by one or all at once after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

from analyzer.judge.guard import GuardEvidence, fold_readings
from analyzer.judge.order import Starts
from analyzer.judge.ratio import RatioEvidence, fold_blocks
from analyzer.model.block import Block, Reading, Timing
from analyzer.model.metric import Analysis, Metric, QueryMetric, RatioMetric

MetricEvidence = RatioEvidence | GuardEvidence

T = TypeVar("T", Block, Reading)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One release in step `step` (from 0) of `steps`; `starts` is None until its first step is entered.

    `metrics` has one entry per metric, in the order of the analysis.
    """

    analysis: Analysis
    steps: int
    timing: Timing
    metrics: tuple[MetricEvidence, ...]
    step: int = 0
    starts: Starts | None = None

    @property
    def last_step(self) -> bool:
        """No step comes after this one: proof is for promotion now."""
        return self.step == self.steps - 1


def begin(analysis: Analysis, steps: int, timing: Timing) -> Evidence:
    """No evidence yet, for a release with `steps` weight steps. Raises ValueError without a step."""
    if steps < 1:
        raise ValueError(f"a release has at least one step, not {steps}")
    return Evidence(analysis, steps, timing, tuple(_fresh(metric) for metric in analysis.metrics))


def enter(evidence: Evidence, step: int, abort_from: int) -> Evidence:
    """Start everything anew for `step`; `abort_from` is the first full block after it was entered.

    Raises ValueError when there is no such step, or when that block was folded already: then begin again,
    enter the step, and fold its blocks anew.
    """
    if not 0 <= step < evidence.steps:
        raise ValueError(f"there is no step {step}: the release has steps 0 to {evidence.steps - 1}")
    _refuse_folded(evidence, abort_from)
    metrics = tuple(replace(_fresh(one.metric), last=one.last, error=one.error) for one in evidence.metrics)
    return replace(evidence, step=step, starts=Starts(abort_from), metrics=metrics)


def prove_from(evidence: Evidence, block: int) -> Evidence:
    """Let proof begin at `block`, the first full one after the step's replicas were reached; once per step.

    Raises ValueError when no step was entered, when proof began at another block, or when that block was
    folded already: then begin again, enter the step, and fold its blocks anew.
    """
    starts = _entered(evidence)
    if starts.proof == block:
        return evidence
    if starts.proof is not None:
        raise ValueError(f"proof of this step began at block {starts.proof}: it can't begin at {block} too")
    _refuse_folded(evidence, block)
    return replace(evidence, starts=replace(starts, proof=block))


def fold(evidence: Evidence, metric_name: str, blocks: Sequence[Block | Reading]) -> Evidence:
    """Add a metric's blocks (for a guard: readings), in order and without a gap; this ends its error, if any.

    Blocks from before the step are ignored. The latest block may come again and is then replaced.
    Raises ValueError for an unknown metric, the wrong kind of block, a gap, or an older block.
    """
    starts = _entered(evidence)
    old = _find(evidence, metric_name)
    new: MetricEvidence
    match old:
        case RatioEvidence():
            new = fold_blocks(old, _only(Block, blocks, metric_name), starts)
        case GuardEvidence():
            new = fold_readings(old, _only(Reading, blocks, metric_name), starts)
        case _:
            assert_never(old)
    if new.error is not None:
        new = replace(new, error=None)
    return evidence if new is old else _with(evidence, new)


def fail(evidence: Evidence, metric_name: str, message: str) -> Evidence:
    """Note that a metric could not be measured; it counts as ERROR until it is folded again."""
    return _with(evidence, replace(_find(evidence, metric_name), error=message))


def last_folded(evidence: Evidence, metric_name: str) -> int | None:
    """The newest block that was folded into this metric, None before the first."""
    return _find(evidence, metric_name).last


def _only(kind: type[T], blocks: Sequence[Block | Reading], metric_name: str) -> list[T]:
    only = [one for one in blocks if isinstance(one, kind)]
    if len(only) < len(blocks):
        raise ValueError(f"{metric_name} takes values of type {kind.__name__} only")
    return only


def _fresh(metric: Metric) -> MetricEvidence:
    match metric:
        case RatioMetric():
            return RatioEvidence(metric)
        case QueryMetric():
            return GuardEvidence(metric)
        case _:
            assert_never(metric)


def _entered(evidence: Evidence) -> Starts:
    if evidence.starts is None:
        raise ValueError("no step was entered: call enter() before blocks are folded")
    return evidence.starts


def _refuse_folded(evidence: Evidence, block: int) -> None:
    for one in evidence.metrics:
        if one.last is not None and one.last >= block:
            raise ValueError(
                f"{one.metric.name}: block {block} is in the evidence already (up to {one.last}): "
                "begin again, enter the step, and fold its blocks anew"
            )


def _find(evidence: Evidence, metric_name: str) -> MetricEvidence:
    for one in evidence.metrics:
        if one.metric.name == metric_name:
            return one
    raise ValueError(f"the analysis has no metric {metric_name!r}")


def _with(evidence: Evidence, changed: MetricEvidence) -> Evidence:
    name = changed.metric.name
    metrics = tuple(changed if one.metric.name == name else one for one in evidence.metrics)
    return replace(evidence, metrics=metrics)
