"""The bench of many targets runs, small: its figures are those of releases that are judged without errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.timeout(600)
def test_fifty_targets_are_measured(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.scale",
        "--targets",
        "50",
        "--sweeps",
        "5",
        "--out",
        str(tmp_path / "a.md"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    [case] = json.loads(done.stdout.splitlines()[-1])["cases"]
    assert (case["targets"], case["inRelease"], case["errors"]) == (50, 5, 0)
    assert case["requestsForIdleTargets"] == 0
    assert 0 < case["queriesPerSweepMost"] <= 10
    assert "share of one core" in (tmp_path / "a.md").read_text()
