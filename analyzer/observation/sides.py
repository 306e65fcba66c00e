"""Puts the pods of a release into blocks and slots: who was expected, what each measured, why others did not.

Called by `collection` for each target's metrics, whatever their kind. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from analyzer.model.block import Block, NoData, Sample, SideBlock
from analyzer.model.collection import BlockRequest
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.observation.edges import Edges, PodKey

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
S = TypeVar("S", bound=Sample)

Found = Mapping[str, V | NoData]
"""What each expected pod of a side measured, by name."""


class Meter(Protocol[V_co]):
    """One metric of all pods."""

    def between(self, pod: PodKey, begin: int, end: int) -> V_co | NoData:
        """What this pod measured between two edges."""
        ...

    def started(self, pod: PodKey, edge: int) -> float | None:
        """When the youngest process that matters started, as seen at this edge; None: unknown, or no matter."""
        ...


@dataclass(frozen=True, slots=True)
class RawBlock(Generic[V]):
    """A block or slot before its pods are compared with each other."""

    index: int
    canary: Found[V]
    stable: Found[V]
    stable_later: Found[V] | None = None


def may_be_expected(entry: RosterEntry, request: BlockRequest, last: int) -> bool:
    """Could this pod be part of any block after `request.after` that ends at edge `last` or before?"""
    block = request.timing.block
    gone = entry.gone_at is not None and entry.gone_at.timestamp() < (request.after + 2) * block
    return not gone and entry.ready_at.timestamp() + request.warmup <= (last - 1) * block


def may_be_in_slots(entry: RosterEntry, request: BlockRequest, last: int) -> bool:
    """Could this pod be part of any slot after `request.fast_after` that ends at slot edge `last` or before?"""
    if request.fast_after is None:
        return False
    slot = request.timing.slot
    gone = entry.gone_at is not None and entry.gone_at.timestamp() < (request.fast_after + 2) * slot
    return not gone and entry.ready_at.timestamp() < last * slot


def raw_blocks(request: BlockRequest, meter: Meter[V], edges: Edges) -> Iterator[RawBlock[V]]:
    """All blocks after `request.after` up to the last edge, without a gap; only the latest has `stable_later`."""
    for index in range(request.after + 1, edges.last):
        begin, end = edges.at(index), edges.at(index + 1)
        later = edges.after_last if edges.later and index + 1 == edges.last else None
        expected = [entry for entry in request.roster if _expected(entry, request, meter, begin, end)]
        yield _raw(request, meter, index, expected, (begin, end, later))


def slots(request: BlockRequest, meter: Meter[S], edges: Edges) -> tuple[Block[S], ...]:
    """All slots after `request.fast_after` up to the last one, without a gap; all but the latest have `stable_later`.

    A pod is expected in a slot as soon as it was ready at some moment of it, warm or not, until it was gone.
    """
    found = []
    for index in range((request.fast_after or 0) + 1, edges.fast_last):
        begin, end = edges.at_slot(index), edges.at_slot(index + 1)
        later = end + edges.slot if index + 1 < edges.fast_last else None
        expected = [
            entry for entry in request.roster if entry.ready_at.timestamp() * 1000 < end and _stayed(entry, end)
        ]
        found.append(plain(_raw(request, meter, index, expected, (begin, end, later))))
    return tuple(found)


def _expected(entry: RosterEntry, request: BlockRequest, meter: Meter[object], begin: int, end: int) -> bool:
    """Was it ready and warm when the block began, and not gone before it ended? A container that was started anew
    has to warm up again."""
    if entry.ready_at.timestamp() + request.warmup > begin / 1000 or not _stayed(entry, end):
        return False
    started = meter.started(PodKey(request.namespace, entry.pod), begin)
    return started is None or started + request.warmup <= begin / 1000


def _stayed(entry: RosterEntry, end: int) -> bool:
    return entry.gone_at is None or entry.gone_at.timestamp() >= end / 1000


def _raw(
    request: BlockRequest,
    meter: Meter[V],
    index: int,
    expected: list[RosterEntry],
    span: tuple[int, int, int | None],
) -> RawBlock[V]:
    begin, end, later = span

    def side(side: Side, until: int) -> Found[V]:
        return {
            entry.pod: meter.between(PodKey(request.namespace, entry.pod), begin, until)
            for entry in expected
            if entry.side is side
        }

    return RawBlock(
        index=index,
        canary=side(Side.CANARY, end),
        stable=side(Side.STABLE, end),
        stable_later=None if later is None else side(Side.STABLE, later),
    )


def plain(raw: RawBlock[S]) -> Block[S]:
    """The block as it is: for kinds whose pods need not be compared with each other."""
    return Block(
        index=raw.index,
        canary=_side(raw.canary),
        stable=_side(raw.stable),
        stable_later=None if raw.stable_later is None else _side(raw.stable_later),
    )


def _side(found: Found[S]) -> SideBlock[S]:
    return SideBlock(
        pods={pod: one for pod, one in found.items() if not isinstance(one, NoData)},
        absent={pod: one.reason for pod, one in found.items() if isinstance(one, NoData)},
    )
