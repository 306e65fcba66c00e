"""Which stretch of a release is judged now: a step, or what comes after the promotion. From its state alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from analyzer.model.block import Timing
from analyzer.model.metric import Analysis
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
    release, phase = state.release, state.phase
    if release is None or not phase.judged:
        return None
    if _compared(phase, release):
        return _side_by_side(release)
    if phase.baking and (shift := shift_of(release, state.since)) is not None:
        return _before_and_after(release, state.since, shift)
    return _guards_alone(release, state.since) if phase.steps_over else None


def _compared(phase: Phase, release: Release) -> bool:
    """Do both versions serve side by side? In a bake only with pods of the old one that are held back."""
    return not release.written if phase.serves_both else release.held_back > 0


def _side_by_side(release: Release) -> Course:
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


def _before_and_after(release: Release, baking_since: datetime, shift: int) -> Course:
    begun = _first_block(release, baking_since)
    return Course(
        release=release.id,
        analysis=compared_analysis(release.analysis),
        steps=1,
        step=None,
        timing=release.timing,
        abort_from=begun,
        proof_from=begun,
        noise=release.noise,
        shift=shift,
    )


def _guards_alone(release: Release, since: datetime) -> Course | None:
    """All pods run the new version: there is nothing to compare with."""
    guards = release.analysis.guards
    if not guards:
        return None
    analysis = replace(release.analysis, metrics=guards)
    return Course(release.id, analysis, 1, None, release.timing, _first_block(release, since))


def _first_block(release: Release, when: datetime) -> int:
    return release.timing.first_full_block(when)


def _first_slot(release: Release) -> int | None:
    analysis = release.analysis
    if analysis.fast_lane is None or not any(metric.fast_lane for metric in analysis.metrics):
        return None
    return release.timing.first_full_slot(release.record.entered_at)
