"""Evidence of a gauge metric in one step: how far the canary's level is from stable's, on the log scale.

Called by `evidence`; read by `gauge_verdict`. Per block, d = mean over canary pods of log y - mean over stable pods,
with the sign turned so that up is worse. Its variance is v = LRV (1/J_c + 1/J_s); LRV is the variance that a pod's
5-minute means have, scaled to the length of a block. Then l(g) = sum (d g - g^2/2)/v is the log likelihood of a log
ratio g, and all that is tested is a function of three sums.

No single block decides: a test must also hold without the block that speaks most for it. So a shared incident that
reaches one side's samples a scrape earlier than the other's (one block) ends nothing, and an abort needs no second look
at stable's next sample, as counts do. The smaller of two e-values is one too: this costs no guarantee, only a block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from analyzer.judge.order import FoldOrder, Starts, place
from analyzer.judge.presence import Presence, missing_share, seen
from analyzer.model.block import Block, PodLevel, SideBlock
from analyzer.model.metric import GaugeMetric
from analyzer.model.noise import Noise

BATCH_SECONDS = 300.0
"""Length of the means that `Noise.within_pod` is about."""

LEAST_WITHIN = 0.001
"""A pod is never taken to be steadier than this: a variance of 0 would make a proof of any difference."""


@dataclass(frozen=True, slots=True)
class Term:
    """What blocks add to the sums: `weight` is 1/v, `drift` is d/v."""

    weight: float = 0.0
    drift: float = 0.0

    @property
    def d(self) -> float:
        """The log ratio of the sides, worse is up."""
        return self.drift / self.weight

    def plus(self, other: Term) -> Term:
        """Both together."""
        return Term(self.weight + other.weight, self.drift + other.drift)

    def without(self, other: Term) -> Term:
        """The rest, never less than nothing."""
        return Term(max(0.0, self.weight - other.weight), self.drift - other.drift)


@dataclass(frozen=True, slots=True)
class GaugeWindow:
    """What a stretch of blocks adds up to.

    `worst` and `best` are the blocks with the largest and the smallest d. `canary` and `stable` are sums of the sides'
    mean logs and `even` of 1/J_c + 1/J_s, over the `counted` of all `blocks`. `present` and `absent` count pods in
    blocks, of both sides; `absence` is the latest reason for one.
    """

    total: Term = Term()
    worst: Term = Term()
    best: Term = Term()
    canary: float = 0.0
    stable: float = 0.0
    even: float = 0.0
    blocks: int = 0
    counted: int = 0
    present: int = 0
    absent: int = 0
    absence: str | None = None

    @property
    def missing(self) -> float:
        """The share of expected pod measurements that are absent, 0 to 1."""
        return missing_share(self.present, self.absent)


@dataclass(frozen=True, slots=True)
class GaugeState:
    """All that blocks have left: `abort` since the step was entered, `proof` since its replicas were reached.

    `canary_pods` and `stable_pods` are those of the latest block that counted.
    """

    abort: GaugeWindow = GaugeWindow()
    proof: GaugeWindow = GaugeWindow()
    presence: Presence = field(default_factory=Presence)
    canary_pods: int = 0
    stable_pods: int = 0


@dataclass(frozen=True, slots=True)
class GaugeEvidence:
    """A gauge metric with its state after block `last`, and `before` it; `error` is why it cannot be measured.

    `noise` is frozen for the release; `block` is the length of its blocks in seconds.
    """

    metric: GaugeMetric
    noise: Noise
    block: float
    last: int | None = None
    before: GaugeState = GaugeState()
    state: GaugeState = GaugeState()
    error: str | None = None

    @property
    def variance(self) -> float:
        """LRV: the variance of one pod's log level in one block, as it counts in the long run."""
        return BATCH_SECONDS / self.block * max(self.noise.within_pod, LEAST_WITHIN) ** 2

    @property
    def incomplete(self) -> bool:
        """Was something of the latest block not measured, so that the block may have more by now?"""
        return self.state.abort.absent > self.before.abort.absent


def fold_levels(evidence: GaugeEvidence, blocks: Sequence[Block[PodLevel]], starts: Starts) -> GaugeEvidence:
    """Add blocks in order; the latest one may come again in another version. Raises ValueError on a gap."""
    for block in blocks:
        spot = place(block.index, evidence.last, starts)
        if spot is FoldOrder.EARLY:
            evidence = replace(evidence, last=block.index)
            continue
        before = evidence.before if spot is FoldOrder.AGAIN else evidence.state
        proving = starts.proof is not None and block.index >= starts.proof
        state = _with_block(before, block, evidence, proving=proving)
        evidence = replace(evidence, last=block.index, before=before, state=state)
    return evidence


def worse(metric: GaugeMetric) -> int:
    """The sign that turns a log ratio so that up is worse."""
    return -1 if metric.less_is_worse else 1


def _with_block(state: GaugeState, block: Block[PodLevel], of: GaugeEvidence, *, proving: bool) -> GaugeState:
    canary, stable = _positive(block.canary), _positive(block.stable)
    counted = bool(canary.pods) and bool(stable.pods)
    one = replace(
        _compared(canary, stable, of) if counted else GaugeWindow(),
        blocks=1,
        counted=int(counted),
        present=len(canary.pods) + len(stable.pods),
        absent=len(canary.absent) + len(stable.absent),
        absence=_absence(canary, stable),
    )
    return GaugeState(
        abort=_sum(state.abort, one),
        proof=_sum(state.proof, one) if proving else state.proof,
        presence=seen(state.presence, canary, stable, counted=counted),
        canary_pods=_pods(canary) if counted else state.canary_pods,
        stable_pods=_pods(stable) if counted else state.stable_pods,
    )


def _compared(canary: SideBlock[PodLevel], stable: SideBlock[PodLevel], of: GaugeEvidence) -> GaugeWindow:
    """One block's share of the sums."""
    sides = _mean_log(canary), _mean_log(stable)
    even = 1 / _pods(canary) + 1 / _pods(stable)
    variance = of.variance * even
    term = Term(1 / variance, worse(of.metric) * (sides[0] - sides[1]) / variance)
    return GaugeWindow(
        total=term,
        worst=term,
        best=term,
        canary=sides[0],
        stable=sides[1],
        even=even,
    )


def _mean_log(side: SideBlock[PodLevel]) -> float:
    return math.fsum(math.log(level.value) for level in side.pods.values()) / len(side.pods)


def _pods(side: SideBlock[PodLevel]) -> int:
    """How many pods a side stands for."""
    return max(side.merged or 0, len(side.pods))


def _sum(window: GaugeWindow, block: GaugeWindow) -> GaugeWindow:
    if not (window.counted and block.counted):
        filled = block if block.counted else window
        worst, best = filled.worst, filled.best
    else:
        worst = max(window.worst, block.worst, key=lambda term: term.d)
        best = min(window.best, block.best, key=lambda term: term.d)
    return GaugeWindow(
        total=window.total.plus(block.total),
        worst=worst,
        best=best,
        canary=window.canary + block.canary,
        stable=window.stable + block.stable,
        even=window.even + block.even,
        blocks=window.blocks + 1,
        counted=window.counted + block.counted,
        present=window.present + block.present,
        absent=window.absent + block.absent,
        absence=block.absence or window.absence,
    )


def _positive(side: SideBlock[PodLevel]) -> SideBlock[PodLevel]:
    """The side with every pod whose level has no logarithm moved to its absent ones."""
    wrong = {
        pod: f"level {level.value:g} cannot be compared as a ratio (expected a number above 0)"
        for pod, level in side.pods.items()
        if not 0 < level.value < math.inf
    }
    if not wrong:
        return side
    pods = {pod: level for pod, level in side.pods.items() if pod not in wrong}
    return replace(side, pods=pods, absent={**side.absent, **wrong})


def _absence(canary: SideBlock[PodLevel], stable: SideBlock[PodLevel]) -> str | None:
    for side in (canary, stable):
        for pod in sorted(side.absent):
            return f"{pod}: {side.absent[pod]}"
    return None
