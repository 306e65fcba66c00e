"""`canary-analyzer run` as a process: it says in words why it can't start, and ends when it is told to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

CONFIG = """\
prometheus: {url: "http://127.0.0.1:9"}
canaries:
  - {name: my-app, stable: my-app-v1, canary: my-app-v2, analysis: {metrics: [{preset: http-errors}]}}
"""
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: me, user: {token: t}}]
contexts: [{name: lab, context: {cluster: here, user: me}}]
current-context: lab
"""


def run(folder: Path, *options: str, config: str = CONFIG) -> subprocess.CompletedProcess[str]:
    (folder / "canary.yaml").write_text(config)
    (folder / "kubeconfig").write_text(KUBECONFIG)
    program = [sys.executable, "-m", "analyzer", "run", "--config", str(folder / "canary.yaml")]
    return subprocess.run([*program, *options], capture_output=True, text=True, check=False, timeout=60)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What a user reads."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_mistakes_in_the_configuration_are_listed_with_their_lines(tmp_path: Path) -> None:
    said = refused(run(tmp_path, config=CONFIG + "freez: true\n"))
    assert "canary.yaml:4: freez: unknown key; did you mean freeze?" in said


def test_a_cluster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    said = refused(run(tmp_path, "--kubeconfig", str(tmp_path / "kubeconfig")))
    assert "error: " in said
    assert f"request to the API server (kubeconfig {tmp_path / 'kubeconfig'}, context lab) failed" in said


def test_a_context_that_there_is_not_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    said = refused(run(tmp_path, "--kubeconfig", str(tmp_path / "kubeconfig"), "--context", "dev"))
    assert "no context 'dev'" in said
    assert "lab" in said


@pytest.mark.parametrize("address", ["8080", "here:http", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    said = refused(run(tmp_path, "--kubeconfig", str(tmp_path / "kubeconfig"), "--listen", address))
    assert address in said
