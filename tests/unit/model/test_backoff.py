"""Waits after failures in a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.backoff import backoff, jittered


def test_doubles_from_the_first_wait_to_the_longest() -> None:
    assert [backoff(failures, 0.5, 10) for failures in range(1, 8)] == [0.5, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("failures", [1000, 10**9])
def test_any_number_of_failures_is_the_longest_wait(failures: int) -> None:
    assert backoff(failures, 0.001, 300) == 300


def test_without_a_failure_it_is_the_first_wait() -> None:
    assert backoff(0, 2, 300) == 2


@given(st.floats(0, 1e6), st.floats(0, 1))
def test_jitter_leaves_between_half_and_all_of_a_wait(seconds: float, chance: float) -> None:
    assert seconds / 2 <= jittered(seconds, chance) <= seconds
