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


def loaded_by(*arguments: str) -> set[str]:
    """Modules of ours that are loaded once a command has said its help."""
    program = (
        "import sys\n"
        "from analyzer.cli import main\n"
        f"try:\n    main({[*arguments, '--help']!r})\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print(*(name for name in sys.modules if name.startswith('analyzer')), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("command", [names[0] for names in COMMANDS.values() if "demo" not in names])
def test_no_command_but_the_demo_loads_sandbox_or_demo(command: str) -> None:
    loaded = loaded_by(command)
    assert "analyzer.cli.app" in loaded
    assert not {name for name in loaded if name.startswith(("analyzer.sandbox", "analyzer.cli.demo"))}


def test_run_loads_all_that_the_daemon_needs_when_it_starts() -> None:
    """What is loaded later would be missing at a moment when it matters."""
    assert loaded_by("run") >= {f"analyzer.{name}" for name in ("bootstrap", "engine", "kube", "judge", "decision")}


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
