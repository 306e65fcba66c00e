"""Texts in the sources are in plain words. Docstrings and comments are not checked; every other string is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plain_words import jargon_in

ROOT = Path(__file__).parents[2] / "analyzer"

PACKAGES = tuple(sorted(entry.name for entry in ROOT.iterdir() if entry.name != "__pycache__"))

BANNED = (
    r"\w+n't",
    "again and again",
    "anew",
    "anybody",
    "be asked",
    "first sight",
    "gave no answer",
    "hears?",
    "looks",
    "putting back",
    "reads as",
    "someone else",
    "stands? at",
    "taken up",
    "taking back",
    "tells?",
    "told(?! from)",
)
"""Besides those of `tests.plain_words`: words that only our own sentences may not have, as regular expressions."""

ALLOWED = {("record/explanation/metrics.py", "log evidence")}
"""Words of `why --details`, which the glossary explains."""

_BANNED = re.compile(rf"(?<![\w-])(?:{'|'.join(BANNED)})(?![\w-])", re.IGNORECASE)


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each string that is no docstring; an f-string is one text with {} for its values."""
    tree = ast.parse(source)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def offences(source: str, module: str = "") -> list[str]:
    """The banned words in a module's texts, each with its line."""
    return [
        f"line {line}: {word!r} in {text!r}"
        for line, text in texts(source)
        for word in (*jargon_in(text), *(found.group().lower() for found in _BANNED.finditer(text)))
        if (module, word) not in ALLOWED
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_text_of_this_package_has_a_banned_word(package: str) -> None:
    place = ROOT / package
    modules = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert modules
    found = [
        f"{module.relative_to(ROOT)}, {offence}"
        for module in modules
        for offence in offences(module.read_text(encoding="utf-8"), str(module.relative_to(ROOT)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('reason = "Prometheus couldn\'t be reached"', "couldn't"),
        ('reason = f"{name}: given " f"up"', "given up"),
        ('raise ValueError(f"{one} of {two}: 5.3 nats")', "nats"),
        ('_log.info("x", reason="Nobody knows")', "nobody"),
        ('_log.info("x", reason=f"{one} {two:.2f} hears")', "hears"),
    ],
)
def test_a_banned_word_is_found_wherever_it_is_said(source: str, word: str) -> None:
    assert any(repr(word) in offence for offence in offences(source))


def test_docstrings_and_longer_words_are_left_alone() -> None:
    assert offences('"""Nobody speaks."""\nclass A:\n    """At rest."""\n    x = "natsume, retold, phi-3"\n') == []
