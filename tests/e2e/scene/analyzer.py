"""The daemon under test: the real program as a process of its own, as the user that has the chart's rules."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from analyzer.sandbox.loopback import LOOPBACK, free_ports
from tests.e2e.lab.lab import LabAddress, wait_until
from tests.e2e.lab.program import Program

PROGRAM: Sequence[str] = (str(Path(sys.executable).with_name("canary-analyzer")),)
KILL_VARIABLE = "CANARY_ANALYZER_KILL_AT"
START_SECONDS = 60.0


class Analyzer:
    """One daemon. `user` is the name of a kubeconfig of the lab; `home` the namespace of its documents and Lease;
    `program` what is run: another version, for instance.

    Its log, one JSON object a line, is `<folder>/<user>.log`, and goes on over restarts.
    """

    def __init__(
        self,
        lab: LabAddress,
        folder: Path,
        home: str,
        config: Path,
        user: str = "analyzer",
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.user = user
        self._port = free_ports(1)[0]
        command = [
            *program,
            "run",
            f"--config={config}",
            f"--kubeconfig={lab.kubeconfig(user)}",
            f"--analyzer-namespace={home}",
            f"--listen={LOOPBACK}:{self._port}",
            "--log-format=json",
        ]
        self._program = Program(user, command, folder)

    @property
    def running(self) -> bool:
        """Is the process there?"""
        return self._program.running

    @property
    def frozen(self) -> bool:
        """Does it stand still, by `freeze` or by its own switch?"""
        return self._program.frozen

    @property
    def exit_status(self) -> int | None:
        """How it ended by itself, 137 after SIGKILL; None while it runs."""
        return self._program.exit_status

    @property
    def url(self) -> str:
        """Where it answers /livez, /readyz and /metrics."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def log_file(self) -> Path:
        """All that it wrote."""
        return self._program.log

    def start(self, kill_at: str | None = None) -> None:
        """Start the process, also after it ended. `kill_at`, such as `before:3` or `after:patch Deployment:2`, lets it
        die by SIGKILL around that write; `freeze-before:...` lets it stand still there."""
        self._program.start({} if kill_at is None else {KILL_VARIABLE: kill_at})

    def stop(self) -> None:
        """SIGTERM, as a node sends it (and SIGKILL after five seconds); it is gone when this returns."""
        self._program.stop()

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._program.signal(signal.SIGKILL)
        self.wait_for_death(10)

    def freeze(self) -> None:
        """SIGSTOP: it does nothing any more, and does not know."""
        self._program.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._program.signal(signal.SIGCONT)

    def wait_for_death(self, seconds: float) -> None:
        """Until the process has ended, by its kill switch for instance."""
        wait_until(lambda: not self.running, seconds, f"the end of daemon {self.user}")

    def log(self, event: str | None = None) -> list[Mapping[str, Any]]:
        """The lines of its log, those of one event or all; what is not JSON (a traceback) is {"event": line}."""
        text = self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""
        lines = [_parsed(line) for line in text.splitlines()]
        return [line for line in lines if event in (None, line.get("event"))]

    def wait_for_log(self, event: str, seconds: float = START_SECONDS) -> Mapping[str, Any]:
        """The latest line of this event; waits for the first."""
        wait_until(lambda: self.log(event), seconds, f"log line {event!r} of daemon {self.user}")
        return self.log(event)[-1]


def _parsed(line: str) -> Mapping[str, Any]:
    with suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {"event": line}
