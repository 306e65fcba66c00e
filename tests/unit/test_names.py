"""A class name means one thing in the whole package, so that a search for it finds what is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "analyzer"


def classes() -> Iterator[tuple[str, str]]:
    """Every class of the package, private and nested ones too, and where it is."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name, f"{file.relative_to(PACKAGE.parent)}:{node.lineno}"


def test_a_class_name_is_used_once_in_the_package() -> None:
    places = defaultdict(list)
    for name, place in classes():
        places[name].append(place)
    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
