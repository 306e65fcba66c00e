"""Executors without threads, so that a whole engine runs in one thread and in a known order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(Executor):
    """Runs work where it is submitted. A kill (a BaseException that is no Exception) goes right through."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor does
            future.set_exception(error)
        return future


class HeldExecutor(Executor):
    """Holds work back until it is `open`, and then runs what waits, in order; `waiting` is how much that is."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []
        self._open = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def open(self) -> None:
        """Run what waits, and from now on everything at once."""
        self._open = True
        while self._waiting:
            self._waiting.pop(0)()

    def close(self) -> None:
        """Hold back what comes from now on."""
        self._open = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - as every executor does
                future.set_exception(error)

        if self._open:
            run()
        else:
            self._waiting.append(run)
        return future
