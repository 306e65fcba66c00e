"""What a request asks for runs in one thread per question, however many ask."""

from __future__ import annotations

import asyncio
import threading

import pytest

from analyzer.web.checks import SharedCheck


def test_requests_that_come_while_it_runs_share_its_result() -> None:
    runs: list[str] = []
    go_on = threading.Event()

    def check() -> int:
        runs.append(threading.current_thread().name)
        go_on.wait()
        return len(runs)

    async def ask() -> list[int]:
        shared = SharedCheck(check)
        asking = [asyncio.create_task(shared.result()) for _ in range(100)]
        await asyncio.sleep(0)
        go_on.set()
        return [*await asyncio.gather(*asking), await shared.result()]

    assert asyncio.run(ask()) == [1] * 100 + [2]
    assert runs == ["http-check"] * 2


def test_a_request_that_is_cancelled_does_not_cancel_it_for_the_others() -> None:
    go_on = threading.Event()

    async def ask() -> bool:
        check = SharedCheck(go_on.wait)
        first, second = (asyncio.create_task(check.result()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        go_on.set()
        return await second

    assert asyncio.run(ask())


def test_what_it_raises_is_raised_in_the_request() -> None:
    def check() -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        asyncio.run(SharedCheck(check).result())
