"""`schema` prints what is published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_app import run

EXAMPLES = Path(__file__).parents[3] / "config"


def test_prints_the_published_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((EXAMPLES / "schema.json").read_text())


def test_prints_a_table_of_all_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", "-o", "markdown") == 0
    assert "| `limits.maxConcurrent` | integer | `20` |" in capsys.readouterr().out
