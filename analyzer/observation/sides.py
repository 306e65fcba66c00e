"""Puts the pods of a release into blocks: who was expected, what each measured, why others did not.

Called by `collection` for each target's ratio metrics. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.model.block import Block, Counts, RosterEntry, SideBlock
from analyzer.model.target import Side
from analyzer.observation.counts import PodCounters
from analyzer.observation.edges import Edges, PodKey
from analyzer.ports import BlockRequest


def may_be_expected(entry: RosterEntry, request: BlockRequest, last: int) -> bool:
    """Could this pod be part of any block after `request.after` that ends at edge `last` or before?"""
    block = request.timing.block
    gone = entry.gone_at is not None and entry.gone_at.timestamp() < (request.after + 2) * block
    return not gone and entry.ready_at.timestamp() + request.warmup <= (last - 1) * block


def blocks(request: BlockRequest, counters: PodCounters, edges: Edges) -> tuple[Block, ...]:
    """All blocks after `request.after` up to the last edge, without a gap; only the latest has `stable_later`."""
    return tuple(_block(request, counters, edges, index) for index in range(request.after + 1, edges.last))


def _block(request: BlockRequest, counters: PodCounters, edges: Edges, index: int) -> Block:
    expected = list(_expected(request, counters, edges, index))
    begin, end = edges.at(index), edges.at(index + 1)
    later = None
    if edges.later and index + 1 == edges.last:
        later = _side(request, counters, _of(expected, Side.STABLE), begin, edges.after_last)
    return Block(
        index=index,
        canary=_side(request, counters, _of(expected, Side.CANARY), begin, end),
        stable=_side(request, counters, _of(expected, Side.STABLE), begin, end),
        stable_later=later,
    )


def _expected(request: BlockRequest, counters: PodCounters, edges: Edges, index: int) -> Iterator[RosterEntry]:
    """Pods that were ready and warm when the block began, and not gone before it ended. A container that was
    started anew has to warm up again."""
    begin, end = edges.at(index) / 1000, edges.at(index + 1) / 1000
    for entry in request.roster:
        warm = entry.ready_at.timestamp() + request.warmup <= begin
        stayed = entry.gone_at is None or entry.gone_at.timestamp() >= end
        if warm and stayed:
            started = counters.started(PodKey(request.namespace, entry.pod), edges.at(index))
            if started is None or started + request.warmup <= begin:
                yield entry


def _of(entries: list[RosterEntry], side: Side) -> list[str]:
    return [entry.pod for entry in entries if entry.side is side]


def _side(request: BlockRequest, counters: PodCounters, pods: list[str], begin: int, end: int) -> SideBlock:
    found = {pod: counters.between(PodKey(request.namespace, pod), begin, end) for pod in pods}
    return SideBlock(
        pods={pod: one for pod, one in found.items() if isinstance(one, Counts)},
        absent={pod: one.reason for pod, one in found.items() if not isinstance(one, Counts)},
    )
