"""All requests of a sweep that share their timing, answered with few queries. Called by `source`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analyzer.model.block import Block, GuardReading, Sample
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric, QueryMetric, SeriesLabels, TestedMetric
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import Edges, PodKey
from analyzer.observation.kinds import KINDS, MeasuredPods, questions_of
from analyzer.observation.meters import MetricReaders, Question
from analyzer.observation.sides import may_be_expected, may_be_in_slots, raw_blocks, slots

Answer = Sequence[Block[Sample]] | Sequence[GuardReading] | ObservationError


class Collection:
    """One use answers one group, whose blocks and slots have the same lengths.

    `requests` are those with at least one closed block or slot to ask for, each with the moment up to which it is
    answered (seconds since the epoch, Prometheus' clock).
    """

    def __init__(
        self,
        connection: PrometheusConnection,
        labels: SeriesLabels,
        requests: Sequence[tuple[BlockRequest, float]],
    ) -> None:
        self.requests = tuple(request for request, _ in requests)
        self._edges = {request.target: _edges(request, upto) for request, upto in requests}
        self._meters = MetricReaders(connection, labels, _covering(self._edges.values()))
        for request in self.requests:
            for metric in request.metrics:
                pods = self._pods(request, metric)
                self._meters.expect(questions_of(metric), pods, in_slots=metric.fast_lane)

    def questions(self, request: BlockRequest) -> set[Question]:
        """All that must be asked before this request can be answered."""
        return {question for metric in request.metrics for question in questions_of(metric)}

    def ask(self, question: Question) -> None:
        """Ask one of them; several threads may do so, each its own."""
        self._meters.ask(question)

    def give_up(self, question: Question, reason: str) -> None:
        """Do without an answer: the metrics that need it have `reason` as their error."""
        self._meters.give_up(question, reason)

    def forget(self) -> None:
        """Everybody has an answer: let go of what was read."""
        self._meters.forget()

    def answer(self, request: BlockRequest) -> Collected:
        """The answer once its questions were asked or given up; a metric whose query failed has its error there."""
        found: dict[str, Answer] = {}
        fast: dict[str, Sequence[Block]] = {}
        edges = self._edges[request.target]
        for metric in request.metrics:
            try:
                found[metric.name] = self._found(request, metric) if self._closed(request) else ()
                if (found_fast := self._fast(request, metric)) is not None:
                    fast[metric.name] = found_fast
            except ObservationError as error:
                found[metric.name] = error
        return Collected(max(request.after, edges.last - 1), found, fast)

    def _found(self, request: BlockRequest, metric: Metric | TestedMetric) -> Answer:
        edges = self._edges[request.target]
        if isinstance(metric, QueryMetric):
            found = self._meters.readings(metric.query)
            return tuple(found[index] for index in range(request.after + 1, edges.last))
        kind, pods = KINDS[type(metric)], self._measured(request, metric)
        kind.refuse(self._meters, metric, pods)
        return tuple(map(kind.finish, raw_blocks(request, kind.meter(self._meters, metric, pods), edges)))

    def _fast(self, request: BlockRequest, metric: Metric | TestedMetric) -> Sequence[Block] | None:
        kind = None if isinstance(metric, QueryMetric) else KINDS[type(metric)]
        if kind is None or kind.in_slots is None or request.fast_after is None:
            return None
        return slots(request, kind.in_slots(self._meters, metric), self._edges[request.target])

    def _measured(self, request: BlockRequest, metric: TestedMetric) -> MeasuredPods:
        return MeasuredPods(self._pods(request, metric), lambda: _ready(request))

    def _pods(self, request: BlockRequest, metric: Metric | TestedMetric) -> frozenset[PodKey]:
        """Those that any block or slot of this request could expect."""
        edges = self._edges[request.target]
        return frozenset(
            PodKey(request.namespace, entry.pod)
            for entry in request.roster
            if (self._closed(request) and may_be_expected(entry, request, edges.last))
            or (metric.fast_lane and may_be_in_slots(entry, request, edges.fast_last))
        )

    def _closed(self, request: BlockRequest) -> bool:
        return request.after + 1 < self._edges[request.target].last


def _edges(request: BlockRequest, upto: float) -> Edges:
    """What one request needs."""
    timing = request.timing
    last, last_slot = timing.last_closed_block(upto) + 1, timing.last_closed_slot(upto) + 1
    edges = Edges(
        timing=timing,
        first=min(request.after + 1, last),
        last=last,
        fast_first=None if request.fast_after is None else min(request.fast_after + 1, last_slot),
        fast_last=last_slot,
    )
    return replace(edges, later=edges.at_slot(last_slot) >= edges.after_last)


def _covering(needed: Iterable[Edges]) -> Edges:
    """What all of them need."""
    every = list(needed)
    fast = [edges.fast_first for edges in every if edges.fast_first is not None]
    return Edges(
        timing=every[0].timing,
        first=min(edges.first for edges in every),
        last=max(edges.last for edges in every),
        fast_first=min(fast, default=None),
        fast_last=max(edges.fast_last for edges in every),
        ends=frozenset(edges.last for edges in every if edges.later and edges.first < edges.last),
    )


def _ready(request: BlockRequest) -> Mapping[PodKey, float]:
    return {PodKey(request.namespace, entry.pod): entry.ready_at.timestamp() for entry in request.roster}
