"""All that is known about a release, as a value: begun, moved from step to step, and fed with blocks.

The engine calls these functions. The same calls with the same blocks give the same evidence to the last bit,
whether the blocks come one by one or all at once after a restart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from analyzer.judge.counts.evidence import CountEvidence
from analyzer.judge.counts.fast_lane import fold_slots
from analyzer.judge.families import MetricEvidence, family_of
from analyzer.judge.guards.evidence import GuardEvidence
from analyzer.judge.order import Starts
from analyzer.model.block import Block, GuardReading, Timing
from analyzer.model.metric import Analysis
from analyzer.model.noise import EXACT, Noise
from analyzer.model.verdict import CANARY_AND_STABLE, Sides

T = TypeVar("T", bound=Block[Any] | GuardReading)


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
    sides: Sides = CANARY_AND_STABLE

    @property
    def last_step(self) -> bool:
        """No step comes after this one: proof is for promotion now."""
        return self.step == self.steps - 1


def begin(
    analysis: Analysis,
    steps: int,
    timing: Timing,
    noise: Mapping[str, Noise] | None = None,
    sides: Sides = CANARY_AND_STABLE,
) -> Evidence:
    """No evidence yet, for a release with `steps` weight steps.

    `noise` is by metric name; a metric without any is taken to be exact. `sides` only names what is compared.
    Raises ValueError without a step, and for noise that cannot be.
    """
    if steps < 1:
        raise ValueError(f"a release has at least one step, not {steps}")
    given = noise or {}
    metrics = tuple(
        family_of(metric).fresh(metric, _sound(metric.name, given.get(metric.name, EXACT)), analysis, timing)
        for metric in analysis.metrics
    )
    return Evidence(analysis, steps, timing, metrics, sides=sides)


def enter(evidence: Evidence, step: int, abort_from: int, fast_from: int | None = None) -> Evidence:
    """Start everything anew for `step`; `abort_from` is the first full block after it was entered, `fast_from`
    the first full slot (None: the fast lane gets no slots in this step).

    Raises ValueError when there is no such step, or when that block or slot was folded already: then begin again,
    enter the step, and fold its blocks again.
    """
    if not 0 <= step < evidence.steps:
        raise ValueError(f"there is no step {step}: the release has steps 0 to {evidence.steps - 1}")
    _refuse_folded(evidence, abort_from)
    metrics = tuple(_anew(evidence, one, fast_from) for one in evidence.metrics)
    return replace(evidence, step=step, starts=Starts(abort_from), metrics=metrics)


def prove_from(evidence: Evidence, block: int) -> Evidence:
    """Let proof begin at `block`, the first full one after the step's replicas were reached; once per step.

    Raises ValueError when no step was entered, when proof began at another block, or when that block was
    folded already: then begin again, enter the step, and fold its blocks again.
    """
    starts = entered(evidence)
    if starts.proof == block:
        return evidence
    if starts.proof is not None:
        raise ValueError(f"proof of this step began at block {starts.proof}: it cannot begin at {block} too")
    _refuse_folded(evidence, block)
    return replace(evidence, starts=replace(starts, proof=block))


def fold(evidence: Evidence, metric_name: str, blocks: Sequence[Block[Any] | GuardReading]) -> Evidence:
    """Add a metric's blocks (for a guard: readings), in order and without a gap; this ends its error, if any.

    Blocks from before the step are ignored. The latest block may come again and is then replaced.
    Raises ValueError for an unknown metric, the wrong kind of block, a gap, or an older block.
    """
    starts = entered(evidence)
    old = find(evidence, metric_name)
    family = family_of(old.metric)
    new = family.fold(old, only(family.takes, blocks, metric_name), starts, evidence.timing.block)
    if new.error is not None:
        new = replace(new, error=None)
    return evidence if new is old else with_metric(evidence, new)


def fold_fast(evidence: Evidence, metric_name: str, slots: Sequence[Block]) -> Evidence:
    """Add a ratio metric's blocks of one slot (their index counts slots) to its fast lane, in order, gap-free.

    Slots from before the step are ignored; the latest one may come again and is then replaced. Raises ValueError for
    an unknown metric, one without a fast lane, a step that was entered without its first slot, a gap, or an older
    slot.
    """
    entered(evidence)
    old = find(evidence, metric_name)
    if not isinstance(old, CountEvidence) or old.fast is None:
        raise ValueError(f"{metric_name} has no fast lane: only ratio metrics have one, and only where it is on")
    fast = fold_slots(old.fast, old.metric, slots)
    return evidence if fast is old.fast else with_metric(evidence, replace(old, fast=fast))


def last_slot(evidence: Evidence, metric_name: str) -> int | None:
    """The newest slot in this metric's fast lane, None before the first and for metrics that have none."""
    one = find(evidence, metric_name)
    return one.fast.last if isinstance(one, CountEvidence) and one.fast is not None else None


def fail(evidence: Evidence, metric_name: str, message: str) -> Evidence:
    """Note that a metric could not be measured; it counts as ERROR until it is folded again."""
    return with_metric(evidence, replace(find(evidence, metric_name), error=message))


def last_folded(evidence: Evidence, metric_name: str) -> int | None:
    """The newest block that was folded into this metric, None before the first."""
    return find(evidence, metric_name).last


def only(kind: type[T], blocks: Sequence[Block[Any] | GuardReading], metric_name: str) -> list[T]:
    """The same blocks, all of one kind. Raises ValueError."""
    found: list[T] = [one for one in blocks if isinstance(one, kind)]
    if len(found) < len(blocks):
        raise ValueError(f"{metric_name} takes values of type {kind.__name__} only")
    return found


def _anew(evidence: Evidence, one: MetricEvidence, fast_from: int | None) -> MetricEvidence:
    """The metric without evidence, at the start of a step."""
    noise = EXACT if isinstance(one, GuardEvidence) else one.noise
    fresh = family_of(one.metric).fresh(one.metric, noise, evidence.analysis, evidence.timing)
    fresh = replace(fresh, last=one.last, error=one.error)
    if not isinstance(fresh, CountEvidence) or not isinstance(one, CountEvidence):
        return fresh
    if fresh.fast is None or one.fast is None:
        return fresh
    last = one.fast.last
    if last is not None and fast_from is not None and last >= fast_from:
        raise ValueError(
            f"{one.metric.name}: slot {fast_from} is in the evidence already (up to {last}): "
            "begin again, enter the step, and fold its slots again"
        )
    return replace(fresh, fast=replace(fresh.fast, starts=fast_from, last=last))


def _sound(name: str, noise: Noise) -> Noise:
    pairs = [(noise.dispersion, noise.pod_spread), *((one.dispersion, one.pod_spread) for one in noise.bounds)]
    for phi, tau in pairs:
        if not (1 <= phi < math.inf and 0 <= tau < math.inf):
            raise ValueError(f"{name}: noise of dispersion {phi:g} and podSpread {tau:g} (expected >= 1 and >= 0)")
    if not 0 <= noise.within_pod < math.inf:
        raise ValueError(f"{name}: noise with withinPod {noise.within_pod:g} (expected >= 0)")
    return noise


def entered(evidence: Evidence) -> Starts:
    """Where the present step's evidence begins. Raises ValueError before the first step."""
    if evidence.starts is None:
        raise ValueError("no step was entered: call enter() before blocks are folded")
    return evidence.starts


def _refuse_folded(evidence: Evidence, block: int) -> None:
    for one in evidence.metrics:
        if one.last is not None and one.last >= block:
            raise ValueError(
                f"{one.metric.name}: block {block} is in the evidence already (up to {one.last}): "
                "begin again, enter the step, and fold its blocks again"
            )


def find(evidence: Evidence, metric_name: str) -> MetricEvidence:
    """One metric's evidence. Raises ValueError."""
    for one in evidence.metrics:
        if one.metric.name == metric_name:
            return one
    raise ValueError(f"the analysis has no metric {metric_name!r}")


def with_metric(evidence: Evidence, changed: MetricEvidence) -> Evidence:
    """The same with one metric's evidence changed."""
    name = changed.metric.name
    metrics = tuple(changed if one.metric.name == name else one for one in evidence.metrics)
    return replace(evidence, metrics=metrics)
