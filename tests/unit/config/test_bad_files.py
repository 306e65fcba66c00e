"""One bad file per mistake: each says in its last lines what must be reported, and nothing else may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.config import load
from analyzer.model.errors import ConfigError

FILES = sorted((Path(__file__).parent / "testdata").glob("*.yaml"))
EXPECTED = "# expected: "


def test_there_is_a_file_for_every_mistake() -> None:
    assert len(FILES) >= 25


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_reports_every_mistake_with_its_line(file: Path) -> None:
    lines = file.read_text().splitlines()
    expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]
    with pytest.raises(ConfigError) as refused:
        load([file])
    problems = refused.value.problems
    assert [f"{one.line}: {one.path}: {one.message}" for one in problems] == expected
    assert {one.file for one in problems} == {str(file)}
    assert "hunter2" not in str(refused.value)
    assert "481516" not in str(refused.value)
