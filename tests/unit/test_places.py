"""What is known of a phase or of a kind of metric stands in one place, so a new one changes few files."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from analyzer.decision.decide import _HANDLERS
from analyzer.judge.families import FAMILIES
from analyzer.model.metric import CountMetric, GaugeMetric, QueryMetric, RateMetric
from analyzer.model.phase import Phase
from analyzer.observation.kinds import KINDS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "analyzer"

ENTERED_BY = {
    "decision/commands.py",
    "decision/decide.py",
    "decision/drift.py",
    "decision/idle.py",
    "decision/progress.py",
    "decision/promote.py",
    "decision/rollback.py",
    "decision/success.py",
}
"""The rules that enter phases, and the table that says which rules each phase has."""

ROWS_OF_A_KIND = {"model/metric.py", "judge/families.py", "observation/kinds.py"}
"""Where every kind is named; besides these, `config` and `cli/judge` read it."""

MOST = {"Add a receiver": 3, "Add a kind of metric": 6, "Add a phase": 6}
"""How many files each of these may change, tests and pages apart."""

KINDS_OF_METRIC = (*get_args(CountMetric), GaugeMetric, QueryMetric)


@cache
def trees() -> Mapping[str, ast.Module]:
    """Every module of the package by its path."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {file.relative_to(PACKAGE).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def phases_named() -> Mapping[str, set[str]]:
    """By phase, the files that name it: as a member, or as a text of its own."""
    found = defaultdict(set)
    for file, tree in trees().items():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(ast.Name("Phase"), name) | ast.Constant(str(name)) if name in Phase.__members__:
                    found[name].add(file)
    return found


def files_naming(name: str) -> set[str]:
    """The files that use a class of this name, or define it."""
    return {
        file
        for file, tree in trees().items()
        if any(
            (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.ClassDef) and node.name == name)
            for node in ast.walk(tree)
        )
    }


def test_only_rules_that_enter_a_phase_name_it() -> None:
    named = set().union(*phases_named().values())
    assert named == ENTERED_BY | {"model/phase.py", "model/state.py"}


def test_no_phase_is_named_in_more_than_five_files() -> None:
    named = phases_named()
    assert set(named) == set(Phase.__members__)
    assert {phase: files for phase, files in named.items() if len(files) > 5} == {}


def test_every_phase_has_rules() -> None:
    assert set(_HANDLERS) == {phase for phase in Phase if not phase.gone}


@pytest.mark.parametrize("kind", KINDS_OF_METRIC, ids=lambda kind: str(kind.__name__))
def test_a_kind_of_metric_has_its_rows(kind: type) -> None:
    assert kind in FAMILIES
    assert (kind in KINDS) is (kind is not QueryMetric)
    assert files_naming(kind.__name__) >= ROWS_OF_A_KIND


def test_a_kind_without_peculiarities_is_named_in_its_rows_alone() -> None:
    readers_of_files = ("config/", "cli/judge/")
    named = {file for file in files_naming(RateMetric.__name__) if not file.startswith(readers_of_files)}
    assert named == ROWS_OF_A_KIND


def test_slots_are_read_of_kinds_with_a_fast_lane() -> None:
    assert {kind for kind, reader in KINDS.items() if reader.in_slots} == {kind for kind in KINDS if kind.fast_lane}


@pytest.mark.parametrize("recipe", MOST)
def test_the_recipe_names_files_that_exist_and_not_too_many(recipe: str) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.split(f"## {recipe}\n", 1)[1].split("\n## ", 1)[0]
    files = set(re.findall(r"`(analyzer/[\w/.]+)`", section))
    assert 2 <= len(files) <= MOST[recipe]
    assert [file for file in files if not (ROOT / file).exists()] == []
