"""The pods that took part in a release, of both sides, from when they were ready until they were gone.

The engine calls `enroll` at each tick before it queries blocks; the roster is in the state document, so that a
restarted daemon counts the same pods in the same blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from analyzer.model.state import TargetState
from analyzer.model.target import Side
from analyzer.model.workload import Pod, RosterEntry, Snapshot


def enroll(state: TargetState, snapshot: Snapshot, now: datetime) -> TargetState:
    """Add pods that became ready and mark pods that left; the same object when nothing changed.

    After a swap the comparison goes on with the sides as they were: pods of the new version count as the canary's.
    """
    release = state.release
    if release is None or not state.phase.active:
        return state
    exchanged = state.phase.baking and release.held_back > 0
    seen = {pod.name: (side.other if exchanged else side, pod) for side in Side for pod in _serving(snapshot, side)}
    kept = tuple(_gone(entry, seen, now) for entry in release.roster)
    known = {entry.pod for entry in kept}
    new = tuple(
        RosterEntry(pod=pod.name, side=side, ready_at=pod.ready_at)
        for side, pod in seen.values()
        if pod.name not in known and pod.ready_at is not None
    )
    roster = kept + tuple(sorted(new, key=lambda entry: (entry.ready_at, entry.pod)))
    return state if roster == release.roster else state.with_release(replace(release, roster=roster))


def _serving(snapshot: Snapshot, side: Side) -> tuple[Pod, ...]:
    workload = snapshot.side(side)
    return tuple(pod for pod in workload.pods if not pod.deleted) if workload else ()


def _gone(entry: RosterEntry, seen: Mapping[str, tuple[Side, Pod]], now: datetime) -> RosterEntry:
    return entry if entry.gone_at is not None or entry.pod in seen else replace(entry, gone_at=now)
