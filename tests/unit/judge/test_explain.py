"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from analyzer.judge.effect import Effect
from analyzer.judge.explain import allowance, comparison, number
from analyzer.model.block import Counts
from analyzer.model.metric import Margin


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (6.83, "6.8"), (0.0312, "0.031"), (0.00001, "0.00001"), (9.97, "10"), (99.7, "100"), (1234, "1234")],
)
def test_numbers_have_two_digits_and_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


def test_margins_leave_out_an_absolute_part_of_zero() -> None:
    assert allowance(Margin(1.25, 0.0005)) == "1.25x + 0.05 %"
    assert allowance(Margin(2.0)) == "2x"


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (Effect(2.0, 1.5, 4.0), ", 2x (95 % 1.5x to 4x)"),
        (Effect(None, 1.5, math.inf), ", 1.5x or more (95 %)"),
        (Effect(0.0, 0.0, 4.0), ", 0x (95 % 4x or less)"),
        (Effect(None, 0.0, math.inf), ""),
    ],
)
def test_intervals_say_when_an_end_is_open(effect: Effect, text: str) -> None:
    start = "errors: canary 1 of 10 (10 %) against stable 0 of 0"
    assert comparison("errors", Counts(1, 10), Counts(0, 0), effect) == start + text
