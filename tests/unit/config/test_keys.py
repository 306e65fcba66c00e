"""Key models with mistakes in them: what is right stays known, and is checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from pydantic import Field

from analyzer.config.keys import Around, Each, Keys, Mistake, Unknown, check, exactly_one, known, meaning_mistakes
from analyzer.config.problems import form_mistakes


class Bounds(Keys):
    low: int = Field(default=0, ge=0)
    high: int
    unit_name: str | None = None

    @check
    def _crossed(self) -> Iterator[Mistake]:
        if self.low > self.high:
            yield (("low",), "above high")

    @check
    def _odd(self) -> Iterator[Mistake]:
        if self.high % 2:
            yield (("high",), "odd")


class Scale(Keys):
    planned: ClassVar = {"curve": "draw one"}
    bounds: Each[Bounds] = Field(default=[], min_length=1)
    left: Bounds | None = None
    right: Bounds | None = None

    @check
    def _one_side(self) -> Iterator[Mistake]:
        return exactly_one(self, "left", "right")


def mistakes(given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Where each is, and its first words."""
    scale = Scale.model_validate(given)
    found = [*form_mistakes(scale), *meaning_mistakes(scale, Around())]
    return sorted((*path, " ".join(text.split()[:3])) for path, text in found)


def test_a_key_with_a_mistake_leaves_the_others_known() -> None:
    bounds = Bounds.model_validate({"low": -1, "high": 3, "unitName": "s"})
    assert (bounds.high, bounds.unit_name) == (3, "s")
    with pytest.raises(Unknown):
        _ = bounds.low


def test_a_check_that_needs_it_says_nothing_and_the_others_are_made() -> None:
    assert mistakes({"left": {"low": "5", "high": 3}}) == [
        ("left", "high", "odd"),
        ("left", "low", "expected a whole"),
    ]


def test_an_item_with_a_mistake_leaves_the_others_of_its_list_known() -> None:
    scale = Scale.model_validate({"bounds": [{"high": 2}, 5, {"low": 4, "high": 2}], "left": {"high": 2}})
    assert [index for index, _ in known(scale.bounds)] == [0, 2]
    assert mistakes({"bounds": [{"high": 2}, 5, {"low": 4, "high": 2}], "left": {"high": 2}}) == [
        ("bounds", 1, "expected a mapping"),
        ("bounds", 2, "low", "above high"),
    ]


def test_a_missing_key_is_a_mistake_and_not_known() -> None:
    assert mistakes({"left": {"low": 7}}) == [("left", "high", "is missing; it")]


def test_a_misspelt_key_is_one_mistake_and_what_it_means_is_not_known() -> None:
    assert mistakes({"left": {"low": 7, "hgih": 3}}) == [("left", "hgih", "unknown key; did")]
    assert mistakes({"lefft": {"high": 2}}) == [("lefft", "unknown key; did")]


def test_a_planned_key_is_refused_with_what_to_do() -> None:
    assert mistakes({"curve": 1, "left": {"high": 2}}) == [("curve", "not supported yet:")]


def test_null_is_the_same_as_left_out() -> None:
    assert mistakes({"left": {"low": None, "high": 2}, "right": None}) == []
    assert mistakes({"left": {"high": None}}) == [("left", "high", "is missing; it")]


def test_exactly_one_is_neither_none_nor_two() -> None:
    assert mistakes({}) == [("expected exactly one",)]
    assert mistakes({"left": {"high": 2}, "right": {"high": 2}}) == [("expected exactly one",)]
