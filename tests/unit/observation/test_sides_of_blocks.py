from __future__ import annotations

from datetime import UTC, datetime

from analyzer.model.block import Block, Counts, SideBlock
from analyzer.model.collection import BlockRequest
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.observation.edges import Edges
from analyzer.observation.sides import Meter, may_be_expected, plain, raw_blocks
from tests.unit.observation.counter_stories import TIMING, counters, edges, target

C, S = target("c"), target("s", instance="10.0.0.2:80")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def entry(pod: str, side: Side, ready: float = -500, gone: float | None = None) -> RosterEntry:
    return RosterEntry(pod, side, at(ready), None if gone is None else at(gone))


def request(*roster: RosterEntry, after: int = -1, warmup: float = 0.0) -> BlockRequest:
    return BlockRequest("t", "shop", (), roster, TIMING, after, warmup)


def blocks(asked: BlockRequest, meter: Meter[Counts], needed: Edges) -> tuple[Block, ...]:
    return tuple(map(plain, raw_blocks(asked, meter, needed)))


def test_each_pod_stands_on_its_own_side() -> None:
    found = counters({C: [0, 10, 30], S: [0, 90, None]}, {C: [0, 1, 3]})
    first, second = blocks(request(entry("c", Side.CANARY), entry("s", Side.STABLE)), found, edges(2))
    assert (first.index, second.index) == (0, 1)
    assert first.canary == SideBlock({"c": Counts(1, 10)})
    assert first.stable == SideBlock({"s": Counts(0, 90)})
    assert second.canary == SideBlock({"c": Counts(2, 20)})
    assert set(second.stable.absent) == {"s"}


def test_a_pod_is_expected_once_it_is_warm_and_until_it_is_gone() -> None:
    found = counters({C: [0, 10, 20, 30, 40]}, {})
    warm_late = blocks(request(entry("c", Side.CANARY, ready=5), warmup=5.0), found, edges(4))
    assert [bool(block.canary.pods) for block in warm_late] == [False, True, True, True]
    leaves = blocks(request(entry("c", Side.CANARY, gone=25)), found, edges(4))
    assert [bool(block.canary.pods) for block in leaves] == [True, True, False, False]
    assert not any(block.canary.absent for block in (*warm_late, *leaves))


def test_a_restarted_container_warms_up_anew() -> None:
    found = counters({C: [0, 10, 20, 30, 40]}, {}, starts={C: [-500, 5, 5, 5, 5]})
    restarted = blocks(request(entry("c", Side.CANARY), warmup=10.0), found, edges(4))
    assert [set(block.canary.absent) for block in restarted] == [{"c"}, set(), set(), set()]
    assert [set(block.canary.pods) for block in restarted] == [set(), set(), {"c"}, {"c"}]


def test_only_the_latest_block_has_stable_one_slot_later() -> None:
    found = counters({C: [0, 10, 20], S: [0, 90, 180]}, {})
    total = {place: dict(points) for place, points in found.total.items()}
    total[S][25_000] = 230.0
    seen = {place: {**points, 25_000: 24.0} for place, points in found.scrapes.sample_times.items()}
    starts = {place: {**points, 25_000: -1000.0} for place, points in found.scrapes.starts.items()}
    moved = counters({}, {})
    moved = type(moved)("hits_total", {}, total, type(found.scrapes)(starts, seen, TIMING.slot))
    asked = request(entry("c", Side.CANARY), entry("s", Side.STABLE))
    first, second = blocks(asked, moved, edges(2, later=True))
    assert first.stable_later is None
    assert second.stable_later == SideBlock({"s": Counts(0, 140)})
    assert blocks(asked, moved, edges(2))[1].stable_later is None


def test_blocks_begin_after_the_one_that_is_known() -> None:
    found = counters({C: [0, 10, 20, 30]}, {})
    assert [block.index for block in blocks(request(entry("c", Side.CANARY), after=1), found, edges(3))] == [2]


def test_pods_that_no_block_can_expect_are_not_asked_for() -> None:
    asked = request(after=4, warmup=10.0)
    assert may_be_expected(entry("c", Side.CANARY), asked, last=6)
    assert may_be_expected(entry("c", Side.CANARY, ready=40), asked, last=6)
    assert not may_be_expected(entry("c", Side.CANARY, ready=41), asked, last=6)
    assert may_be_expected(entry("c", Side.CANARY, gone=60), asked, last=6)
    assert not may_be_expected(entry("c", Side.CANARY, gone=59), asked, last=6)
