"""Which stretch of a release is judged now: a step, or what comes after the promotion. From its state alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from analyzer.model.block import Timing
from analyzer.model.metric import Analysis, QueryMetric, RatioMetric
from analyzer.model.noise import Noise
from analyzer.model.phase import Phase
from analyzer.model.state import Release, TargetState
from analyzer.release.bake import compared_analysis, shift_of


@dataclass(frozen=True, slots=True)
class Course:
    """A stretch of a release that is judged as one: a step (the last one goes on as long as both versions serve), or
    the time once all pods run the new version (`step` None): guards, and in a bake the comparison with before.

    Evidence against the canary counts from block `abort_from`, for it from `proof_from` (None: not yet known), that of
    the fast lane from slot `fast_from` (None: there is none). With a `shift`, stable's blocks are from this many blocks
    earlier: from before the promotion.
    """

    release: str
    analysis: Analysis
    steps: int
    step: int | None
    timing: Timing
    abort_from: int
    proof_from: int | None = None
    fast_from: int | None = None
    noise: Mapping[str, Noise] = field(default_factory=dict, hash=False)
    shift: int | None = None


def course_of(state: TargetState) -> Course | None:
    """What is judged now, from the state alone."""
    release = state.release
    if release is None:
        return None
    match state.phase:
        case Phase.PROGRESSING | Phase.PAUSED | Phase.PROMOTING | Phase.BAKING if _compared(state.phase, release):
            proof = None if release.record.settled_at is None else _first_block(release, release.record.settled_at)
            return Course(
                release=release.id,
                analysis=release.analysis,
                steps=len(release.plan.steps),
                step=release.step,
                timing=release.timing,
                abort_from=_first_block(release, release.record.entered_at),
                proof_from=proof,
                fast_from=_first_slot(release),
                noise=release.noise,
            )
        case Phase.BAKING if (shift := shift_of(release, state.since)) is not None:
            analysis, begun = compared_analysis(release.analysis), _first_block(release, state.since)
            return Course(
                release=release.id,
                analysis=analysis,
                steps=1,
                step=None,
                timing=release.timing,
                abort_from=begun,
                proof_from=begun,
                noise=release.noise,
                shift=shift,
            )
        case Phase.PROMOTING | Phase.BAKING:  # all pods run the new version: there is nothing to compare
            guards = tuple(metric for metric in release.analysis.metrics if isinstance(metric, QueryMetric))
            analysis = replace(release.analysis, metrics=guards)
            begun = _first_block(release, state.since)
            return Course(release.id, analysis, 1, None, release.timing, begun) if guards else None
        case _:
            return None


def _compared(phase: Phase, release: Release) -> bool:
    """Do both versions serve side by side? In a bake only with pods of the old one that are held back."""
    return release.held_back > 0 if phase is Phase.BAKING else not release.written


def _first_block(release: Release, when: datetime) -> int:
    return release.timing.first_full_block(when)


def _first_slot(release: Release) -> int | None:
    fast = release.analysis.fast_lane is not None
    if not fast or not any(isinstance(metric, RatioMetric) for metric in release.analysis.metrics):
        return None
    return release.timing.first_full_slot(release.record.entered_at)
