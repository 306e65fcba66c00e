"""The whole lab in one object, and the address by which other processes reach it.

Tests that hurt the cluster make a `Lab` of their own; all others share one that runs in a process of its own
(`shared`) and know it by its `LabAddress`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.e2e.lab.api import LabApi, path_of
from tests.e2e.lab.control_plane import ControlPlane, read_audit
from tests.e2e.lab.credentials import grant_home, grant_targets
from tests.e2e.lab.errors import LabError
from tests.e2e.lab.kubelet import Kubelet
from tests.e2e.lab.prometheus import LabPrometheus
from tests.e2e.lab.tools import find_tool

NODE = "lab-node"
KUBECTL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class LabAddress:
    """Where a running lab is: all that a test or a person needs. `folder` holds the logs of every part."""

    folder: str
    server: str
    kubectl: str
    prometheus: str

    def kubeconfig(self, user: str = "admin") -> Path:
        """For `admin`, or for the analyzer: `analyzer`, and `analyzer-second` for a second daemon."""
        return Path(self.folder) / f"{user}.kubeconfig"

    def api(self, user: str = "admin") -> LabApi:
        """A client for one thread."""
        return LabApi.from_kubeconfig(self.kubeconfig(user))

    def run_kubectl(self, *arguments: str, namespace: str = "default", stdin: str | None = None) -> str:
        """What kubectl printed, as admin. Raises LabError with what it complained about."""
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig()), "--namespace", namespace, *arguments]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": self.folder}
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            timeout=KUBECTL_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def make_namespace(self, name: str, *, home: bool = False) -> str:
        """A namespace of its own for a test; `home` lets the analyzer's user keep its documents and Lease there."""
        api = self.api()
        api.create(path_of("namespaces"), {"metadata": {"name": name}})
        if home:
            grant_home(api, name)
        api.close()
        return name

    def audit(self, user_uid: str | None = None, namespace: str = "") -> list[Mapping[str, Any]]:
        """What the analyzer's user asked the API server for, oldest answer first; writes with their body.

        `user_uid` tells two daemons apart: `first` has the kubeconfig `analyzer`, `second` has `analyzer-second`.
        """
        events = read_audit(Path(self.folder) / "audit.log", namespace)
        return [event for event in events if user_uid in (None, event["user"].get("uid"))]

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> LabAddress:
        """Read such a line."""
        return cls(**json.loads(line))


class Lab:
    """A context manager: up when entered, everything gone when left. `folder` must exist and should be empty."""

    def __init__(self, folder: Path, scrape_interval: float = 1.0) -> None:
        self._folder = folder.resolve()
        self._scrape_interval = scrape_interval
        self.control_plane = ControlPlane(self._folder)
        self._stops: list[Callable[[], None]] = []
        self._prometheus: LabPrometheus | None = None

    @property
    def address(self) -> LabAddress:
        """How to reach it."""
        kubectl = str(find_tool("kubectl"))
        return LabAddress(str(self._folder), self.control_plane.server, kubectl, self.prometheus.url)

    @property
    def prometheus(self) -> LabPrometheus:
        """Its Prometheus, once entered."""
        if self._prometheus is None:
            raise LabError("the lab is not running: use it in a `with`")
        return self._prometheus

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take it down, last part first. Stopping twice does no harm."""
        while self._stops:
            self._stops.pop()()

    def _start(self) -> None:
        self._stops.append(self.control_plane.stop)
        self.control_plane.start()
        api = self.control_plane.api()
        grant_targets(api)
        kubelet = Kubelet(api, NODE, self._folder)
        self._stops.append(kubelet.stop)
        kubelet.start()
        self._prometheus = LabPrometheus(self._folder, self.control_plane.kubeconfig("lab"), self._scrape_interval)
        self._stops.append(self._prometheus.stop)
        self._prometheus.start()


def wait_until(condition: Callable[[], object], seconds: float = 30.0, what: str = "what was waited for") -> None:
    """Look again and again. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:g} s"
        time.sleep(0.1)
