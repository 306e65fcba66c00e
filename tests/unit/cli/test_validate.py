"""`validate` says what a configuration would do, or all that is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_app import run

EXAMPLES = Path(__file__).parents[3] / "config"
BAD = "prometheus: {url: http://prometheus:9090}\ncanaries: []\nfreez: true\nlimits: {maxConcurrent: 0}\n"


def test_a_good_file_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", str(EXAMPLES / "minimal.yaml")) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok: 1 target",
        "  default/my-app: canary my-app-v2, stable my-app-v1 (act)",
        "    steps: 10 % for 5m, 25 % for 5m, 50 % for 10m; promotion by copyTemplate; bake 30m",
        "    metrics: http-errors; without proof after 2h: hold",
    ]


def test_a_freeze_is_mentioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "frozen.yaml"
    file.write_text((EXAMPLES / "minimal.yaml").read_text() + "freeze: true\n")
    assert run("validate", str(file)) == 0
    assert "freeze is set: no release starts or moves forward" in capsys.readouterr().out


def test_a_deprecated_api_version_is_warned_of_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.yaml"
    file.write_text((EXAMPLES / "minimal.yaml").read_text() + "apiVersion: canary-analyzer/v1\n")
    line = file.read_text().count("\n")
    assert run("validate", str(file)) == 0
    out, err = capsys.readouterr()
    assert out.startswith("ok: 1 target\n")
    assert err == (
        f"warning: {file}:{line}: apiVersion: canary-analyzer/v1 is deprecated; "
        "write canary-analyzer.io/v1 when every daemon has been upgraded\n"
    )
    assert run("validate", "-o", "json", str(file)) == 0
    [warning] = json.loads(capsys.readouterr().out)["warnings"]
    assert (warning["file"], warning["line"], warning["path"]) == (str(file), line, "apiVersion")


def test_every_mistake_goes_to_stderr_with_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    assert run("validate", str(file)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{file}:3: freez: unknown key; did you mean freeze?",
        f"{file}:4: limits.maxConcurrent: expected a number of at least 1, found 0",
        "error: 2 mistakes in the configuration; nothing was loaded",
    ]


def test_mistakes_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    assert run("validate", "-o", "json", str(file)) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is False
    assert result["problems"][0] == {
        "file": str(file),
        "line": 3,
        "path": "freez",
        "message": "unknown key; did you mean freeze?",
    }


def test_targets_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "-o", "json", str(EXAMPLES / "full.yaml")) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is True
    assert result["warnings"] == []
    first, second = result["targets"]
    assert first["metrics"][:2] == ["errors", "latency"]
    assert first["steps"][1] == {"weight": 25.0, "hold": "5m", "gate": True}
    assert (second["namespace"], second["mode"]) == ("search", "observe")
