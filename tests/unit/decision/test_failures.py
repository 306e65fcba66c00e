"""Hard failures: which signs count at once, which need patience, and which do not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.decision.failures import hard_failures
from analyzer.model.workload import Pod, Template, Workload

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=5)


def kinds(*pods: Pod, stalled: bool = False) -> list[str]:
    workload = Workload("c", "u", 1, 1, 1, 0, Template("v", {}), {}, pods, progress_deadline_exceeded=stalled)
    return [failure.kind for failure in hard_failures(workload, NOW, PATIENCE)]


def pod(age: float = 10, **changes: Any) -> Pod:
    return Pod(**{"name": "c-1", "created_at": NOW - timedelta(seconds=age), **changes})


@pytest.mark.parametrize(
    ("sign", "kind"),
    [
        ({"waiting": "CrashLoopBackOff", "restarts": 2}, "CrashLoopBackOff"),
        ({"out_of_memory": 2}, "OOMKilled"),
        ({"waiting": "CreateContainerConfigError"}, "CreateContainerConfigError"),
    ],
)
def test_counts_at_once(sign: dict[str, Any], kind: str) -> None:
    assert kinds(pod(age=1, **sign)) == [kind]
    assert kinds(pod(age=1, deleted=True, **sign)) == []


@pytest.mark.parametrize(
    "sign",
    [
        {"waiting": "CrashLoopBackOff", "restarts": 1},
        {"restarts": 5},  # restarted, but not looping now
        {"out_of_memory": 1},
        {"waiting": "ContainerCreating"},
        {"unschedulable": "0/3 nodes are available"},
        {"waiting": "ImagePullBackOff"},
    ],
)
def test_does_not_count_yet(sign: dict[str, Any]) -> None:
    assert kinds(pod(age=299, **sign)) == []


@pytest.mark.parametrize(
    ("sign", "kind"),
    [
        ({"unschedulable": "0/3 nodes are available"}, "Unschedulable"),
        ({"waiting": "ImagePullBackOff"}, "ImagePull"),
        ({"waiting": "ErrImagePull"}, "ImagePull"),
        ({}, "NeverReady"),
    ],
)
def test_counts_after_ready_within(sign: dict[str, Any], kind: str) -> None:
    assert kinds(pod(age=300, **sign)) == [kind]
    assert kinds(pod(age=300, ready=True, **sign)) == []


def test_a_pod_that_was_ready_once_is_not_never_ready() -> None:
    assert kinds(pod(age=3000, ready_at=NOW - timedelta(seconds=2000))) == []


def test_a_progress_deadline_counts_at_once() -> None:
    assert kinds(stalled=True) == ["ProgressDeadlineExceeded"]


def test_says_which_pod_and_how_it_ended() -> None:
    workload = Workload(
        "c",
        "u",
        1,
        1,
        1,
        0,
        Template("v", {}),
        {},
        (pod(waiting="CrashLoopBackOff", restarts=3, last_termination="exit code 137"),),
    )
    (failure,) = hard_failures(workload, NOW, PATIENCE)
    assert failure.reason == "pod c-1 is crash-looping (3 restarts; last exit: exit code 137)"


def test_last_words_are_one_short_line() -> None:
    workload = Workload(
        "c",
        "u",
        1,
        1,
        1,
        0,
        Template("v", {}),
        {},
        (pod(age=300, last_termination="exit code 1:\n panic: " + "x" * 4000),),
        progress_deadline_exceeded=True,
    )
    deadline, never = (failure.reason for failure in hard_failures(workload, NOW, PATIENCE))
    assert deadline.startswith("c exceeded its progress deadline (last exit: exit code 1: panic: xxx")
    assert never.startswith("pod c-1 did not become ready within 5m (last exit: exit code 1: panic: xxx")
    assert len(never) < 400
