"""What a Pod of the API server says about itself, as the model has it. Called by `sides`; pure.

Reads status and metadata only: what a pod prints is never read, only what its container left as termination message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from analyzer.kube.compressed_json import decompressed
from analyzer.kube.objects import Json
from analyzer.model.workload import Pod

OUT_OF_MEMORY = "OOMKilled"
STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of a container with which nothing is wrong yet."""
OVER = frozenset({"Succeeded", "Failed"})
"""Phases of a pod that will never run again, such as an evicted one: its ReplicaSet has replaced it."""
FIRST_STATUS = timedelta(seconds=2)
"""So soon after its start a node has said for the first time that a pod is not ready; later, it was ready before."""


def seen_pod(found: Json, min_ready: timedelta, now: datetime) -> Pod:
    """The pod; available once it has been ready for `min_ready`, whatever the clocks say where that is 0.

    `ready_at` of a pod that is not ready any more is the moment at which it ceased to be, and None only where it
    never was ready. Of a container that was last killed for its memory all earlier terminations count as such.
    """
    metadata, status = found["metadata"], decompressed(found.get("status"))
    conditions = {str(one["type"]): one for one in status.get("conditions") or ()}
    created = moment(metadata["creationTimestamp"])
    containers = tuple(_containers(status))
    ready_at = _ready_at(conditions.get("Ready"), moment(status.get("startTime") or metadata["creationTimestamp"]))
    ready = (conditions.get("Ready") or {}).get("status") == "True"
    return Pod(
        name=metadata["name"],
        created_at=created,
        ready=ready,
        available=ready and (not min_ready or (ready_at is not None and now - ready_at >= min_ready)),
        ready_at=ready_at,
        deleted="deletionTimestamp" in metadata or status.get("phase") in OVER,
        restarts=sum(int(one.get("restartCount") or 0) for one in containers),
        out_of_memory=max((_memory_kills(one) for one in containers), default=0),
        waiting=_waiting(containers),
        unschedulable=_unschedulable(conditions.get("PodScheduled")),
        last_termination=_last_termination(status),
        images=_digests(status),
    )


def moment(text: str) -> datetime:
    """A time of the API server, aware, in UTC."""
    return datetime.fromisoformat(text)


def _containers(status: Json) -> Iterator[Json]:
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _ready_at(condition: Json | None, started: datetime) -> datetime | None:
    if condition is None or not condition.get("lastTransitionTime"):
        return None
    changed = moment(condition["lastTransitionTime"])
    ever = condition.get("status") == "True" or changed > started + FIRST_STATUS
    return changed if ever else None


def _terminations(container: Json) -> Iterator[Json]:
    """The latest first."""
    for name in ("state", "lastState"):
        terminated = (container.get(name) or {}).get("terminated")
        if terminated:
            yield terminated


def _memory_kills(container: Json) -> int:
    latest = next(_terminations(container), None)
    if latest is None or latest.get("reason") != OUT_OF_MEMORY:
        return 0
    # A restart counts once the container runs again.
    ended = bool((container.get("state") or {}).get("terminated"))
    return max(1, int(container.get("restartCount") or 0) + ended)


def _waiting(containers: tuple[Json, ...]) -> str | None:
    reasons = [str(waiting.get("reason") or "") for one in containers if (waiting := _state(one, "waiting"))]
    return next((reason for reason in reasons if reason and reason not in STARTING), reasons[0] if reasons else None)


def _state(container: Json, name: str) -> Json | None:
    return (container.get("state") or {}).get(name) or None


def _unschedulable(condition: Json | None) -> str | None:
    if condition is None or condition.get("status") != "False":
        return None
    return str(condition.get("message") or condition.get("reason") or "no reason given by the scheduler")


def _last_termination(status: Json) -> str | None:
    """Of all containers, how the one that ended last did; an init container that has done its work is no failure."""
    done = [end for one in status.get("initContainerStatuses") or () for end in _terminations(one) if end["exitCode"]]
    ended = done + [end for one in status.get("containerStatuses") or () for end in _terminations(one)]
    if not ended:
        return None
    last = max(ended, key=lambda end: str(end.get("finishedAt") or ""))
    message = str(last.get("message") or "").strip()
    said = f"{last.get('reason') or 'Error'} (exit code {last.get('exitCode', 'unknown')})"
    return f"{said}: {message}" if message else said


def _digests(status: Json) -> Mapping[str, str]:
    """By container, the part of `registry/image@sha256:...` after the @; an image that was only loaded has none."""
    named = ((str(one["name"]), str(one.get("imageID") or "")) for one in status.get("containerStatuses") or ())
    return {name: image.rpartition("@")[2] for name, image in named if "@sha256:" in image}
