"""Whatever happens to a good file, it is understood, or refused with a list of mistakes: never a traceback."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.config import load
from analyzer.model.errors import ConfigError
from tests.unit.config.sources import EXAMPLES

TEXT = (EXAMPLES / "full.yaml").read_text()
TREE = yaml.safe_load(TEXT)
RELAXED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["", "5m", "0s", "100%", "off", "manual", "a" * 300, "http://[", "http://a:99999", "up{", "é\n"]),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "for", "x"]), inner),
    max_leaves=4,
)


def spots(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in entries:
        found += spots(child, (*path, key))
    return found


def check(folder: Path, text: str) -> None:
    file = folder / "file.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        load([file])
    except ConfigError as error:
        assert error.problems  # noqa: PT017 (a refusal is one of two good ends)
        for problem in error.problems:
            assert problem.message
            assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1


@RELAXED
@given(spot=st.sampled_from(spots(TREE)), value=values)
def test_any_value_in_any_place(tmp_path: Path, spot: tuple[Any, ...], value: Any) -> None:
    tree = copy.deepcopy(TREE)
    place = tree
    for key in spot[:-1]:
        place = place[key]
    place[spot[-1]] = value
    check(tmp_path, yaml.safe_dump(tree, allow_unicode=True))


@RELAXED
@given(start=st.integers(0, len(TEXT)), length=st.integers(0, 40), text=st.text(max_size=6))
def test_any_change_of_the_text(tmp_path: Path, start: int, length: int, text: str) -> None:
    check(tmp_path, TEXT[:start] + text + TEXT[start + length :])


@pytest.mark.parametrize("spot", spots(TREE), ids=str)
def test_any_key_left_out(tmp_path: Path, spot: tuple[Any, ...]) -> None:
    tree = copy.deepcopy(TREE)
    place = tree
    for key in spot[:-1]:
        place = place[key]
    del place[spot[-1]]
    check(tmp_path, yaml.safe_dump(tree))
