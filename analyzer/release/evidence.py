"""Which blocks a release needs, and the evidence that they add up to. The tick calls this.

Evidence follows from the state document and from blocks alone: what is lost in a restart is rebuilt from all blocks
since the present step was entered, and is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from analyzer.judge import (
    Evidence,
    Judged,
    begin,
    enter,
    fail,
    fold,
    fold_fast,
    judge_after,
    last_folded,
    last_slot,
    open_to_more,
    prove_from,
    sealed,
    unconfirmed,
)
from analyzer.model.block import Timing
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.moments import clock_time
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.model.verdict import BEFORE_AND_AFTER, CANARY_AND_STABLE
from analyzer.release.bake import Asked, bake_comparison
from analyzer.release.course import Course, course_of

AT_ONCE = 500
"""Blocks that one tick queries: a longer response would time out."""


@dataclass(frozen=True, slots=True)
class Look:
    """The evidence so far, judged, and the blocks to query. `behind`: there are more blocks than one tick queries.

    `asked` is the request, or the two that the comparison of before and after needs.
    """

    course: Course
    judged: Judged
    request: BlockRequest
    asked: Asked
    behind: bool = False


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """What a course had added up to when it was judged last, and the verdict."""

    course: Course
    judged: Judged


def look(kept: KeptEvidence | None, target: Target, state: TargetState, seen_at: datetime) -> Look | None:
    """What to query in this tick, which saw the pods at `seen_at`; None in phases that are not judged."""
    course = course_of(state)
    if course is None or state.release is None:
        return None
    judged = _continued(kept, course)
    enough, confirming = _enough(judged.evidence, course), _confirming(judged, course.timing)
    request = BlockRequest(
        target=target.name,
        namespace=target.namespace,
        metrics=course.analysis.metrics,
        roster=state.release.roster,
        timing=course.timing,
        after=_after(judged, course.abort_from),
        warmup=course.analysis.warmup.total_seconds(),
        fast_after=_fast_after(judged.evidence, course.fast_from),
        until=min(filter(None, (seen_at, enough, confirming))),
    )
    asked = request if course.shift is None else bake_comparison(request, state, course.shift)
    behind = enough < seen_at or (confirming is not None and _leaves_blocks(confirming, seen_at, course.timing))
    return Look(course, judged, request, asked, behind=behind)


def keep(course: Course, judged: Judged) -> KeptEvidence:
    """What the next tick goes on from. Keep it only once the state that it follows from is saved."""
    return KeptEvidence(course, sealed(judged))


def _continued(kept: KeptEvidence | None, course: Course) -> Judged:
    if kept is None or replace(kept.course, proof_from=None) != replace(course, proof_from=None):
        return judge_after(_start(course), None)
    if course.proof_from is None:
        return kept.judged
    try:
        return judge_after(prove_from(kept.judged.evidence, course.proof_from), kept.judged)
    except ValueError:
        # Blocks after the proof's start were folded as if it had not begun, as when a clock was set back.
        return judge_after(_start(course), None)


def folded(look: Look, answer: Collected | ObservationError) -> Judged:
    """The evidence with Prometheus' result added, judged. Raises ValueError when blocks are missing in between."""
    evidence = look.judged.evidence
    for metric in look.course.analysis.metrics:
        found = answer if isinstance(answer, ObservationError) else answer.metrics.get(metric.name, _UNANSWERED)
        if isinstance(found, ObservationError):
            evidence = fail(evidence, metric.name, str(found))
            continue
        last = last_folded(evidence, metric.name)
        evidence = fold(evidence, metric.name, [block for block in found if last is None or block.index >= last])
        if isinstance(answer, Collected) and look.request.fast_after is not None and metric.name in answer.fast:
            newest = last_slot(evidence, metric.name)
            slots = [slot for slot in answer.fast[metric.name] if newest is None or slot.index >= newest]
            evidence = fold_fast(evidence, metric.name, slots)
        if look.behind and (until := look.request.until) is not None:
            evidence = fail(evidence, metric.name, f"catching up: metrics read up to {clock_time(until, until)}")
    return judge_after(evidence, look.judged)


_UNANSWERED = ObservationError("no result for this metric (a bug in the metric source)")


def _start(course: Course) -> Evidence:
    sides = CANARY_AND_STABLE if course.shift is None else BEFORE_AND_AFTER
    evidence = begin(course.analysis, course.steps, course.timing, course.noise, sides)
    evidence = enter(evidence, course.step or 0, course.abort_from, course.fast_from)
    return evidence if course.proof_from is None else prove_from(evidence, course.proof_from)


def _enough(evidence: Evidence, course: Course) -> datetime:
    """A day of blocks is not read at once: up to here in this tick; no decision before all are read."""
    lasts = [last for metric in evidence.analysis.metrics if (last := last_folded(evidence, metric.name)) is not None]
    last = max(lasts, default=course.abort_from) + AT_ONCE
    return datetime.fromtimestamp(last * course.timing.block + course.timing.delay, UTC)


def _confirming(judged: Judged, timing: Timing) -> datetime | None:
    """Up to here in this tick, so that the block that would confirm an abort is in the result."""
    block = unconfirmed(judged)
    if block is None:
        return None
    return datetime.fromtimestamp((block + 1) * timing.block + timing.slot + timing.delay, UTC)


def _leaves_blocks(until: datetime, now: datetime, timing: Timing) -> bool:
    """Have blocks closed that this tick does not read? Then nothing is proven, and an abort still counts."""
    return timing.last_closed_block(until.timestamp()) < timing.last_closed_block(now.timestamp())


def _after(judged: Judged, abort_from: int) -> int:
    """The latest block is queried again where it may have more samples by now."""
    evidence = judged.evidence
    lasts = [last_folded(evidence, metric.name) for metric in evidence.analysis.metrics]
    before = _before(lasts, abort_from)
    return before if None in lasts or open_to_more(judged) else before + 1


def _fast_after(evidence: Evidence, fast_from: int | None) -> int | None:
    """The latest slot is queried again: by now it may confirm an abort."""
    if fast_from is None:
        return None
    fast = (metric for metric in evidence.analysis.metrics if metric.fast_lane)
    return _before((last_slot(evidence, metric.name) for metric in fast), fast_from)


def _before(lasts: Iterable[int | None], first: int) -> int:
    known = [first if last is None else last for last in lasts]
    return max(first, min(known, default=first)) - 1
