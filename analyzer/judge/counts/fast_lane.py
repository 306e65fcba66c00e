"""The fast lane: a second test of a metric, for versions that fail outright. Called by `evidence`.

It has a wide tolerance, a tenth of the metric's alpha, and looks at every slot, from a pod's first sample on: it does
not wait for warm-ups or blocks. `fold_slots` adds slots; `strength` says what they come to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from analyzer.judge.observations.observation import observe
from analyzer.judge.observations.sums import SideSum, read_counts, side_sum, taken_later
from analyzer.judge.observations.window import NOBODY, SideTotals
from analyzer.judge.order import FoldOrder, Starts, place
from analyzer.judge.sequential.design import POINTS, Grid, abort_grid
from analyzer.judge.sequential.profile import Profile, increment, log_evidence
from analyzer.model.block import Block, Sample, SideBlock
from analyzer.model.metric import CountMetric, Margin
from analyzer.model.noise import EXACT

SHARE = 0.1
"""The part of a metric's alpha that the fast lane may use."""

STABLE_PODS = 3
"""With fewer stable pods in a slot, an abort must also hold with stable's next sample: few pods' counters are read
at few moments, and a shared incident may reach the canary's first."""

_NOTHING = Profile(np.zeros(POINTS))


@dataclass(frozen=True, slots=True)
class FastState:
    """What slots add up to; `before` is the profile without the latest one that counted, whose sides are
    `latest`: the canary's, stable's, and stable's pods with their end one slot later (None: not known yet)."""

    profile: Profile = _NOTHING
    canary: SideTotals = NOBODY
    stable: SideTotals = NOBODY
    before: Profile = _NOTHING
    latest: tuple[SideSum, SideSum, SideBlock[Sample] | None] | None = None


@dataclass(frozen=True, slots=True)
class FastEvidence:
    """The fast lane of one metric after slot `last` and `before` it; `starts` is its first slot in this step
    (None: not entered)."""

    margin: Margin
    starts: int | None = None
    last: int | None = None
    before: FastState = FastState()
    state: FastState = FastState()


@lru_cache(maxsize=64)
def fast_grid(margin: Margin) -> Grid:
    """The bets of a fast lane with this tolerance."""
    return abort_grid(margin)


def fold_slots(fast: FastEvidence, metric: CountMetric, slots: Sequence[Block]) -> FastEvidence:
    """Add slots in order; the latest one may come again in another version.

    Raises ValueError on a gap, and when the step was entered without a first slot.
    """
    if fast.starts is None:
        raise ValueError(f"{metric.name}: the step was entered without fast_from, its first slot")
    for slot in slots:
        spot = place(slot.index, fast.last, Starts(fast.starts))
        if spot is FoldOrder.EARLY:
            fast = replace(fast, last=slot.index)
            continue
        before = fast.before if spot is FoldOrder.AGAIN else fast.state
        fast = replace(fast, last=slot.index, before=before, state=_with_slot(before, slot, metric, fast.margin))
    return fast


def fast_nats(fast: FastEvidence, dispersion: float) -> float:
    """Evidence that the canary fails outright, in nats."""
    return _nats(fast, fast.state.profile, dispersion)


def fast_confirmed(fast: FastEvidence, dispersion: float, threshold: float) -> bool:
    """Does a crossed threshold stand, as far as the moments of measuring go?

    Slots follow each other without a pause, so the latest is never confirmed yet when few stable pods need that: then
    it is enough that the slot before it had crossed the threshold and is confirmed.
    """
    return any(_stands(fast, state, dispersion, threshold) for state in (fast.state, fast.before))


def _stands(fast: FastEvidence, state: FastState, dispersion: float, threshold: float) -> bool:
    if state.latest is None or _nats(fast, state.profile, dispersion) < threshold:
        return False
    canary, stable, measured = state.latest
    if stable.standing_for >= STABLE_PODS:
        return True
    later = None if measured is None else taken_later(stable, side_sum(measured, read_counts))
    if later is None:
        return False
    return _nats(fast, _plus(state.before, fast.margin, canary, later), dispersion) >= threshold


def _nats(fast: FastEvidence, profile: Profile, dispersion: float) -> float:
    return float(log_evidence(fast_grid(fast.margin).log_weights, profile.values / dispersion))


def _with_slot(state: FastState, slot: Block, metric: CountMetric, margin: Margin) -> FastState:
    one = observe(metric, EXACT, slot)
    if not one.counted:
        return state
    return FastState(
        profile=_plus(state.profile, margin, one.canary, one.stable),
        canary=state.canary.plus([one.canary]),
        stable=state.stable.plus([one.stable]),
        before=state.profile,
        latest=(one.canary, one.stable, one.later),
    )


def _plus(profile: Profile, margin: Margin, canary: SideSum, stable: SideSum) -> Profile:
    on = fast_grid(margin).on
    return Profile(profile.values + increment(on, canary.events[0], canary.total, stable.events[0], stable.total))
