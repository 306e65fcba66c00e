"""The fast lane: blocks of one slot, from a pod's first sample on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from analyzer.model.block import Counts, SideBlock, Timing
from analyzer.model.collection import BlockRequest
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.observation.edges import Edges
from analyzer.observation.sides import may_be_in_slots, slots
from tests.unit.observation.counter_stories import counters, target

C, S = target("c"), target("s", instance="10.0.0.2:80")
TIMING = Timing(block=20.0, slot=10.0, delay=2.0)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def entry(pod: str, side: Side, ready: float = -500, gone: float | None = None) -> RosterEntry:
    return RosterEntry(pod, side, at(ready), None if gone is None else at(gone))


def request(*roster: RosterEntry, fast_after: int | None = -1) -> BlockRequest:
    return BlockRequest("t", "shop", (), roster, TIMING, -1, warmup=60.0, fast_after=fast_after)


def edges(last: int) -> Edges:
    return Edges(TIMING, 0, 0, fast_first=0, fast_last=last)


def test_a_pod_counts_while_it_warms_up() -> None:
    found = counters({C: [0, 10, 30], S: [0, 90, 190]}, {C: [0, 9, 27]}, newborn=True)
    first, second = slots(request(entry("c", Side.CANARY, ready=1), entry("s", Side.STABLE)), found, edges(2))
    assert (first.index, second.index) == (0, 1)
    assert first.canary == SideBlock({"c": Counts(9, 10)})
    assert second.canary == SideBlock({"c": Counts(18, 20)})


def test_a_process_that_began_in_the_slot_counts_from_zero() -> None:
    found = counters({C: [None, 7, 20]}, {C: [None, 6, 12]}, starts={C: [None, 4, 4]}, newborn=True)
    first, second = slots(request(entry("c", Side.CANARY, ready=6)), found, edges(2))
    assert first.canary.pods == {"c": Counts(6, 7)}
    assert second.canary.pods == {"c": Counts(6, 13)}


def test_a_restarted_process_counts_from_zero_and_not_across_the_restart() -> None:
    found = counters({C: [50, 70]}, {C: [40, 60]}, starts={C: [-1000, 4]}, newborn=True)
    (slot,) = slots(request(entry("c", Side.CANARY)), found, edges(1))
    assert slot.canary.pods == {"c": Counts(60, 70)}


def test_an_old_process_that_prometheus_finds_only_now_is_absent() -> None:
    found = counters({S: [None, 90_000, 90_100]}, {}, starts={S: [None, -1000, -1000]}, newborn=True)
    first, second = slots(request(entry("s", Side.STABLE)), found, edges(2))
    assert first.stable.absent == {"s": "first scraped after the block began"}
    assert second.stable.pods == {"s": Counts(0, 100)}


def test_a_pod_is_expected_from_the_slot_in_which_it_got_ready_until_it_was_gone() -> None:
    found = counters({C: [0, 10, 20, 30, 40]}, {}, newborn=True)
    answer = slots(request(entry("c", Side.CANARY, ready=15, gone=35)), found, edges(4))
    assert [bool(slot.canary.pods) for slot in answer] == [False, True, True, False]
    assert not any(slot.canary.absent for slot in answer)


def test_all_slots_but_the_latest_have_stable_one_slot_later() -> None:
    found = counters({S: [0, 10, 30, 60]}, {}, newborn=True)
    answer = slots(request(entry("s", Side.STABLE)), found, edges(3))
    later = [slot.stable_later.pods["s"].total if slot.stable_later else None for slot in answer]
    assert later == [30, 50, None]


def test_slots_begin_after_the_one_that_is_known() -> None:
    found = counters({S: [0, 10, 30, 60]}, {}, newborn=True)
    assert [slot.index for slot in slots(request(entry("s", Side.STABLE), fast_after=1), found, edges(3))] == [2]


def test_pods_that_no_slot_can_expect_are_not_asked_for() -> None:
    asked = request(fast_after=4)
    assert may_be_in_slots(entry("c", Side.CANARY), asked, last=6)
    assert may_be_in_slots(entry("c", Side.CANARY, ready=59), asked, last=6)
    assert not may_be_in_slots(entry("c", Side.CANARY, ready=60), asked, last=6)
    assert not may_be_in_slots(entry("c", Side.CANARY, gone=59), asked, last=6)
    assert not may_be_in_slots(entry("c", Side.CANARY), replace(asked, fast_after=None), last=6)
