"""A bake's comparison: the new version after the promotion with stable before it.

Block i of the bake, as the canary's side, is compared with stable's block i - `shift`, so that the bake is compared
with the same length of time that ended when stable's old pods began to leave. `evidence` makes such requests from the
state alone; `sweep` sends each as two plain ones and joins their results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analyzer.model.block import Block, Sample, SideBlock
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Analysis, tests_of
from analyzer.model.state import Release, TargetState
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry

Answer = Collected | ObservationError

_NOTHING: SideBlock[Sample] = SideBlock()
_UNANSWERED = ObservationError("no result for the time before the promotion (a bug in the metric source)")


@dataclass(frozen=True, slots=True)
class BakeComparison:
    """Two requests for one target: guards and the new version's pods now, the old version's `shift` blocks earlier."""

    now: BlockRequest
    earlier: BlockRequest
    shift: int

    @property
    def target(self) -> str:
        """The target that asked."""
        return self.now.target

    def joined(self, now: Answer, earlier: Answer) -> Answer:
        """One result, as if stable's blocks were of now."""
        if isinstance(now, ObservationError):
            return now
        tests = [metric.name for metric in tests_of(self.now.metrics) if metric.name in now.metrics]
        if isinstance(earlier, ObservationError):
            return replace(now, metrics={**now.metrics, **dict.fromkeys(tests, earlier)})
        return replace(now, metrics={**now.metrics, **{name: self._beside(now, earlier, name) for name in tests}})

    def _beside(self, now: Collected, earlier: Collected, name: str) -> Sequence[Block[Sample]] | ObservationError:
        after, before = now.metrics[name], earlier.metrics.get(name, _UNANSWERED)
        if isinstance(after, ObservationError):
            return after
        if isinstance(before, ObservationError):
            return before
        old = {block.index + self.shift: block.stable for block in before if isinstance(block, Block)}
        new = [block for block in after if isinstance(block, Block)]
        # Both are of the past: there is no later sample that stable's side waits for.
        return [
            Block(block.index, block.canary, old.get(block.index, _NOTHING), old.get(block.index, _NOTHING))
            for block in new
        ]


Asked = BlockRequest | BakeComparison


def shift_of(release: Release, baking_since: datetime) -> int | None:
    """How many blocks lie between the two times compared; None where there is nothing to compare with."""
    tests = any(metric.gating.aborts for metric in release.analysis.tests)
    if release.promoting_at is None or release.known_good or not tests or release.plan.bake <= timedelta(0):
        return None
    length = math.ceil(release.plan.bake.total_seconds() / release.timing.block)
    return release.timing.first_full_block(baking_since) + length - release.timing.index(release.promoting_at)


def compared_analysis(analysis: Analysis) -> Analysis:
    """Guards, and the tests that may abort; no proof is needed in a bake, and there is no fast lane."""
    guards = analysis.guards
    watched = tuple(metric for metric in analysis.metrics if metric.gating.aborts or metric in guards)
    return replace(analysis, metrics=watched, fast_lane=None)


def bake_comparison(request: BlockRequest, state: TargetState, shift: int) -> BakeComparison:
    """The request of a bake, as two requests."""
    release = state.release
    old = release.promoting_at if release is not None else None
    if old is None:
        raise ValueError(f"{request.target} is not promoted, so there is no before and after")
    before = tuple(entry for entry in request.roster if _is_old(entry, old))
    after = tuple(replace(entry, side=Side.CANARY) for entry in request.roster if _is_new(entry, old, state.since))
    back = timedelta(seconds=shift * request.timing.block)
    earlier = replace(
        request,
        target=f"{request.target} (before)",
        metrics=tests_of(request.metrics),
        roster=before,
        after=request.after - shift,
        until=None if request.until is None else request.until - back,
    )
    return BakeComparison(replace(request, roster=after), earlier, shift)


def _is_old(entry: RosterEntry, promoting_at: datetime) -> bool:
    return entry.side is Side.STABLE and entry.ready_at < promoting_at


def _is_new(entry: RosterEntry, promoting_at: datetime, baking_since: datetime) -> bool:
    """Stable's pods since the promotion; after a swap also the canary's from before it, which are stable's now."""
    return entry.ready_at >= promoting_at if entry.side is Side.STABLE else entry.ready_at < baking_since
