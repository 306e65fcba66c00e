"""The one container of a pod: the sandbox's process, and how it fails when the template's environment says so.

`kubelet` keeps one for each pod. What the pod's own program does with its environment is in `analyzer.sandbox.pod`
(VERSION, ERROR_RATE, ERRORS_WHEN, LATENCY_MS, START_DELAY, CRASH_AFTER, CRASH_WHEN, NEVER_READY); in addition, here:

IMAGE_PULL_FAILS=1       never starts: ImagePullBackOff
CONFIG_ERROR=1           never starts: CreateContainerConfigError
OOM_AFTER=2              killed after 2 s, as OOMKilled
NOT_READY_AFTER=5        stops being ready after 5 s
NOT_READY_FOR=3          ... and is ready again 3 s later
TERMINATION_MESSAGE=...  what it leaves in /dev/termination-log
MIXED_DIGESTS=1          pods of one template run different images
HOLLOW=1                 no process at all: ready at once, serves nobody
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analyzer.sandbox.addresses import PodAddress
from analyzer.sandbox.kubelet import NO_START, Process
from analyzer.sandbox.runner import PodRunner, PodSpec

Json = dict[str, Any]
MESSAGE_LENGTH = 2048
OOM_STATUS = -9


@dataclass(frozen=True, slots=True)
class Termination:
    """How the container ended last."""

    exit_code: int
    reason: str
    message: str
    started_at: datetime
    finished_at: datetime

    def to_json(self) -> Json:
        """As in a container's status."""
        return {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "message": self.message,
            "startedAt": rfc3339(self.started_at),
            "finishedAt": rfc3339(self.finished_at),
        }


class Hollow:
    """Stands in for a process where only the API objects matter."""

    def __init__(self) -> None:
        self._status: int | None = None

    def start(self) -> None:
        self._status = None

    def exit_status(self) -> int | None:
        return self._status

    def is_ready(self) -> bool:
        return True

    def terminate(self) -> None:
        self._status = 0

    kill = terminate


class Container:
    """A `kubelet.Process` that fails as told. Not thread-safe; `last` and `blocked` may be read by anyone."""

    def __init__(self, pod: Json, address: PodAddress, runner: PodRunner, logs: Path) -> None:
        self.spec: Json = pod["spec"]["containers"][0]
        self.env = environment(self.spec, pod, address)
        self.last: Termination | None = None
        self.blocked: str | None = None
        self.started_at = datetime.now(UTC)
        self._name: str = pod["metadata"]["name"]
        self._log = logs / f"{self._name}.log"
        prepared = PodSpec(self._name, pod["metadata"]["namespace"], address, self.env)
        self._process: Process = Hollow() if "HOLLOW" in self.env else runner.prepare(prepared)
        self._began = 0.0
        self._out_of_memory = False

    @property
    def image_id(self) -> str:
        """The digest of what runs."""
        image = self.spec["image"]
        seed = f"{image} {self._name}" if "MIXED_DIGESTS" in self.env else image
        return f"{image.rpartition(':')[0] or image}@sha256:{hashlib.sha256(seed.encode()).hexdigest()}"

    def start(self) -> None:
        """Start it. Raises OSError, where it never can."""
        for variable, reason in (
            ("IMAGE_PULL_FAILS", "ImagePullBackOff"),
            ("CONFIG_ERROR", "CreateContainerConfigError"),
        ):
            if variable in self.env:
                self.blocked = reason
                raise OSError(reason)
        self._process.start()
        self._out_of_memory = False
        self._began, self.started_at = time.monotonic(), datetime.now(UTC)

    def exit_status(self) -> int | None:
        """How it ended, or None."""
        if self._began == 0.0:
            return None
        status = self._process.exit_status()
        if status is None:
            if self._age > float(self.env.get("OOM_AFTER", "inf")):
                self._out_of_memory = True
                self._process.kill()
            return None
        if self.last is None or self.last.started_at != self.started_at:
            self.last = self._termination(status)
        return status

    def is_ready(self) -> bool:
        """Its readiness check."""
        after = float(self.env.get("NOT_READY_AFTER", "inf"))
        if after < self._age < after + float(self.env.get("NOT_READY_FOR", "inf")):
            return False
        return self._process.is_ready()

    def terminate(self) -> None:
        """Ask it to leave."""
        if self._began:
            self._process.terminate()

    def kill(self) -> None:
        """End it."""
        if self._began:
            self._process.kill()

    def waiting(self, reason: str) -> Json:
        """The `waiting` part of its status; `reason` as the kubelet's life of a pod has it."""
        shown = self.blocked if reason == NO_START and self.blocked else reason
        return {"reason": shown, "message": f"back-off of {self.spec['name']} in {self._name}"}

    @property
    def _age(self) -> float:
        return time.monotonic() - self._began

    def _termination(self, status: int) -> Termination:
        code = status if status >= 0 else 128 - status
        reason = "OOMKilled" if self._out_of_memory else "Error" if code else "Completed"
        return Termination(code, reason, self._message(code), self.started_at, datetime.now(UTC))

    def _message(self, code: int) -> str:
        if "TERMINATION_MESSAGE" in self.env:
            return self.env["TERMINATION_MESSAGE"]
        if code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError" and self._log.exists():
            return self._log.read_text(encoding="utf-8", errors="replace")[-MESSAGE_LENGTH:]
        return ""


def environment(container: Json, pod: Json, address: PodAddress) -> Mapping[str, str]:
    """What the container finds in its environment; VERSION is the image's tag where the template has none."""
    fields = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "status.podIP": address.host,
    }
    tag = container["image"].rpartition(":")[2]
    given = {"VERSION": tag}
    for entry in container.get("env", ()):
        field = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        given[entry["name"]] = fields.get(field, "") if field else entry.get("value", "")
    return given


def rfc3339(moment: datetime) -> str:
    """As Kubernetes writes moments: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
