"""One foreign program of the lab, on the sandbox's leash: it ends with us, however we end.

`control_plane` and `prometheus` are made of these.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from analyzer.sandbox.leash import GRACE
from analyzer.sandbox.runner import program_env
from tests.e2e.lab.errors import LabError

LOG_LINES = 5


class Program:
    """Runs `command`; its output goes to `<folder>/<name>.log`. May be stopped and started again. Not thread-safe."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self._command = command
        self._folder = folder
        self._leash: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where its output is."""
        return self._folder / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Is it there?"""
        return self._leash is not None and self._leash.poll() is None

    @property
    def exit_status(self) -> int | None:
        """How it ended, 128 + n after signal n; None while it runs and after `stop`."""
        return None if self._leash is None else self._leash.poll()

    @property
    def frozen(self) -> bool:
        """Does the program itself stand still, by SIGSTOP? Linux only."""
        return self.running and all(_state_of(pid) == "T" for pid in self._pids())

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, without waiting for more than the process; `environment` is added to what every program has."""
        if self.running:
            return
        self.release()
        with self.log.open("ab") as log:
            self._leash = subprocess.Popen(
                [sys.executable, "-P", "-m", "analyzer.sandbox.leash", *self._command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=program_env({"HOME": str(self._folder), **(environment or {})}),
                cwd=self._folder,
                start_new_session=True,
            )

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Until it is ready. Raises LabError, with the end of its log, when it ends first or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                happened = f"was not ready after {seconds:g} s" if self.running else "ended"
                raise LabError(f"{self.name} {happened}: {self.end_of_log()}")
            time.sleep(0.05)

    def release(self) -> None:
        """Ask it to leave, and do not wait."""
        if self._leash is not None and self._leash.stdin is not None:
            self._leash.stdin.close()

    def stop(self) -> None:
        """Ask it to leave and wait until it is gone. Stopping twice does no harm."""
        self.release()
        leash, self._leash = self._leash, None
        if leash is None:
            return
        try:
            leash.wait(GRACE + 3)
        except subprocess.TimeoutExpired:
            leash.kill()
            leash.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, such as SIGSTOP; Linux only."""
        for pid in self._pids():
            os.kill(pid, number)

    def _pids(self) -> list[int]:
        if self._leash is None:
            return []
        children = Path(f"/proc/{self._leash.pid}/task/{self._leash.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in children.split()]

    def end_of_log(self) -> str:
        """Its last words, on one line."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return " / ".join(text.splitlines()[-LOG_LINES:]) or "it wrote nothing to its log"


def _state_of(pid: int) -> str:
    """R, S, T, ... as in /proc: what follows the name, which may hold anything, parentheses too."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
