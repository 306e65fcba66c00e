"""The sandbox's Prometheus: it starts, comes back on the same port, and never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.sandbox.prometheus import PrometheusServer

pytestmark = pytest.mark.integration

PARENT = """
import sys, time
from pathlib import Path
from analyzer.sandbox.prometheus import PrometheusServer
server = PrometheusServer(Path(sys.argv[2]), Path(sys.argv[1]), ["127.0.0.1:1"], 1.0)
server.start()
print("ready", flush=True)
time.sleep(60)
"""


def processes_that_name(folder: Path) -> list[int]:
    named = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"--storage.tsdb.path={folder}".encode() in (entry / "cmdline").read_bytes():
                named.append(int(entry.name))
        except OSError:
            continue  # it has just ended
    return named


def test_it_comes_back_on_the_same_address_and_leaves_nothing_running(program: Path, tmp_path: Path) -> None:
    server = PrometheusServer(program, tmp_path, ["127.0.0.1:1"], 1.0)
    server.start()
    first = server.url
    assert processes_that_name(tmp_path)
    server.stop()
    assert not server.running
    assert processes_that_name(tmp_path) == []
    server.start()
    assert server.url == first
    server.stop()
    server.stop()
    assert processes_that_name(tmp_path) == []


def test_two_run_side_by_side(program: Path, tmp_path: Path) -> None:
    servers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        servers.append(PrometheusServer(program, tmp_path / name, ["127.0.0.1:1"], 1.0))
    for server in servers:
        server.start()
    assert servers[0].url != servers[1].url
    for server in servers:
        server.stop()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_it_dies_with_its_parent_even_when_that_is_killed(program: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), str(program)], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert processes_that_name(tmp_path)
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes_that_name(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_that_name(tmp_path) == []
