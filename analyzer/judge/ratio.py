"""Evidence of a ratio metric in one step: what its blocks add up to.

Called by `evidence`; read by `ratio_verdict`.

The state before the latest block is kept too, so that a later version of that block can take its place and
leave exactly the evidence that folding it once would have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.judge.counts import sound, summed, taken_later
from analyzer.judge.design import WIDTH, Design, design_for
from analyzer.judge.order import Place, Starts, place
from analyzer.judge.presence import Presence, seen
from analyzer.judge.profile import Profile, increment
from analyzer.model.block import Block, Counts, SideBlock
from analyzer.model.metric import RatioMetric

_NONE = Counts(0, 0)
_NOTHING = Profile(np.zeros(WIDTH))


@dataclass(frozen=True, slots=True)
class Window:
    """What a stretch of blocks adds up to.

    `canary` and `stable` are sums over the `counted` blocks (both sides had requests) of all `blocks`; in
    `idle` ones both sides were measured but one had no request. `present` and `absent` count pods in
    blocks, of both sides; `absence` is the latest reason for one.
    """

    profile: Profile = _NOTHING
    canary: Counts = _NONE
    stable: Counts = _NONE
    blocks: int = 0
    counted: int = 0
    idle: int = 0
    present: int = 0
    absent: int = 0
    absence: str | None = None

    @property
    def missing(self) -> float:
        """The share of expected pod measurements that are absent, 0 to 1."""
        expected = self.present + self.absent
        return self.absent / expected if expected else 0.0


@dataclass(frozen=True, slots=True)
class Recheck:
    """The latest block that counted, to be weighed anew with stable's end counters one slot later.

    `before` is the profile without that block; `stable` is None while the later counters are not all known.
    """

    before: Profile
    canary: Counts
    stable: Counts | None


@dataclass(frozen=True, slots=True)
class RatioState:
    """All that blocks have left: `abort` since the step was entered, `proof` since its replicas were
    reached."""

    abort: Window = Window()
    proof: Window = Window()
    recheck: Recheck | None = None
    presence: Presence = field(default_factory=Presence)


@dataclass(frozen=True, slots=True)
class RatioEvidence:
    """A ratio metric with its state after block `last`, and `before` it; `error` is why it can't be
    measured."""

    metric: RatioMetric
    last: int | None = None
    before: RatioState = RatioState()
    state: RatioState = RatioState()
    error: str | None = None

    @property
    def design(self) -> Design:
        """The metric's grids."""
        return design_for(self.metric.tolerance, self.metric.promote_margin)


def fold_blocks(evidence: RatioEvidence, blocks: Sequence[Block], starts: Starts) -> RatioEvidence:
    """Add blocks in order; the latest one may come again in another version. Raises ValueError on a gap."""
    for block in blocks:
        spot = place(block.index, evidence.last, starts)
        if spot is Place.EARLY:
            evidence = replace(evidence, last=block.index)
            continue
        before = evidence.before if spot is Place.AGAIN else evidence.state
        proving = starts.proof is not None and block.index >= starts.proof
        state = _with_block(before, block, evidence.design, proving=proving)
        evidence = replace(evidence, last=block.index, before=before, state=state)
    return evidence


def _with_block(state: RatioState, block: Block, design: Design, *, proving: bool) -> RatioState:
    canary, stable = sound(block.canary), sound(block.stable)
    sums = summed(canary.pods.values()), summed(stable.pods.values())
    counted = sums[0].total > 0 and sums[1].total > 0
    added, recheck = None, state.recheck
    if counted:
        added = increment(design.all, sums[0].events, sums[0].total, sums[1].events, sums[1].total)
        recheck = Recheck(state.abort.profile, sums[0], taken_later(stable, block.stable_later))
    blank = Window(
        profile=_NOTHING if added is None else Profile(added),
        canary=sums[0] if counted else _NONE,
        stable=sums[1] if counted else _NONE,
        blocks=1,
        counted=int(counted),
        idle=int(not counted and bool(canary.pods) and bool(stable.pods)),
        present=len(canary.pods) + len(stable.pods),
        absent=len(canary.absent) + len(stable.absent),
        absence=_absence(canary, stable),
    )
    return RatioState(
        abort=_sum(state.abort, blank),
        proof=_sum(state.proof, blank) if proving else state.proof,
        recheck=recheck,
        presence=seen(state.presence, canary, stable, counted=counted),
    )


def _sum(window: Window, block: Window) -> Window:
    return Window(
        profile=Profile(window.profile.values + block.profile.values) if block.counted else window.profile,
        canary=_plus(window.canary, block.canary),
        stable=_plus(window.stable, block.stable),
        blocks=window.blocks + 1,
        counted=window.counted + block.counted,
        idle=window.idle + block.idle,
        present=window.present + block.present,
        absent=window.absent + block.absent,
        absence=block.absence or window.absence,
    )


def _plus(one: Counts, other: Counts) -> Counts:
    return Counts(one.events + other.events, one.total + other.total)


def _absence(canary: SideBlock, stable: SideBlock) -> str | None:
    for side in (canary, stable):
        for pod in sorted(side.absent):
            return f"{pod}: {side.absent[pod]}"
    return None
