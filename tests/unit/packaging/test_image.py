"""What goes into the image is locked, and is what the tests ran with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from analyzer.cli.app import build_app
from analyzer.cli.left_out import LEFT_OUT

ROOT = Path(__file__).parents[3]
PINNED = re.compile(r"^(\S+==\S+)(?: ; .*)? \\$", re.MULTILINE)


def pinned(name: str) -> set[str]:
    return set(PINNED.findall((ROOT / name).read_text()))


def test_the_image_gets_the_versions_that_were_tested_and_no_tools() -> None:
    """After a change of the libraries: make lock."""
    inside = pinned("requirements-run.lock")
    assert inside <= pinned("requirements.lock")
    assert len(inside) > 30
    assert not {one.partition("==")[0] for one in inside} & {"pytest", "mypy", "ruff", "hypothesis"}


def test_every_library_has_hashes() -> None:
    text = (ROOT / "requirements-run.lock").read_text()
    for block in re.split(r"\n(?=\S)", text):
        if "==" in block:
            assert "--hash=sha256:" in block, block


def test_the_image_is_not_root_and_holds_only_what_is_copied() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 65532:65532$", dockerfile, re.MULTILINE)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) /src\S*$", dockerfile, re.MULTILINE)
    assert {name for names in copied for name in names.split()} == kept
    assert all((ROOT / name).exists() for name in kept)


def removed() -> list[str]:
    """What the Dockerfile takes out of the package, as paths in the repository."""
    (line,) = re.findall(r"^RUN rm -r (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [path.removeprefix("/src/") for path in line.split()]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as the image has it."""
    folder = tmp_path_factory.mktemp("image")
    shutil.copytree(ROOT / "analyzer", folder / "analyzer", ignore=shutil.ignore_patterns("__pycache__"))
    for path in removed():
        shutil.rmtree(folder / path)
    return folder


def called(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as it runs in the image; `-P` and the folder keep this repository's package out."""
    command = f"import sys; sys.path.insert(0, {str(image)!r}); from analyzer.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", command, *arguments], capture_output=True, text=True, cwd=image, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def test_the_image_leaves_out_the_sandbox_the_demo_and_the_downloader(image: Path) -> None:
    assert {path.replace("/", ".") for path in removed()} == set(LEFT_OUT)
    assert not list(image.rglob("debian.py"))
    assert not list(image.rglob("sandbox")) + list(image.rglob("demo"))


@pytest.mark.parametrize("command", [(), ("run",), ("validate",), ("status",), ("judge",)])
def test_the_program_works_in_the_image(image: Path, command: tuple[str, ...]) -> None:
    done = called(image, *command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_a_daemon_of_the_image_starts_as_far_as_its_cluster(image: Path, tmp_path: Path) -> None:
    (tmp_path / "canary.yaml").write_text(
        'prometheus: {url: "http://127.0.0.1:9"}\n'
        "canaries: [{name: a, stable: a-1, canary: a-2, analysis: {metrics: [{preset: http-errors}]}}]\n"
    )
    done = called(image, "run", f"--config={tmp_path / 'canary.yaml'}", f"--kubeconfig={tmp_path / 'none'}")
    assert done.returncode == 1
    assert "kubeconfig" in done.stderr


@pytest.mark.parametrize("options", [(), ("--json",), ("--release", "all"), ("--help",)])
def test_the_demo_says_in_one_sentence_that_it_is_not_in_the_image(image: Path, options: tuple[str, ...]) -> None:
    done = called(image, "demo", *options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: `demo` is not part of this image: run `make demo` in a checkout of the repository instead\n"
    )


def test_help_of_the_image_does_not_list_the_demo(image: Path) -> None:
    listed = called(image, "--help").stdout
    assert "validate" in listed
    assert "demo" not in listed


def test_the_container_is_started_with_options_that_exist() -> None:
    documents = yaml.safe_load_all((ROOT / "config/kubernetes/deployment.yaml").read_text())
    deployment = next(one for one in documents if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    command, *options = container["args"]
    known = CliRunner().invoke(build_app(), [command, "--help"], env={"COLUMNS": "200"}).output
    assert {option.partition("=")[0] for option in options} <= set(re.findall(r"--[a-z-]+", known))
