"""The Service in front of the pods: feeds the traffic program with endpoints and keeps the counts it reports.

`controller` calls `route` when the ready pods change; the demo reads `counts` and `hurt`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Any

from analyzer.model.errors import SandboxError
from analyzer.sandbox.counts import Endpoint, TrafficCounts
from analyzer.sandbox.runner import program_env

HISTORY = 3600  # counts are kept for the last hour, one per second
_STOP_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Users' requests to one version: all, answered by 500 and above, and not answered at all."""

    requests: int = 0
    errors: int = 0
    failures: int = 0
    first_served: datetime | None = None

    @property
    def hurt(self) -> int:
        """Users who did not get what they came for."""
        return self.errors + self.failures


def tally(counts: TrafficCounts, *, version: str | None = None, deployment: str | None = None) -> Tally:
    """Add up the pods of a version, or of a Deployment, or of both."""
    chosen = [pod for pod in counts.pods if version in (None, pod.version) and deployment in (None, pod.deployment)]
    first = min((pod.first_served for pod in chosen if pod.first_served is not None), default=None)
    return Tally(
        requests=sum(pod.requests for pod in chosen),
        errors=sum(pod.errors for pod in chosen),
        failures=sum(pod.failures for pod in chosen),
        first_served=None if first is None else datetime.fromtimestamp(first, UTC),
    )


class Service:
    """Runs the traffic program. Thread-safe; `stop` may be called at any time, also before `start`."""

    def __init__(self, rps: float, seed: int) -> None:
        self._command = (
            sys.executable,
            "-P",
            "-m",
            "analyzer.sandbox.traffic",
            f"--rps={rps}",
            f"--seed={seed}",
        )
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._history: deque[TrafficCounts] = deque([TrafficCounts()], maxlen=HISTORY)

    @property
    def pid(self) -> int | None:
        """The program's process id, once started."""
        return self._process.pid if self._process else None

    @property
    def counts(self) -> TrafficCounts:
        """The latest counts, at most about a second old."""
        return self._history[-1]

    @property
    def history(self) -> Sequence[TrafficCounts]:
        """One reading per second, oldest first."""
        return tuple(self._history)

    def start(self) -> None:
        """Start the program; it waits for endpoints. Raises SandboxError."""
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=program_env({}),
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"cannot start the traffic program with {sys.executable}: {error}") from error
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), name="traffic", daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """End the program; its last counts are read before this returns."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        with self._lock, suppress(OSError):
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT)
        process.kill()
        process.wait()
        if self._reader is not None:
            self._reader.join()
        process.stdout.close()

    def route(self, endpoints: Sequence[Endpoint]) -> None:
        """Send users to these pods and to no others."""
        self._order({"endpoints": [asdict(endpoint) for endpoint in endpoints]})

    def rate(self, rps: float) -> None:
        """Change how many users arrive per second; 0 for none."""
        self._order({"rps": rps})

    def hurt(self, version: str) -> int:
        """Users whom this version has failed so far. Stands still once the version is out of service."""
        return tally(self.counts, version=version).hurt

    def _order(self, order: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        # A program that has ended shows in counts that stand still; whoever reports ready pods cannot mend it.
        with self._lock, suppress(OSError, ValueError):
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._history.append(TrafficCounts.from_json(line))
