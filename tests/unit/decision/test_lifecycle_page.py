"""The page about the life of a release says what the code does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.decision import idle, progress, promote, rollback
from analyzer.decision.context import Rule
from analyzer.model.phase import TRANSITIONS, Phase

PAGE = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[tuple[str, str]]:
    section = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [(row[0], row[1]) for row in cells[2:]]


def test_the_table_of_transitions_is_the_code_s() -> None:
    told = {Phase(before): {Phase(one) for one in after.split(", ")} for before, after in rows("## Transitions")}
    assert told == TRANSITIONS


def test_every_phase_is_explained() -> None:
    assert [phase for phase, _ in rows("## Phases")] == list(Phase)


@pytest.mark.parametrize(
    ("heading", "rules"),
    [
        ("### IDLE, SUCCEEDED, ABORTED", idle._IDLE),
        ("### PENDING", idle._PENDING),
        ("### PROGRESSING", progress._PROGRESSING),
        ("### PAUSED", progress._PAUSED),
        ("### PROMOTING", promote._PROMOTING),
        ("### BAKING", promote._BAKING),
        ("### ROLLING_BACK", rollback._RULES),
    ],
)
def test_the_rules_are_told_in_the_order_in_which_they_are_asked(heading: str, rules: Sequence[Rule]) -> None:
    told = [re.sub("`", "", name) for name, _ in rows(heading)]
    assert told == [getattr(rule, "__name__", "").lstrip("_") for rule in rules]
