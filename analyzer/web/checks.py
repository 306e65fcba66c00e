"""Runs what a request asks for in a thread, with a time-out: a lock that is never released must not stop the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

CHECK_SECONDS = 2.0
"""The time that a check is waited for. A kubelet waits for 5 s (the chart's `timeoutSeconds`)."""

T = TypeVar("T")


class SharedCheck(Generic[T]):
    """A function that may block. It runs once at a time, and requests that come meanwhile share its result."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._running: Future[T] | None = None

    async def result(self) -> T:
        """What the function returns or raises. Raises TimeoutError."""
        if self._running is None or self._running.done():
            self._running = self._started()
        return await asyncio.wait_for(asyncio.wrap_future(self._running), CHECK_SECONDS)

    def _started(self) -> Future[T]:
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()  # a request that stops waiting does not cancel it for the others
        threading.Thread(target=self._run, args=(outcome,), name="http-check", daemon=True).start()
        return outcome

    def _run(self, outcome: Future[T]) -> None:
        try:
            outcome.set_result(self._function())
        except Exception as error:  # noqa: BLE001 - raised in each of the requests
            outcome.set_exception(error)
