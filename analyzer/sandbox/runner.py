"""The one runner of pods as processes; it knows nothing of Deployments.

`kubelet` keeps pods alive on top of it. A pod's process holds the reading end of a pipe as its standard input
and ends when the pipe closes, so no pod outlives its parent, however the parent dies.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from analyzer.sandbox.addresses import PodAddress

POD_PROGRAM = (sys.executable, "-P", "-m", "analyzer.sandbox.pod")
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
PROBE_TIMEOUT = 0.5  # seconds that a pod may take to say whether it is ready
_PROBE = b"GET /ready HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"


def program_env(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program of ours: nothing of the user's but the path, as in a container."""
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(PACKAGE_ROOT), **extra}


@dataclass(frozen=True, slots=True)
class PodSpec:
    """One pod to run: its name, its address, and the environment that its container asks for."""

    name: str
    namespace: str
    address: PodAddress
    env: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """The container's environment and what a pod learns about itself."""
        own = {
            "POD_NAME": self.name,
            "POD_NAMESPACE": self.namespace,
            "POD_IP": self.address.host,
            "PORT": str(self.address.port),
            "METRICS_PORT": str(self.address.metrics_port),
        }
        return program_env({**self.env, **own})


class PodProcess:
    """A pod's process, which may be started again after it has ended. Not thread-safe."""

    def __init__(self, spec: PodSpec, program: Sequence[str], log: Path) -> None:
        self.spec = spec
        self.starts = 0
        self._program = program
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._process.pid if self._process else None

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self.starts - 1)

    def start(self) -> None:
        """Start it, the first time or again. Raises OSError."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._program,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.spec.environment(),
                start_new_session=True,  # Ctrl-C in the terminal is for the parent, which stops its pods
            )
        self.starts += 1

    def exit_status(self) -> int | None:
        """How it ended, negative for a signal; None while it runs and before its first start."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is not None and self._process.stdin is not None:
            self._process.stdin.close()
        return status

    def is_ready(self) -> bool:
        """Whether it answers its readiness check with 200 within half a second."""
        address = (self.spec.address.host, self.spec.address.port)
        try:
            with socket.create_connection(address, PROBE_TIMEOUT) as connection:
                connection.sendall(_PROBE)
                return connection.recv(64).startswith(b"HTTP/1.1 200 ")
        except OSError:
            return False

    def terminate(self) -> None:
        """Ask it to finish what it is doing and leave. Does not wait."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End it at once. Does not wait."""
        if self._process is not None:
            self._process.kill()

    def stop(self, grace: float) -> None:
        """End it, by force after `grace` seconds, and wait until it is gone."""
        if self._process is None:
            return
        self.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.kill()
        self._process.wait()
        self.exit_status()


class PodRunner:
    """Makes pod processes. Their output goes to one file per pod in `logs`, a folder that exists."""

    def __init__(self, logs: Path, program: Sequence[str] = POD_PROGRAM) -> None:
        self._logs = logs
        self._program = program

    def prepare(self, spec: PodSpec) -> PodProcess:
        """A pod that is not started yet."""
        return PodProcess(spec, self._program, self._logs / f"{spec.name}.log")

    def start(self, spec: PodSpec) -> PodProcess:
        """Start a pod. Raises OSError."""
        pod = self.prepare(spec)
        pod.start()
        return pod
