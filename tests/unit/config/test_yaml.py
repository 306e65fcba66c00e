"""YAML as it is read here: without the traps of its older version, and with the line of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analyzer.config.yaml import YamlDocument, read_document


def read(folder: Path, text: str) -> tuple[YamlDocument, list[str]]:
    file = folder / "file.yaml"
    file.write_text(text)
    document, problems = read_document(file)
    return document or YamlDocument("", {}, {}), [f"{one.line}: {one.message}" for one in problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("n", "n"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("010", 10),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("5m", "5m"),
        ("25%", "25%"),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("9999999999999999999", 9999999999999999999.0),
        ("=", "="),
        ('"1"', "1"),
    ],
)
def test_scalars_mean_what_they_look_like(tmp_path: Path, written: str, value: Any) -> None:
    document, problems = read(tmp_path, f"key: {written}\n")
    assert problems == []
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)


def test_anchors_and_merge_keys_bring_their_lines_along(tmp_path: Path) -> None:
    text = "one: &one\n  a: 1\n  b: 2\ntwo:\n  <<: *one\n  b: 3\nthree:\n  <<: [*one, {c: 4}]\n"
    document, problems = read(tmp_path, text)
    assert problems == []
    assert document.value["two"] == {"a": 1, "b": 3}
    assert document.value["three"] == {"a": 1, "b": 2, "c": 4}
    assert document.place(("two", "a")).line == 2
    assert document.place(("two", "b")).line == 6


def test_the_first_mapping_of_a_merged_list_wins(tmp_path: Path) -> None:
    document, _ = read(tmp_path, "key:\n  <<: [{a: 1}, {a: 2}]\n")
    assert document.value["key"] == {"a": 1}


def test_a_merge_of_something_else_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, "key:\n  <<: 5\n")[1] == ["2: expected `<<` to name a mapping by its anchor"]


def test_a_path_that_is_not_there_stands_at_the_nearest_thing_around_it(tmp_path: Path) -> None:
    document, _ = read(tmp_path, "a:\n  b:\n    - c: 1\n")
    assert document.place(("a", "b", 0, "d", "e")).line == 3
    assert document.place(("z",)).line == 1


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    assert "nested more than 50 levels deep" in read(tmp_path, "key: " + "[" * 80 + "]" * 80 + "\n")[1][0]


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    assert read(tmp_path, "\n".join(lines))[1] == ["1: more than 1,000,000 values; split the file"]


def test_a_tag_that_its_value_does_not_fit_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, "key: !!int five\n")[1] == ["1: 'five' does not fit its YAML tag; remove the tag"]


def test_control_characters_are_refused(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, "key: \x01\n")[1]
    assert "not valid YAML" in problem
