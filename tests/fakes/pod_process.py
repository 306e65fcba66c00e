"""A pod's process that does what the test says, in place of a real one."""

from __future__ import annotations

from analyzer.sandbox.runner import PodSpec


class FakePodProcess:
    """Runs from `start` until `exit` or `terminate`; answers its readiness check with `ready`.

    With `refuses` it can't be started; with `stubborn` only `kill` ends it.
    """

    def __init__(self, spec: PodSpec | None = None) -> None:
        self.spec = spec
        self.ready = True
        self.refuses = False
        self.stubborn = False
        self.calls: list[str] = []
        self._status: int | None = None

    def start(self) -> None:
        if self.refuses:
            raise OSError("no more processes")
        self.calls.append("start")
        self._status = None

    def exit(self, status: int) -> None:
        """End by itself."""
        self._status = status

    def exit_status(self) -> int | None:
        return self._status

    def is_ready(self) -> bool:
        return self.ready

    def terminate(self) -> None:
        self.calls.append("terminate")
        if not self.stubborn:
            self._status = 0

    def kill(self) -> None:
        self.calls.append("kill")
        self._status = -9
