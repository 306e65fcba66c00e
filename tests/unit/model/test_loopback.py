"""Which hosts are this machine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import analyzer
from analyzer.model.loopback import is_loopback
from analyzer.sandbox.loopback import LOOPBACK

PACKAGE = Path(analyzer.__file__).parent


@pytest.mark.parametrize("host", [LOOPBACK, "127.8.9.1", "::1", "localhost"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "::2", "localhost.example.com", "prometheus", "127.0.0"])
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


def test_the_address_is_written_in_one_place() -> None:
    files = {str(file.relative_to(PACKAGE)): ast.parse(file.read_text()) for file in PACKAGE.rglob("*.py")}
    assert {name for name, tree in files.items() if _writes_it(tree)} == {"sandbox/loopback.py"}


def _writes_it(tree: ast.AST) -> bool:
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in docstrings)
    return any(LOOPBACK in str(node.value) for node in texts)
