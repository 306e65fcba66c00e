"""Kills the daemon at a chosen moment: before or after any call that it makes to the world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Interrupt(BaseException):
    """The kill. No Exception, so that nothing in the engine can survive it."""


class Reaper:
    """Counts the moments before and after every call through its ports, and kills at moment number `at`.

    `moments` is how many there were; `at` None never kills. `after` names a call to kill once right after.
    """

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.moments = 0
        self.after: str | None = None

    def around(self, port: Any) -> Any:
        """The same port, with a moment before and after each call."""
        return _Port(port, self)

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            raise Interrupt(f"killed at moment {self.at}")

    def made(self, call: str) -> None:
        if call == self.after:
            self.after = None
            raise Interrupt(f"killed after {call}")


class _Port:
    def __init__(self, port: Any, reaper: Reaper) -> None:
        self._port = port
        self._reaper = reaper

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        return self._watched(name, value) if callable(value) else value

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._reaper.moment()
            answer = call(*args, **kwargs)
            self._reaper.moment()
            self._reaper.made(name)
            return answer

        return watched
