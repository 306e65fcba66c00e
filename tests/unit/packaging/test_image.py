"""What goes into the image is locked, and is what the tests ran with."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from analyzer.cli.app import build_app

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


def test_the_container_is_started_with_options_that_exist() -> None:
    documents = yaml.safe_load_all((ROOT / "config/kubernetes/deployment.yaml").read_text())
    deployment = next(one for one in documents if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    command, *options = container["args"]
    known = CliRunner().invoke(build_app(), [command, "--help"], env={"COLUMNS": "200"}).output
    assert {option.partition("=")[0] for option in options} <= set(re.findall(r"--[a-z-]+", known))
