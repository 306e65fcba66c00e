"""Asks as few queries as possible for all metrics of all targets. Used by `kinds`, `collection` and `history`.

Equal selectors are asked for once, for the pods of every target that uses them. What one query gave, or the error
that it met, is kept for every metric that needs it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar, cast

from analyzer.model.block import GuardReading
from analyzer.model.errors import ObservationError
from analyzer.model.metric import SeriesLabels
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.counter import Counter
from analyzer.observation.edges import EdgeGrid, Edges, EdgeValues, PodKey
from analyzer.observation.queries import BucketValues, EdgeQueries
from analyzer.observation.readings import read
from analyzer.observation.scrapes import Scrapes
from analyzer.promql import Selector, parse_selector

T = TypeVar("T")
Question = tuple[str, str]
"""How something is read (`sums`, `means` or `buckets` of a selector, a guard's `query`, all `scrapes`), and what."""

SCRAPES: Question = ("scrapes", "")


class MetricReaders:
    """One use answers for one set of edges. Every method that gives an answer raises ObservationError.

    First `expect` all questions with their pods, then ask for answers. Questions that were not asked by `ask` (from
    several threads, if need be) are asked then. `slots`: what a fast lane needs is read at the edges of slots, which
    hold those of blocks; else at the edges of blocks only.
    """

    def __init__(
        self, connection: PrometheusConnection, labels: SeriesLabels, edges: Edges, *, slots: bool = True
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._edges = edges
        self._fine = edges.slots if slots else edges.blocks
        self._pods: defaultdict[Question, set[PodKey]] = defaultdict(set)
        self._on_slots: set[Question] = set()
        self._kept: dict[tuple[str, ...], object] = {}

    def expect(self, questions: Iterable[Question], pods: Collection[PodKey], *, in_slots: bool) -> None:
        """Note that these questions will be asked, of these pods; `in_slots`: at the edges of slots too."""
        for question in questions:
            self._pods[question].update(pods)
            if in_slots:
                self._on_slots.add(question)

    def ask(self, question: Question) -> None:
        """Ask one question; its answer, or the error that it met, is kept."""
        with suppress(ObservationError):
            self.once(question, lambda: self._asked(question))

    def give_up(self, question: Question, reason: str) -> None:
        """Take a question that has no answer yet for failed, whatever comes later."""
        self._kept.setdefault(question, ObservationError(reason))

    def forget(self) -> None:
        """Let go of all answers."""
        self._kept.clear()

    def scrapes(self) -> Scrapes:
        """Start times of all pods that were announced."""
        return cast("Scrapes", self._answer(SCRAPES))

    def sums(self, text: str) -> EdgeValues:
        """The counters of a selector, added up within each scrape target."""
        return cast("EdgeValues", self._answer(("sums", text)))

    def means(self, text: str) -> EdgeValues:
        """The gauges of a selector: means since the edge before, added up within each scrape target."""
        return cast("EdgeValues", self._answer(("means", text)))

    def buckets(self, text: str) -> BucketValues:
        """The buckets of a selector."""
        return cast("BucketValues", self._answer(("buckets", text)))

    def readings(self, query: str) -> Mapping[int, GuardReading]:
        """Values of a guard's query, by block."""
        return cast("Mapping[int, GuardReading]", self._answer(("query", query)))

    def counter(self, text: str) -> Counter:
        """What a selector's counters grew by."""
        return self.once(("counter", text), lambda: Counter("count", text, self.sums(text), self.scrapes()))

    def _answer(self, question: Question) -> Any:
        """What this question's query gave."""
        return self.once(question, lambda: self._asked(question))

    def _asked(self, question: Question) -> EdgeValues | BucketValues | Scrapes | Mapping[int, GuardReading]:
        match question:
            case ("sums", text):
                return self._reader(question).sums(_selector(text))
            case ("means", text):
                return self._reader(question).means(_selector(text), self._edges.block)
            case ("buckets", text):
                return self._reader(question).buckets(_selector(text))
            case ("query", text):
                return read(self._connection, text, self._edges)
            case _:
                reader = EdgeQueries(self._connection, self._labels, self._fine, frozenset(self._pods[SCRAPES]))
                found = reader.start_times()
                return Scrapes(found.starts, found.sample_times, self._edges.timing.slot)

    def _reader(self, question: Question) -> EdgeQueries:
        grid: EdgeGrid = self._fine if question in self._on_slots else self._edges.blocks
        return EdgeQueries(self._connection, self._labels, grid, frozenset(self._pods[question]))

    def once(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """Ask, or repeat what was answered; a failure is not tried again."""
        kept = self._kept.get(key)
        if kept is None:
            try:
                kept = self._kept.setdefault(key, ask())
            except ObservationError as error:
                kept = self._kept.setdefault(key, error)
        if isinstance(kept, ObservationError):
            raise kept
        return kept  # type: ignore[return-value] # what `ask` gave for this key


def is_guard(question: Question) -> bool:
    """Is this a query of a user's own?"""
    return question[0] == "query"


def _selector(text: str) -> Selector:
    try:
        return parse_selector(text)
    except ValueError as error:
        raise ObservationError(str(error)) from error
