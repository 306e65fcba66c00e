"""Which pods a Deployment has to add or remove now: a pure rule, asked by `controller` at each step.

A rolling update adds one pod above `replicas` at a time and takes none away before another is available
(maxSurge 1, maxUnavailable 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MAX_SURGE = 1


@dataclass(frozen=True, slots=True)
class PodView:
    """One pod that is not being deleted, as the rule sees it; `version` is the hash of its template."""

    name: str
    version: str
    created_at: datetime
    ready: bool
    available: bool


@dataclass(frozen=True, slots=True)
class PodChanges:
    """How many pods of the present version to create, and which pods to delete."""

    create: int = 0
    delete: tuple[str, ...] = ()


def pod_changes(replicas: int, version: str, pods: Sequence[PodView]) -> PodChanges:
    """The next changes on the way to `replicas` available pods of `version`; none when that is reached."""
    present = [pod for pod in pods if pod.version == version]
    former = [pod for pod in pods if pod.version != version]
    surplus = max(0, len(present) - replicas)
    surge = MAX_SURGE if former else 0
    return PodChanges(
        create=max(0, min(replicas - len(present), replicas + surge - len(pods))),
        delete=(*_least_useful(present)[:surplus], *_replaced(replicas, pods, former)),
    )


def _replaced(replicas: int, pods: Sequence[PodView], former: list[PodView]) -> tuple[str, ...]:
    spare = max(0, sum(pod.available for pod in pods) - replicas)
    useless = [pod.name for pod in former if not pod.available]
    return (*useless, *_least_useful([pod for pod in former if pod.available])[:spare])


def _least_useful(pods: Sequence[PodView]) -> tuple[str, ...]:
    newest_first = sorted(pods, key=lambda pod: pod.created_at, reverse=True)
    return tuple(pod.name for pod in sorted(newest_first, key=lambda pod: (pod.available, pod.ready)))
