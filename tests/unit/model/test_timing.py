from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.block import Timing, timing_for


@pytest.mark.parametrize(
    ("interval", "scrape", "block", "slot"),
    [
        (15, 15, 30, 15),
        (15, 5, 15, 5),
        (1, 1, 2, 1),
        (10, 3, 10, 5),  # a third of 10 s is no whole number of milliseconds
        (15, 0.7, 15, 0.75),
        (0.6, 0.2, 0.6, 0.2),  # 0.6 // 0.2 is 2 in floating point
        (0.333, 0.1, 0.666, 0.111),
    ],
)
def test_block_spans_two_scrapes_and_slot_spans_one(interval: float, scrape: float, block: float, slot: float) -> None:
    assert timing_for(interval, scrape, 1.0) == Timing(block, slot, 1.0)


@given(st.integers(1, 120_000), st.integers(1, 120_000))
def test_slots_are_whole_milliseconds_and_fill_the_block(interval: int, scrape: int) -> None:
    timing = timing_for(interval / 1000, scrape / 1000, 0.0)
    block, slot = round(timing.block * 1000), round(timing.slot * 1000)
    assert (timing.block, timing.slot) == (block / 1000, slot / 1000)
    assert block % interval == 0
    assert block % slot == 0
    assert block >= 2 * slot
    assert slot >= scrape


@given(st.integers(1, 100_000), st.integers(0, 10**9))
def test_a_moment_on_an_edge_belongs_to_what_begins_there(length: int, index: int) -> None:
    timing = Timing(block=length / 1000, slot=length / 1000, delay=0.5)
    edge = index * length / 1000
    assert timing.last_closed_block(edge + 0.5) == index - 1
    assert timing.last_closed_slot(edge + 0.5) == index - 1


def test_first_full_slot_is_the_first_that_starts_later() -> None:
    timing = Timing(block=0.6, slot=0.2, delay=0.0)
    assert timing.first_full_slot(datetime.fromtimestamp(10.0, UTC)) == 50
    assert timing.first_full_slot(datetime.fromtimestamp(10.001, UTC)) == 51
    assert timing.first_full_block(datetime.fromtimestamp(10.001, UTC)) == 17


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 ms"):
        timing_for(15.0, 0.0, 1.0)
