"""Evidence of a metric that counts events (ratio, histogram, rate, restarts) in one step: what its blocks add up to.

Called by `evidence`; read by `count_verdict`.

The state before the latest block is kept too, so that a later version of that block can take its place and
leave exactly the evidence that folding it once would have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.judge.counts.fast_lane import FastEvidence
from analyzer.judge.counts.restart_rule import RestartRule
from analyzer.judge.observations.bands import bands_after, margins_of
from analyzer.judge.observations.boundaries import Boundaries
from analyzer.judge.observations.observation import Observation, observe
from analyzer.judge.observations.sums import SideSum
from analyzer.judge.observations.window import SideTotals, Window
from analyzer.judge.order import FoldOrder, Starts, place
from analyzer.judge.presence import Presence, seen
from analyzer.judge.sequential.design import Design, Whole, design_for
from analyzer.judge.sequential.profile import Floats, Profile, increment
from analyzer.model.block import Block, Sample, SideBlock
from analyzer.model.metric import CountMetric, HistogramMetric, RestartsMetric
from analyzer.model.noise import Noise

_NO_BLOCKS = Window()
_NO_RESTARTS = RestartRule()


@dataclass(frozen=True, slots=True)
class Recheck:
    """The latest block that counted, to be weighed anew with stable's end counters one slot later.

    `before` is the profile and `stable_before` stable's total without that block; `later` has stable's pods with their
    later counters, None while they are not known. Evidence is the same with and without them: they are asked for where
    an abort waits to be confirmed.
    """

    before: Profile
    stable_before: float
    canary: SideSum
    stable: SideSum
    later: SideBlock[Sample] | None = field(compare=False)
    bands: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class CountState:
    """All that blocks have left: `abort` since the step was entered, `proof` since its replicas were reached.

    `widest` is the highest band that each boundary has been in.
    """

    abort: Window = _NO_BLOCKS
    proof: Window = _NO_BLOCKS
    recheck: Recheck | None = None
    presence: Presence = field(default_factory=Presence)
    boundaries: Boundaries | None = None
    widest: tuple[int, ...] = ()
    rule: RestartRule = _NO_RESTARTS


@dataclass(frozen=True, slots=True)
class CountEvidence:
    """A metric with its state after block `last`, and `before` it; `error` is why it cannot be measured.

    Without `before` (None) the latest block is what it is: another version of it is not taken in. `design` has its
    grids, which follow from the metric. `fast` is its second test, for versions that fail outright (None: it has none).
    """

    metric: CountMetric
    noise: Noise
    design: Design = field(compare=False, repr=False)
    last: int | None = None
    before: CountState | None = field(default=CountState(), compare=False)
    state: CountState = CountState()
    fast: FastEvidence | None = None
    error: str | None = None

    @property
    def incomplete(self) -> bool:
        """Was something of the latest block not measured, so that the block may have more by now?"""
        return self.before is not None and self.state.abort.absent > self.before.abort.absent


def fresh_counts(metric: CountMetric, noise: Noise, fast: FastEvidence | None = None) -> CountEvidence:
    """No evidence yet."""
    return CountEvidence(metric, noise, design_for(margins_of(metric)), fast=fast)


def fold_blocks(
    evidence: CountEvidence, blocks: Sequence[Block[Sample]], starts: Starts, seconds: float
) -> CountEvidence:
    """Add blocks of `seconds` each, in order; the latest one may come again in another version.

    Raises ValueError on a gap.
    """
    base, last, fresh = evidence.state, evidence.last, list[Block[Sample]]()
    for block in blocks:
        match place(block.index, last, starts):
            case FoldOrder.AGAIN if fresh:
                fresh[-1] = block
            case FoldOrder.AGAIN if evidence.before is not None:
                base, fresh = evidence.before, [block]
            case FoldOrder.NEXT:
                fresh.append(block)
            case FoldOrder.EARLY | FoldOrder.AGAIN:
                pass
        last = block.index
    if not fresh:
        return evidence if last == evidence.last else replace(evidence, last=last)
    boundaries, observed = base.boundaries, []
    for block in fresh:
        observed.append(observe(evidence.metric, evidence.noise, block, boundaries))
        boundaries = observed[-1].boundaries
    base_evidence = replace(evidence, state=base)
    return fold_observed(base_evidence, observed, weigh(base_evidence, observed), (starts, seconds))


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What the counted ones of some blocks add: `profiles`, shape (counted, boundaries, points), and the `bands` that
    applied, shape (counted, boundaries); None for metrics of one band."""

    profiles: Floats
    bands: Whole | None

    def part(self, first: int, last: int) -> Weighed:
        """Of the counted blocks from `first` up to `last`, which is left out."""
        return Weighed(self.profiles[first:last], None if self.bands is None else self.bands[first:last])


def weigh(evidence: CountEvidence, observed: Sequence[Observation]) -> Weighed:
    """Weigh blocks that are known to be the next ones."""
    counted = [one for one in observed if one.counted]
    if not counted:
        return Weighed(np.zeros((0, 1, 1)), None)
    bands = _bands(evidence.metric, evidence.state.abort.stable, counted)
    sides = [(one.canary, one.stable) for one in counted]
    return Weighed(profiles(evidence.metric, evidence.design, sides, bands), bands)


def fold_observed(
    evidence: CountEvidence, observed: Sequence[Observation], weighed: Weighed, at: tuple[Starts, float]
) -> CountEvidence:
    """Add blocks that are known to be the next ones, at least one, as they were weighed; `at` says where the step
    begins and how many seconds a block has."""
    starts, seconds = at
    earlier = sum(one.counted for one in observed[:-1])
    before = _after(evidence.state, observed[:-1], weighed.part(0, earlier), starts)
    state = _after(before, observed[-1:], weighed.part(earlier, len(weighed.profiles)), starts)
    if isinstance(evidence.metric, RestartsMetric):
        before = replace(before, rule=evidence.state.rule.after(observed[:-1], seconds))
        state = replace(state, rule=before.rule.after(observed[-1:], seconds))
    return replace(evidence, last=observed[-1].index, before=before, state=state)


def _bands(metric: CountMetric, stable: SideTotals, counted: Sequence[Observation]) -> Whole | None:
    """The band of each boundary in each of these blocks, shape (blocks, boundaries), from what stable had before
    it; None for metrics of one band."""
    if not isinstance(metric, HistogramMetric):
        return None
    width = len(counted[0].stable.events)
    events = np.array([stable.events or (0.0,) * width, *(one.stable.events for one in counted[:-1])])
    total = np.array([stable.total, *(one.stable.total for one in counted[:-1])])
    return bands_after(np.add.accumulate(events, axis=0), np.add.accumulate(total))


def profiles(
    metric: CountMetric, design: Design, sides: Sequence[tuple[SideSum, SideSum]], bands: Whole | None
) -> Floats:
    """Profiles of blocks, shape (blocks, boundaries, points), from (canary, stable) sums.

    Where less is bad the sides change places: stable having more than it may is the canary having too little.
    """
    x_c, x_s = (np.array([pair[side].events for pair in sides]) for side in (0, 1))
    n_c, n_s = (np.array([[pair[side].total] for pair in sides]) for side in (0, 1))
    on = design.bets_in(bands)
    if metric.less_is_worse:
        return increment(on, x_s, n_s, x_c, n_c)
    return increment(on, x_c, n_c, x_s, n_s)


def _after(state: CountState, observed: Sequence[Observation], weighed: Weighed, starts: Starts) -> CountState:
    if not observed:
        return state
    abort, recheck = _advanced(state, observed, weighed)
    alike = state.proof is state.abort and starts.proof is not None and observed[0].index >= starts.proof
    presence = state.presence
    for one in observed:
        presence = seen(presence, one.canary, one.stable, counted=one.counted)
    return CountState(
        abort=abort,
        proof=abort if alike else _proven(state.proof, observed, weighed.profiles, starts),
        recheck=recheck,
        presence=presence,
        boundaries=observed[-1].boundaries,
        widest=_widest(state.widest, weighed.bands),
        rule=state.rule,
    )


def _advanced(state: CountState, observed: Sequence[Observation], weighed: Weighed) -> tuple[Window, Recheck | None]:
    """The abort's window, and the last counted block with the profile before it."""
    added, bands = weighed.profiles, weighed.bands
    places = [place for place, one in enumerate(observed) if one.counted]
    if not places:
        return state.abort.plus(observed, added), state.recheck
    cut = places[-1]
    head = state.abort.plus(observed[:cut], added[:-1]) if cut else state.abort
    latest = observed[cut]
    now = None if bands is None else tuple(int(band) for band in bands[-1])
    return head.plus(observed[cut:], added[-1:]), Recheck(
        head.profile, head.stable.total, latest.canary, latest.stable, latest.later, now
    )


def _proven(proof: Window, observed: Sequence[Observation], added: Floats, starts: Starts) -> Window:
    proving = [one for one in observed if starts.proof is not None and one.index >= starts.proof]
    counted = sum(one.counted for one in proving)
    return proof.plus(proving, added[len(added) - counted :]) if proving else proof


def _widest(before: tuple[int, ...], bands: Whole | None) -> tuple[int, ...]:
    if bands is None or not len(bands):
        return before
    highest = bands.max(axis=0)
    return tuple(int(band) for band in (np.maximum(highest, before) if before else highest))
