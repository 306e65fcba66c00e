"""Pods as the API server reports them, and what the model makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.actuation.pods import seen_pod
from analyzer.model.workload import Pod

NOW = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
STARTED = "2026-03-02T09:00:00Z"


def seen(
    conditions: list[dict[str, Any]] | None = None,
    *containers: dict[str, Any],
    init: dict[str, Any] | None = None,
    min_ready: float = 0,
    **status: Any,
) -> Pod:
    """A pod that started an hour ago."""
    found = {
        "metadata": {"name": "shop-1", "creationTimestamp": STARTED},
        "status": {
            "phase": "Running",
            "startTime": STARTED,
            "conditions": conditions or [],
            "containerStatuses": list(containers),
            "initContainerStatuses": [init] if init else [],
            **status,
        },
    }
    return seen_pod(found, timedelta(seconds=min_ready), NOW)


def ready(status: str, since: str) -> list[dict[str, Any]]:
    return [{"type": "Ready", "status": status, "lastTransitionTime": since}]


def container(restarts: int = 0, **changes: Any) -> dict[str, Any]:
    return {"name": "app", "restartCount": restarts, "imageID": "", "state": {"running": {}}, **changes}


def ended(reason: str, code: int = 1, at: str = "2026-03-02T09:30:00Z", **more: Any) -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code, "finishedAt": at, **more}}


def test_a_ready_pod_is_ready_since_its_condition_turned() -> None:
    pod = seen(ready("True", "2026-03-02T09:10:00Z"))
    assert (pod.ready, pod.available) == (True, True)
    assert pod.ready_at == datetime(2026, 3, 2, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize(("since", "available"), [("2026-03-02T09:59:31Z", False), ("2026-03-02T09:59:30Z", True)])
def test_a_pod_is_available_after_min_ready_seconds(since: str, *, available: bool) -> None:
    pod = seen(ready("True", since), min_ready=30)
    assert (pod.ready, pod.available) == (True, available)


def test_without_min_ready_seconds_a_ready_pod_is_available_though_its_clock_is_ahead() -> None:
    assert seen(ready("True", "2026-03-02T10:00:30Z")).available
    assert not seen(ready("False", "2026-03-02T10:00:30Z")).available


def test_a_pod_that_was_never_ready_has_no_ready_at() -> None:
    assert seen(ready("False", STARTED)).ready_at is None
    assert seen([]).ready_at is None


def test_a_pod_that_is_not_ready_any_more_was_ready_once() -> None:
    pod = seen(ready("False", "2026-03-02T09:40:00Z"))
    assert not pod.ready
    assert pod.ready_at == datetime(2026, 3, 2, 9, 40, tzinfo=UTC)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_an_evicted_pod_counts_as_gone(phase: str) -> None:
    assert seen([], phase=phase).deleted


def test_restarts_of_all_containers_add_up() -> None:
    assert seen([], container(2), container(1), init=container(1)).restarts == 4


@pytest.mark.parametrize(
    ("one", "kills"),
    [
        (container(1, lastState=ended("OOMKilled", 137)), 1),
        (container(2, lastState=ended("OOMKilled", 137)), 2),
        (container(1, state=ended("OOMKilled", 137), lastState=ended("OOMKilled", 137)), 2),
        (container(3, lastState=ended("Error")), 0),
        (container(1, state=ended("Error"), lastState=ended("OOMKilled", 137)), 0),
        (container(), 0),
    ],
)
def test_kills_for_memory_are_counted_where_the_last_end_was_one(one: dict[str, Any], kills: int) -> None:
    assert seen([], one).out_of_memory == kills


def test_the_waiting_reason_of_a_failing_container_comes_first() -> None:
    starting = container(state={"waiting": {"reason": "ContainerCreating"}})
    failing = container(state={"waiting": {"reason": "ImagePullBackOff"}})
    assert seen([], starting, failing).waiting == "ImagePullBackOff"
    assert seen([], starting).waiting == "ContainerCreating"
    assert seen([], container()).waiting is None


def test_an_init_container_can_crash_too() -> None:
    init = container(3, state={"waiting": {"reason": "CrashLoopBackOff"}})
    waiting = container(state={"waiting": {"reason": "PodInitializing"}})
    assert seen([], waiting, init=init).waiting == "CrashLoopBackOff"


def test_the_last_termination_has_reason_code_and_message() -> None:
    crashed = container(1, lastState=ended("Error", 2, message="panic: no database\n"))
    assert seen([], crashed).last_termination == "Error (exit code 2): panic: no database"


def test_the_latest_of_several_terminations_is_told() -> None:
    early = container(1, lastState=ended("Error", 1, "2026-03-02T09:10:00Z"))
    late = container(1, lastState=ended("OOMKilled", 137, "2026-03-02T09:20:00Z"))
    assert seen([], late, early).last_termination == "OOMKilled (exit code 137)"


def test_an_init_container_that_did_its_work_is_no_termination() -> None:
    assert seen([], container(), init=container(state=ended("Completed", 0))).last_termination is None


def test_an_unschedulable_pod_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    assert seen([condition]).unschedulable == "0/3 nodes"
    assert seen([{**condition, "status": "True"}]).unschedulable is None


def test_digests_leave_out_the_images_name_and_images_without_one() -> None:
    known = container(imageID="docker-pullable://registry.example/shop@sha256:abc")
    loaded = container(name="sidecar", imageID="sha256:def")
    assert seen([], known, loaded).images == {"app": "sha256:abc"}
