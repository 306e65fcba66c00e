"""Which modules the program loads, and for which command."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.main import get_command

from analyzer.cli.app import COMMANDS, build_app


def _names(app: typer.Typer) -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined] # a group, as it has a callback


@pytest.mark.parametrize("module", COMMANDS)
def test_a_module_registers_the_commands_that_are_listed_for_it(module: str) -> None:
    assert _names(build_app([module])) == set(COMMANDS[module])


def test_without_a_command_all_are_there() -> None:
    assert _names(build_app()) == {name for names in COMMANDS.values() for name in names}


def test_an_operator_does_not_wait_for_the_judge_to_load() -> None:
    program = (
        "import sys\n"
        "from analyzer.cli import main\n"
        "try:\n    main(['status', '--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert 'scipy' not in sys.modules and 'analyzer.judge' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--wait" in done.stdout
