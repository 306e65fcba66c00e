"""A whole recorded release judged at once, as the daemon would have. The `judge` command and the benchmarks call it.

Screens (`screen`) say at which blocks the daemon might have acted; only there the evidence is brought up to the block
and judged in the ordinary way. So the result is that of the ordinary loop, at a fraction of its cost.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analyzer.judge.counts.evidence import CountEvidence, Weighed, fold_observed, weigh
from analyzer.judge.evidence import (
    Evidence,
    begin,
    enter,
    entered,
    find,
    fold,
    only,
    prove_from,
    with_metric,
)
from analyzer.judge.families import MetricEvidence, family_of
from analyzer.judge.observations.observation import Observation, observe
from analyzer.judge.offline.screen import Flags, Screen, screen_counts
from analyzer.judge.verdict import FAILED, judge, judge_metric, spares, thresholds_of
from analyzer.model.block import Block, GuardReading, Sample, Timing
from analyzer.model.metric import Analysis
from analyzer.model.noise import Noise
from analyzer.model.verdict import Outcome, Verdict

Recorded = Sequence[Block[Sample] | GuardReading]
"""One metric's blocks or readings; each one's index is its place."""

_FIRST_PORTION = 32


@dataclass(frozen=True, slots=True)
class OfflineVerdict:
    """`decided_at` is the first block at which the daemon would have acted: aborted at any block, promoted only in
    the last step; None when it never would. The verdict is the one at that block, or the last one."""

    decided_at: int | None
    verdict: Verdict


def judge_case(
    analysis: Analysis,
    steps: Sequence[int],
    blocks: Mapping[str, Recorded],
    noise: Mapping[str, Noise] | None = None,
    timing: Timing | None = None,
) -> OfflineVerdict:
    """Judge what was recorded; `steps` has the index of each step's first block, ascending.

    Both sides of a block are taken to be measured at the same moment and the replicas to be there when a step
    begins; there is no fast lane. Without `timing` a block is as long as the analysis' interval. Raises ValueError
    for steps that do not ascend, blocks out of order, and noise that cannot be.
    """
    seconds = analysis.interval.total_seconds()
    cut = timing or Timing(block=seconds, slot=seconds, delay=0.0)
    begun = begin(replace(analysis, fast_lane=None), len(steps), cut, noise)
    if any(later <= earlier for earlier, later in itertools.pairwise(steps)):
        raise ValueError(f"steps must begin one after the other, found {list(steps)}")
    length = max((len(blocks.get(metric.name, ())) for metric in analysis.metrics), default=0)
    evidence = begun
    for step, start in enumerate(steps):
        if step and start >= length:
            break
        evidence = prove_from(enter(evidence, step, start), start)
        end = steps[step + 1] if step + 1 < len(steps) else length
        for first, last in _portions(start, end):
            part = {name: some[first:last] for name, some in blocks.items()}
            evidence, decided_at = _portion(evidence, part, first)
            if decided_at is not None:
                return OfflineVerdict(decided_at, judge(evidence))
    return OfflineVerdict(None, judge(evidence))


def _portions(start: int, end: int) -> Iterator[tuple[int, int]]:
    """A step's blocks in growing portions: much of a release that is decided early is never looked at."""
    size = _FIRST_PORTION
    while start < end:
        yield start, min(end, start + size)
        start, size = start + size, 2 * size


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One metric's blocks of a portion as it is fed with them, and where it may decide."""

    fed: Sequence[Observation] | Sequence[Block[Sample] | GuardReading]
    screen: Screen
    weighed: Weighed | None = None


def _portion(evidence: Evidence, blocks: Mapping[str, Recorded], start: int) -> tuple[Evidence, int | None]:
    """The evidence where the daemon acts in these blocks, with the block; or at their end, with None."""
    stretches = [_stretch(evidence, one, blocks.get(one.metric.name, ()), start) for one in evidence.metrics]
    folded, length = 0, max((len(one.fed) for one in stretches), default=0)
    for place in np.flatnonzero(_candidates(evidence, stretches, length)).tolist():
        evidence = _folded(evidence, stretches, folded, place + 1)
        folded = place + 1
        if _acts(judge(evidence)):
            return evidence, start + place
    return _folded(evidence, stretches, folded, length), None


def _acts(verdict: Verdict) -> bool:
    """Would the daemon end the release on this? It promotes no canary while a guard holds, or that has pods which
    were never measured or fell silent."""
    if verdict.outcome is not Outcome.PASS:
        return verdict.outcome is Outcome.FAIL
    return verdict.holds is None and verdict.covered and not any(metric.silent_pods for metric in verdict.metrics)


def _stretch(evidence: Evidence, one: MetricEvidence, blocks: Recorded, start: int) -> _Stretch:
    for place, block in enumerate(blocks, start=start):
        if block.index != place:
            raise ValueError(f"{one.metric.name}: block {place} of the recording has the index {block.index}")
    fed = only(family_of(one.metric).takes, blocks, one.metric.name)
    if not isinstance(one, CountEvidence):
        return _Stretch(fed, _judged_each(evidence, one, fed))
    observed = _observed(one, only(Block, fed, one.metric.name))
    weighed, at = weigh(one, observed), thresholds_of(evidence, one)
    return _Stretch(observed, screen_counts(one, observed, weighed, at, proving=evidence.last_step), weighed)


def _observed(one: CountEvidence, blocks: Sequence[Block[Sample]]) -> list[Observation]:
    observed: list[Observation] = []
    boundaries = one.state.boundaries
    for block in blocks:
        seen = observe(one.metric, one.noise, block, boundaries)
        boundaries = seen.boundaries
        observed.append(replace(seen, later=block.stable))
    return observed


def _judged_each(evidence: Evidence, one: MetricEvidence, blocks: Recorded) -> Screen:
    """Metrics without a fast screen are judged at each block."""
    verdicts = []
    for block in blocks:
        evidence = fold(evidence, one.metric.name, [block])
        verdicts.append(judge_metric(evidence, find(evidence, one.metric.name)))
    fails = [not spares(one) and found.classification in FAILED for found in verdicts]
    return Screen(np.array(fails, dtype=np.bool_), np.array([found.proven for found in verdicts], dtype=np.bool_))


def _candidates(evidence: Evidence, stretches: Sequence[_Stretch], length: int) -> Flags:
    """Blocks at which some metric may end the release, or all may be proven in the last step."""
    pairs = [(one.metric.gating, stretch.screen) for one, stretch in zip(evidence.metrics, stretches, strict=True)]
    fails = [_held(screen.fails, length) for gating, screen in pairs if gating.aborts]
    proofs = [_held(screen.proven, length) for gating, screen in pairs if gating.promotes]
    found = np.any(fails, axis=0) if fails else np.zeros(length, dtype=np.bool_)
    if proofs and evidence.last_step:
        found = found | np.all(proofs, axis=0)
    return np.asarray(found, dtype=np.bool_)


def _held(flags: Flags, length: int) -> Flags:
    """Flags up to `length`: what stood at the end of a metric's blocks still stands after it. Without any blocks it
    is not known, so every block is worth a look."""
    last = flags[-1] if len(flags) else np.True_
    return np.concatenate([flags, np.full(length - len(flags), last)])


def _folded(evidence: Evidence, stretches: Sequence[_Stretch], first: int, last: int) -> Evidence:
    for one, stretch in zip(evidence.metrics, stretches, strict=True):
        fed = stretch.fed[first:last]
        if not fed:
            continue
        if isinstance(one, CountEvidence) and stretch.weighed is not None:
            evidence = with_metric(evidence, _fold_counts(evidence, one, stretch, first, last))
        else:
            evidence = fold(evidence, one.metric.name, [seen for seen in fed if not isinstance(seen, Observation)])
    return evidence


def _fold_counts(evidence: Evidence, one: CountEvidence, stretch: _Stretch, first: int, last: int) -> CountEvidence:
    observed = [seen for seen in stretch.fed if isinstance(seen, Observation)]
    before, within = (sum(seen.counted for seen in some) for some in (observed[:first], observed[first:last]))
    weighed = stretch.weighed.part(before, before + within) if stretch.weighed else Weighed(np.zeros((0, 1, 1)), None)
    at = entered(evidence), evidence.timing.block
    return fold_observed(one, observed[first:last], weighed, at)
