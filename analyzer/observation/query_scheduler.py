"""Asks the questions of a sweep side by side, and answers each target as soon as its own are answered.

Made by `source`. What was slow the last time is asked apart from the rest, so that a heavy query makes only those
wait that use it; at the deadline everybody has an answer, be it an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.numbers import seconds
from analyzer.observation.collection import Collection
from analyzer.observation.meters import Question, is_guard

SLOW = 1.0
"""Seconds; a question that took longer, or half of the time there is, is asked apart the next time."""

THREADS = 4
"""Queries that are under way at once, of each sort: Prometheus itself works on 20."""


class Pools:
    """The threads that carry queries, and what is known of each question's speed. Thread-safe.

    `patience` is how many seconds all queries of a sweep have together.
    """

    def __init__(self, patience: float) -> None:
        self._slow_from = min(SLOW, patience / 2)
        self._quick = ThreadPoolExecutor(THREADS, thread_name_prefix="query")
        self._slow = ThreadPoolExecutor(THREADS, thread_name_prefix="slow-query")
        self._lock = threading.Lock()
        self._asked_at: dict[Question, float] = {}

    def slow_since(self, question: Question) -> float | None:
        """When a question was asked last, where it was slow then; None for the others."""
        with self._lock:
            return self._asked_at.get(question)

    def carry(self, question: Question, work: Callable[[], None], *, apart: bool) -> Future[None]:
        """Have `work` done by a thread, and note how long it takes."""
        pool: Executor = self._slow if apart else self._quick
        return pool.submit(self._timed, question, work)

    def _timed(self, question: Question, work: Callable[[], None]) -> None:
        begun = time.monotonic()
        with self._lock:  # what is under way may be on its way for ever: it is slow until it is done
            self._asked_at[question] = begun
        work()
        if time.monotonic() - begun < self._slow_from:
            with self._lock:
                self._asked_at.pop(question, None)


@dataclass(slots=True)
class _Waiting:
    collection: Collection
    request: BlockRequest
    missing: set[Future[None]] = field(default_factory=set)


class QueryScheduler:
    """One use answers the requests of these collections, the first ones first, until `deadline` (monotonic)."""

    def __init__(self, pools: Pools, collections: Sequence[Collection], deadline: float, patience: float) -> None:
        self._pools = pools
        self._collections = collections
        self._deadline = deadline
        self._reason = f"no response within {seconds(patience)}, the limit for all queries of a tick together"

    def answers(self) -> Iterator[tuple[str, Collected]]:
        """By target, each as soon as it can be answered; a metric whose query failed has its error there."""
        asked = self._ask()
        waiting = self._waiting(asked)
        open_ = set(asked)
        while waiting:
            done, open_ = wait(open_, timeout=max(0.0, self._deadline - time.monotonic()), return_when=FIRST_COMPLETED)
            if not done:
                self._give_up({future: asked[future] for future in open_})
            still = []
            for one in waiting:
                one.missing -= done
                if one.missing and done:
                    still.append(one)
                else:
                    yield one.request.target, one.collection.answer(one.request)
            for collection in {one.collection for one in waiting} - {one.collection for one in still}:
                collection.forget()  # the others may take a while yet
            waiting = still

    def _ask(self) -> dict[Future[None], tuple[Collection, Question]]:
        """What is slow comes last, and of that what was not asked for the longest time comes first.

        Apart from the rest stand, besides, guards (whatever their authors wrote) and all collections but the first,
        whose targets have a lot to catch up.
        """
        wanted = [
            (self._pools.slow_since(question) or 0.0, place, question, collection)
            for place, collection in enumerate(self._collections)
            for question in _distinct(collection)
        ]
        asked = {}
        for since, place, question, collection in sorted(wanted, key=lambda one: one[:3]):
            apart = since > 0 or place > 0 or is_guard(question)
            work = _asking(collection, question)
            asked[self._pools.carry(question, work, apart=apart)] = (collection, question)
        return asked

    def _waiting(self, asked: dict[Future[None], tuple[Collection, Question]]) -> list[_Waiting]:
        futures = {(id(collection), question): future for future, (collection, question) in asked.items()}
        return [
            _Waiting(
                collection,
                request,
                {futures[id(collection), question] for question in collection.questions(request)},
            )
            for collection in self._collections
            for request in collection.requests
        ]

    def _give_up(self, unanswered: dict[Future[None], tuple[Collection, Question]]) -> None:
        for future, (collection, question) in unanswered.items():
            future.cancel()
            collection.give_up(question, self._reason)


def _distinct(collection: Collection) -> set[Question]:
    return {question for request in collection.requests for question in collection.questions(request)}


def _asking(collection: Collection, question: Question) -> Callable[[], None]:
    return lambda: collection.ask(question)
