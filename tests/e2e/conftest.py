"""The lab that all tests share, labs of their own for those that hurt the cluster, and a scene for each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.lab.lab import Lab, LabAddress
from tests.e2e.lab.shared import join
from tests.e2e.scene import kill_table, kills
from tests.e2e.scene.configuration import Setup
from tests.e2e.scene.scene import Scene
from tests.plain_words import assert_plain

MakeStage = Callable[[LabAddress, Setup], Scene]
MakeScene = Callable[..., Scene]
_REPORT = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep the result, so that a scene knows whether to tell its story."""
    report: pytest.TestReport = yield  # type: ignore[assignment] # pytest sends it
    if report.when == "call":
        item.stash[_REPORT] = report
    return report  # type: ignore[return-value] # as pytest wants it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the table of kills, after a run that had every one of them."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    found = [value for one in reports for name, value in one.user_properties if name == kill_table.PROPERTY]
    rows = {kill_table.Row.from_json(str(text)) for text in found}
    if rows and len(rows) == len(kill_table.CASES):
        content = kill_table.page(rows, len(kills.PROMOTED_MOVES), kills.REPLICAS)
        kill_table.FILE.write_text(content, encoding="utf-8")
        terminalreporter.write_line(f"{len(rows)} kills in {kill_table.FILE}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabAddress]:
    """The lab of this run, one for all processes of it; nobody may hurt it."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with join(folder) as address:
        yield address


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab for this test alone, which may stop its API server, its etcd or its Prometheus."""
    folder = tmp_path / "lab"
    folder.mkdir()
    with Lab(folder) as lab:
        yield lab


@pytest.fixture
def stages(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeStage]:
    """Makes scenes in any lab: `stages(lab.address, Setup(...))`. They end with the test, and say why it failed."""
    with ExitStack() as open_scenes:
        scenes: list[Scene] = []

        def make(lab: LabAddress, setup: Setup) -> Scene:
            folder = tmp_path / f"scene-{len(scenes) + 1}"
            folder.mkdir()
            scenes.append(open_scenes.enter_context(Scene(lab, folder, setup)))
            return scenes[-1]

        yield make
        assert_plain(text for scene in scenes for text in scene.texts())
        report = request.node.stash.get(_REPORT, None)
        if report is None or report.failed:
            print(*(scene.story() for scene in scenes), sep="\n")  # noqa: T201 - pytest shows it with the failure


@pytest.fixture
def new_scene(lab: LabAddress, stages: MakeStage) -> MakeScene:
    """Makes a scene in the shared lab and begins it: `new_scene(plan=..., analysis=...)`, see `Setup`."""

    def make(**wanted: object) -> Scene:
        scene = stages(lab, Setup(**wanted))  # type: ignore[arg-type] # Setup says what it takes
        scene.begin()
        return scene

    return make
