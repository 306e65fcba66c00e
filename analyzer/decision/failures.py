"""Hard failures: what pods and Deployments say about themselves. Rules, not tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzer.model.duration import show_duration
from analyzer.model.workload import Pod, Workload

CRASHES = 2
"""Restarts from which a crash loop, and out-of-memory kills from which memory, is a hard failure."""

_LAST_SHOWN = 300
"""Characters of a container's last words that go into a reason; a termination message may be 4 KiB."""

_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


@dataclass(frozen=True, slots=True)
class HardFailure:
    """A failure of one side. `kind` is compared between the sides; `reason` is for people."""

    kind: str
    reason: str


def hard_failures(
    workload: Workload, now: datetime, ready_within: timedelta, crashes: int = CRASHES
) -> Iterator[HardFailure]:
    """What is wrong with a side now; failures that need no patience first. A pod in back-off counts from so many
    `crashes` on."""
    for pod in workload.pods:
        if not pod.deleted:
            yield from _at_once(pod, crashes)
    if workload.progress_deadline_exceeded:
        last = next(filter(None, (_last_words(pod) for pod in workload.pods)), "")
        yield HardFailure("ProgressDeadlineExceeded", f"{workload.name}: its progress deadline is exceeded{last}")
    for pod in workload.pods:
        if not pod.deleted and not pod.ready and now - pod.created_at >= ready_within:
            yield from _too_late(pod, ready_within)


def _at_once(pod: Pod, crashes: int) -> Iterator[HardFailure]:
    last = _last_words(pod)
    if pod.waiting == "CrashLoopBackOff" and pod.restarts >= crashes:
        yield HardFailure("CrashLoopBackOff", f"pod {pod.name} crashes again and again ({pod.restarts} restarts{last})")
    if pod.out_of_memory >= CRASHES:
        yield HardFailure("OOMKilled", f"pod {pod.name} was killed {pod.out_of_memory} times for its memory{last}")
    if pod.waiting == "CreateContainerConfigError":
        yield HardFailure("CreateContainerConfigError", f"pod {pod.name}: its container can't be configured{last}")


def _too_late(pod: Pod, ready_within: timedelta) -> Iterator[HardFailure]:
    after = f"for {show_duration(ready_within)}"
    if pod.unschedulable is not None:
        yield HardFailure("Unschedulable", f"pod {pod.name} can't be scheduled {after}: {pod.unschedulable}")
    elif pod.waiting in _IMAGE:
        yield HardFailure("ImagePull", f"pod {pod.name} can't get its image {after} ({pod.waiting})")
    elif pod.ready_at is None:
        yield HardFailure("NeverReady", f"pod {pod.name} did not become ready {after}{_last_words(pod)}")


def _last_words(pod: Pod) -> str:
    """What the container's last termination said, on one line."""
    text = " ".join((pod.last_termination or "").split())
    if not text:
        return ""
    return f"; last termination: {text if len(text) <= _LAST_SHOWN else text[:_LAST_SHOWN] + '...'}"


def refusal(workload: Workload, lasting: timedelta) -> Iterator[HardFailure]:
    """A side whose pods can't even be created, as when a quota is used up; `lasting` is for how long by now."""
    if workload.replica_failure is not None:
        why = f"pods can't be created for {show_duration(lasting)}: {workload.replica_failure}"
        yield HardFailure("ReplicaFailure", f"{workload.name}: {why}")
