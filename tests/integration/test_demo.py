"""`canary-analyzer demo` as a user runs it: the result, two at once, and nothing left behind after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.plain_words import assert_plain, prose_of

pytestmark = pytest.mark.integration


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """A demo whose temporary files go to `folder`."""
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "analyzer", "demo", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )


def users_of(folder: Path) -> list[str]:
    """Command lines of processes that were started with this folder for temporary files."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"TMPDIR={folder}".encode() in (process / "environ").read_bytes() and _lives(process):
                found.append((process / "cmdline").read_text())
    return found


def _lives(process: Path) -> bool:
    return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_two_demos_side_by_side_abort_their_bad_release_and_say_why(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    demos = [start(folder, "--release", "bad", "--json", "--seed", str(n)) for n, folder in enumerate(folders)]
    for demo, folder in zip(demos, folders, strict=True):
        out, _ = demo.communicate(timeout=200)
        told = (tmp_path / f"{folder.name}.log").read_text()
        assert demo.returncode == 0, told[-2000:]
        _check_bad(json.loads(out))
        assert_plain([*prose_of(json.loads(out)), *told.splitlines()])
        assert list(folder.iterdir()) == []
        assert users_of(folder) == []


def _check_bad(result: dict[str, Any]) -> None:
    assert result.keys() == {"releases", "prometheus", "seconds"}
    (bad,) = result["releases"]
    assert (bad["name"], bad["outcome"], bad["phase"], bad["culprit"]) == ("bad", "aborted", "ABORTED", "errors")
    assert "Failed, false alarm chance below" in bad["reason"]
    assert 0 < bad["secondsToAbort"] <= bad["secondsToSafe"]
    assert bad["usersHurt"] > 0
    assert bad["alertsDelivered"] == 1
    assert bad["weights"] == [10, 30, 50]  # of ten pods
    errors = next(metric for metric in bad["metrics"] if metric["name"] == "errors")
    assert errors["classification"] == "HIGH"
    assert errors["ratio"] > 1.25
    assert errors["interval"][0] < errors["ratio"] < errors["interval"][1]


@pytest.mark.parametrize("moment", [0.3, 1.5, 7.0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_at_any_time_it_leaves_no_process_and_no_file(
    tmp_path: Path, moment: float, number: signal.Signals
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    demo = start(folder)
    time.sleep(moment)  # the moment of the interruption is what is tested, not waited for
    demo.send_signal(number)
    demo.communicate(timeout=40)
    assert demo.returncode != 0
    assert list(folder.iterdir()) == []
    assert users_of(folder) == []


def test_refuses_a_kind_that_it_does_not_know_and_names_those_that_it_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "demo", "--release", "god"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    )
    assert done.returncode == 1
    assert "good, bad" in done.stderr
    assert "\x1b[" not in done.stderr
