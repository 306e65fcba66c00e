"""Hard failures: what the status of pods and Deployments shows. Rules, not statistical tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzer.decision.wording import counted
from analyzer.model.duration import show_duration
from analyzer.model.moments import short_duration
from analyzer.model.workload import Pod, Workload

CRASHES = 2
"""Restarts from which a crash loop is a hard failure, and out-of-memory kills from which they are one."""

_LAST_SHOWN = 300
"""Characters of a container's last exit that go into a reason; a termination message may be 4 KiB."""

_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


@dataclass(frozen=True, slots=True)
class HardFailure:
    """A failure of one side. `kind` is compared between the sides; `reason` is for people."""

    kind: str
    reason: str


def hard_failures(
    workload: Workload, now: datetime, ready_within: timedelta, crashes: int = CRASHES
) -> Iterator[HardFailure]:
    """The failures of a side now; those that count at once come first. A pod in back-off counts from `crashes` restarts
    on."""
    for pod in workload.pods:
        if not pod.deleted:
            yield from _at_once(pod, crashes)
    if workload.progress_deadline_exceeded:
        last = next(filter(None, (_last_exit(pod) for pod in workload.pods)), None)
        yield HardFailure("ProgressDeadlineExceeded", f"{workload.name} exceeded its progress deadline{_noted(last)}")
    for pod in workload.pods:
        if not pod.deleted and not pod.ready and now - pod.created_at >= ready_within:
            yield from _too_late(pod, ready_within)


def _at_once(pod: Pod, crashes: int) -> Iterator[HardFailure]:
    last = _last_exit(pod)
    if pod.waiting == "CrashLoopBackOff" and pod.restarts >= crashes:
        restarts = counted(pod.restarts, "restart")
        yield HardFailure("CrashLoopBackOff", f"pod {pod.name} is crash-looping{_noted(restarts, last)}")
    if pod.out_of_memory >= CRASHES:
        yield HardFailure("OOMKilled", f"pod {pod.name} was OOM-killed {pod.out_of_memory} times{_noted(last)}")
    if pod.waiting == "CreateContainerConfigError":
        yield HardFailure(pod.waiting, f"pod {pod.name} cannot start: {pod.waiting}{_noted(last)}")


def _too_late(pod: Pod, ready_within: timedelta) -> Iterator[HardFailure]:
    length = show_duration(ready_within)
    if pod.unschedulable is not None:
        yield HardFailure(
            "Unschedulable", f"pod {pod.name} could not be scheduled within {length}: {pod.unschedulable}"
        )
    elif pod.waiting in _IMAGE:
        yield HardFailure("ImagePull", f"pod {pod.name} could not pull its image within {length}: {pod.waiting}")
    elif pod.ready_at is None:
        reason = f"pod {pod.name} did not become ready within {length}{_noted(_last_exit(pod))}"
        yield HardFailure("NeverReady", reason)


def _last_exit(pod: Pod) -> str | None:
    """The container's last termination, on one line."""
    text = " ".join((pod.last_termination or "").split())
    if not text:
        return None
    return f"last exit: {text if len(text) <= _LAST_SHOWN else text[:_LAST_SHOWN] + '...'}"


def _noted(*details: str | None) -> str:
    known = "; ".join(filter(None, details))
    return f" ({known})" if known else ""


def replica_failure(workload: Workload, lasting: timedelta) -> Iterator[HardFailure]:
    """A side whose pods cannot be created, as with an exhausted quota; `lasting` is for how long by now."""
    if workload.replica_failure is not None:
        length = short_duration(lasting)
        reason = f"pods of {workload.name} could not be created for {length}: {workload.replica_failure}"
        yield HardFailure("ReplicaFailure", reason)
