"""What holds for every command: exit statuses, messages instead of tracebacks, help."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from analyzer.cli import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "arguments", [(), ("validte",), ("validate",), ("validate", "--nope"), ("schema", "-o", "xml")], ids=str
)
def test_a_usage_error_is_status_1_because_2_means_aborted(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 1
    assert "Usage: canary-analyzer" in "".join(capsys.readouterr())


def test_a_mistyped_command_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    run("validte")
    assert "validate" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("version",), ("--version",)], ids=str)
def test_the_version_is_told(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    assert capsys.readouterr().out.startswith("canary-analyzer ")


@pytest.mark.parametrize("command", ["validate", "schema"])
def test_help_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    assert f"canary-analyzer {command} " in capsys.readouterr().out
