"""The same version under another hash: after an API server upgrade with new defaults, or with a changed hash rule.

`decide` calls this first, so that no rule takes such a change for a new version, a drift or a foreign edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from analyzer.decision.context import Context
from analyzer.model.state import Anchor, Release, TargetState, Version
from analyzer.model.workload import Move, Scale, Snapshot, Template, Workload


def recognize(state: TargetState, snapshot: Snapshot) -> tuple[TargetState, tuple[str, ...]]:
    """The state with the present hashes of its versions, and a note for each that has changed.

    A version that neither Deployment has at present keeps its hash.
    """
    known = {anchor.uid: anchor for anchor in state.anchors}
    anchors: list[Anchor] = []
    hashes: dict[str, str] = {}
    notes: list[str] = []
    for side in (snapshot.stable, snapshot.canary):
        if side is None:
            continue
        before, present = known.get(side.uid), _anchor(side) or known.get(side.uid)
        anchors += [present] if present else []
        if before and present and before.replica_set == present.replica_set and before.hash != present.hash:
            hashes[before.hash] = present.hash
            notes.append(
                f"template of {side.name} re-hashed from {before.hash} to {present.hash}, no change "
                f"(pod-template-hash {present.replica_set})"
            )
    if hashes:
        state = _renamed(state, hashes)
    return (state if tuple(anchors) == state.anchors else replace(state, anchors=tuple(anchors))), tuple(notes)


def unresolved(context: Context) -> bool:
    """It is not known yet whether the canary's template is another one or was only re-hashed.

    A paused Deployment gets no ReplicaSet before it is resumed: waiting would not help.
    """
    canary = context.canary
    anchored = any(anchor.uid == canary.uid for anchor in context.state.anchors)
    return anchored and canary.replica_set is None and not canary.paused


def _anchor(side: Workload) -> Anchor | None:
    return Anchor(side.uid, side.replica_set, side.template.hash) if side.replica_set else None


def _renamed(state: TargetState, hashes: Mapping[str, str]) -> TargetState:
    handled = state.handled
    return replace(
        state,
        handled=handled and Version(handled.uid, hashes.get(handled.hash, handled.hash)),
        stable_hash=state.stable_hash and hashes.get(state.stable_hash, state.stable_hash),
        previous=state.previous and hashes.get(state.previous, state.previous),
        release=state.release and _release(state.release, hashes),
        intent=state.intent and _move(state.intent, hashes),
        unconfirmed=tuple(_move(move, hashes) for move in state.unconfirmed),
    )


def _release(release: Release, hashes: Mapping[str, str]) -> Release:
    return replace(release, canary=_template(release.canary, hashes), stable=_template(release.stable, hashes))


def _move(move: Move, hashes: Mapping[str, str]) -> Move:
    if isinstance(move, Scale):
        return move
    return replace(move, before=hashes.get(move.before, move.before), template=_template(move.template, hashes))


def _template(template: Template, hashes: Mapping[str, str]) -> Template:
    return replace(template, hash=hashes.get(template.hash, template.hash))
