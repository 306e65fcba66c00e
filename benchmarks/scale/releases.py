"""State documents of releases that are in progress, as the daemon itself would have written them. Called by `standing`.

The core's own `decide` takes each release from a new version to its first step, on the objects that stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analyzer.actuation.sides import Owned, version_of, workload_of
from analyzer.decision import decide, enroll
from analyzer.kube.objects import DEPLOYMENTS, PODS, REPLICA_SETS
from analyzer.kube.transform import transformed
from analyzer.model.block import Timing
from analyzer.model.noise import Noise
from analyzer.model.phase import Phase
from analyzer.model.state import TargetState, Version
from analyzer.model.target import Side, Target
from analyzer.model.workload import Admission, Move, Scale, Snapshot, Workload
from analyzer.record import codec
from analyzer.record.configmaps import names
from analyzer.record.configmaps.names import DocumentKind
from benchmarks.scale.plan import HOME, INTERVAL
from benchmarks.scale.plan import PODS as POD_COUNT

TIMING = Timing(block=2 * INTERVAL, slot=INTERVAL, delay=2.0)
_MOST_LOOKS = 12


def release_in_progress(target: Target, objects: Iterable[tuple[str, Any]], began: float) -> TargetState:
    """The state of a target whose first step was reached at `began`; `objects` are its (kind, object)."""
    now = datetime.fromtimestamp(began, UTC)
    there = _snapshot(target, list(objects), now)
    canary, stable = _present(there.canary), _present(there.stable)
    noise = {metric.name: Noise(1.5, 0.05) for metric in target.analysis.metrics}
    world = replace(
        there,
        stable=_scaled(stable, POD_COUNT),
        canary=_scaled(canary, 0),
        admission=Admission(timing=TIMING, noise=noise),
    )
    state = TargetState(target.name, target.roles, Phase.IDLE, now, "idle", unmanaged=False)
    state = replace(state, handled=Version(canary.uid, "earlier"), stable_hash=stable.template.hash)
    for _ in range(_MOST_LOOKS):
        choice = decide(state, world, None, (), now)
        state = choice.next_state
        if choice.move is not None:
            world = _moved(world, choice.move)
        elif state.release is not None and state.release.record.settled_at is not None:
            return enroll(state, there, now)
    raise AssertionError(f"{target.name} is at {state.phase}, expected a release whose first step is reached")


def document_of(state: TargetState, uid: str, made: float) -> dict[str, Any]:
    """The ConfigMap that holds a state document."""
    metadata = {
        "name": names.document_name(DocumentKind.STATE, state.target),
        "namespace": HOME,
        "uid": uid,
        "creationTimestamp": f"{datetime.fromtimestamp(made, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "labels": names.labels_of(DocumentKind.STATE, state.target),
        "annotations": names.annotations_of(state.target),
    }
    text = codec.encode(state).decode()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {DocumentKind.STATE.key: text}}


def _snapshot(target: Target, objects: list[tuple[str, Mapping[str, Any]]], now: datetime) -> Snapshot:
    def seen(name: str) -> Workload:
        [deployment] = [
            transformed(DEPLOYMENTS, found) for kind, found in objects if _is(kind, found, "deployments", name)
        ]
        sets = [
            transformed(REPLICA_SETS, found)
            for kind, found in objects
            if kind == "replicasets" and _owned(found, deployment)
        ]
        owned = [
            Owned(one, [transformed(PODS, found) for kind, found in objects if kind == "pods" and _owned(found, one)])
            for one in sets
        ]
        return workload_of(deployment, version_of(deployment), owned, "", now)

    return Snapshot(target, seen(target.roles.stable), seen(target.roles.canary))


def _is(kind: str, found: Mapping[str, Any], wanted: str, name: str) -> bool:
    return kind == wanted and found["metadata"]["name"] == name


def _owned(found: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    owners = found["metadata"].get("ownerReferences") or ()
    return owner["metadata"]["uid"] in {one["uid"] for one in owners}


def _present(workload: Workload | None) -> Workload:
    assert workload is not None
    return workload


def _moved(world: Snapshot, move: Move) -> Snapshot:
    assert isinstance(move, Scale)
    scaled = _scaled(_present(world.side(move.side)), move.after)
    return replace(world, stable=scaled) if move.side is Side.STABLE else replace(world, canary=scaled)


def _scaled(workload: Workload, count: int) -> Workload:
    return replace(workload, replicas=count, current=count, updated=count, available=count)
