"""The operators' commands on the documents in a cluster, and what --wait waits for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner
from typer.testing import Result as Outcome

from analyzer.cli.operate import register
from analyzer.cli.operate.documents import InCluster, Where
from analyzer.cli.operate.waiting import PollPace
from analyzer.kube.errors import ForbiddenError
from analyzer.kube.objects import DEPLOYMENTS
from analyzer.model.phase import Phase
from analyzer.model.status_document import AnswerDocument, BySide, CauseDocument
from analyzer.model.workload import template_of
from tests.fakes.configmap_stage import ClusterStage
from tests.unit.record.sample_states import a_status_document, an_entry

Step = Callable[[ClusterStage], None]

STATUS = a_status_document(
    release="my-app-c0ffee00-1",
    version="c0ffee001122",
    versions=BySide("57ab1e001122", "c0ffee001122"),
    step=1,
    steps=2,
    weight=10,
    verdict="INCONCLUSIVE",
    observed_share=0.1,
)
ENDED = {"phase": Phase.SUCCEEDED, "outcome": "promoted", "weight": 100}
ABORTED = {"phase": Phase.ABORTED, "outcome": "aborted", "weight": 0}
NEW = {"release": "my-app-c0ffee00-2"}


class Terminal:
    """Runs the program; each look of `--wait` after the first is preceded by the next of `then`."""

    def __init__(self, stage: ClusterStage) -> None:
        self.stage = stage
        self.asked: list[Where] = []
        self._app = typer.Typer()
        self._then: list[Step] = []
        register(self._app, self._reach, PollPace(stage.clock.monotonic, self._sleep))

    def run(self, *arguments: str, then: Sequence[Step] = ()) -> Outcome:
        self._then = list(then)
        return CliRunner().invoke(self._app, arguments)

    def _reach(self, where: Where) -> InCluster:
        self.asked.append(where)
        return InCluster(self.stage.api, where.analyzer_namespace)

    def _sleep(self, seconds: float) -> None:
        self.stage.clock.advance(seconds)
        if self._then:
            self._then.pop(0)(self.stage)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(ClusterStage())


def publish(stage: ClusterStage, *changes: dict[str, Any]) -> None:
    values = {key: value for change in changes for key, value in change.items()}
    stage.store.publish("my-app", replace(STATUS, **values))


def seen(*changes: dict[str, Any]) -> Step:
    return lambda stage: publish(stage, *changes)


def answered(*changes: dict[str, Any], accepted: bool = True) -> Step:
    """The daemon carries out, or refuses, what stands on file."""

    def act(stage: ClusterStage) -> None:
        executed = tuple(
            AnswerDocument(command.id, command.verb, accepted, "so be it") for command in stage.store.commands("my-app")
        )
        publish(stage, {"executed_commands": executed}, *changes)

    return act


def test_asks_in_the_namespace_of_the_target(terminal: Terminal) -> None:
    publish(terminal.stage)

    outcome = terminal.run("pause", "my-app", "--context", "production")

    assert outcome.exit_code == 0, outcome.output
    [command] = terminal.stage.store.commands("my-app")
    assert (command.verb, command.subject) == ("pause", "my-app-c0ffee00-1")
    [where] = terminal.asked
    assert (where.context, where.namespace, where.analyzer_namespace) == ("production", None, "canary-analyzer")


def test_shows_the_documents_of_the_cluster(terminal: Terminal) -> None:
    publish(terminal.stage)

    shown = json.loads(terminal.run("status", "my-app", "-o", "json").stdout)

    wanted = {"target", "phase", "outcome", "reason", "step", "weight", "observedShare", "replicas", "metrics"}
    assert wanted <= shown.keys()
    assert terminal.run("status").stdout.splitlines()[1].split() == [
        "my-app", "PROGRESSING", "1/2", "10%", "9/9", "1/1", "INCONCLUSIVE"
    ]  # fmt: skip


def test_says_which_rule_is_missing_to_ask(terminal: Terminal) -> None:
    publish(terminal.stage)
    terminal.stage.api.fail(error=ForbiddenError("create ConfigMap: 403"), verb="create")

    outcome = terminal.run("abort", "my-app")

    assert outcome.exit_code == 1
    assert "verbs: [get, create, patch]" in outcome.stderr
    assert "namespace shop" in outcome.stderr


def test_says_so_when_there_are_no_targets(terminal: Terminal) -> None:
    outcome = terminal.run("status")

    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert "no canary targets found in namespace canary-analyzer" in outcome.stderr
    assert json.loads(terminal.run("status", "-o", "json").stdout) == []


def test_looks_where_the_analyzer_is_said_to_be(terminal: Terminal) -> None:
    publish(terminal.stage)

    outcome = terminal.run("status", "my-app", "--analyzer-namespace", "elsewhere")

    assert outcome.exit_code == 1
    assert "in namespace elsewhere; found: none" in outcome.stderr


@pytest.mark.parametrize(("end", "code"), [(ENDED, 0), (ABORTED, 2)], ids=["promoted", "aborted"])
def test_waits_for_the_release_in_progress(terminal: Terminal, end: dict[str, Any], code: int) -> None:
    publish(terminal.stage)

    outcome = terminal.run(
        "status", "my-app", "--wait", then=[seen({"reason": "soon"}), seen({"step": 2, "weight": 50}), seen(end)]
    )

    assert outcome.exit_code == code
    assert outcome.stdout.splitlines()[:3] == [
        "my-app-c0ffee00-1: step 1 of 2 (10 %); pods: stable 9/9, canary 1/1",
        "my-app-c0ffee00-1: step 2 of 2 (50 %); pods: stable 9/9, canary 1/1",
        f"my-app-c0ffee00-1: {end['outcome']}: more traffic is needed",
    ]


def test_a_rollback_is_a_short_line_and_its_reason_comes_at_the_end(terminal: Terminal) -> None:
    publish(terminal.stage)
    cause = CauseDocument("fail", "errors: canary 10.5 %: 3.1x. Failed, 0.15 %", "errors")

    outcome = terminal.run(
        "status",
        "my-app",
        "--wait",
        then=[seen({"phase": Phase.ROLLING_BACK, "cause": cause}), seen(ABORTED, {"cause": cause})],
    )

    assert outcome.stdout.splitlines()[1:3] == [
        "my-app-c0ffee00-1: rolling back, errors failed; pods: stable 9/9, canary 1/1",
        "my-app-c0ffee00-1: aborted: errors: canary 10.5 %: 3.1x",
    ]


def test_an_abort_by_an_operator_is_named_once(terminal: Terminal) -> None:
    cause = CauseDocument("operator", "aborted by ada", None)
    publish(terminal.stage, ABORTED, {"cause": cause})

    outcome = terminal.run("status", "my-app", "--wait")

    assert outcome.stdout.splitlines()[0] == "my-app-c0ffee00-1: aborted by ada"


def test_exits_with_3_when_it_has_waited_long_enough(terminal: Terminal) -> None:
    publish(terminal.stage)

    outcome = terminal.run("status", "my-app", "--wait", "--timeout", "1m")

    assert outcome.exit_code == 3
    assert terminal.stage.clock.monotonic() == 60
    assert "still in progress after 1m; the daemon continues" in outcome.stdout


def test_json_is_alone_on_stdout_while_waiting(terminal: Terminal) -> None:
    publish(terminal.stage)

    outcome = terminal.run("status", "my-app", "--wait", "-o", "json", then=[seen(ENDED)])

    assert json.loads(outcome.stdout)["outcome"] == "promoted"
    assert "step 1 of 2" in outcome.stderr


@pytest.mark.parametrize(
    ("status", "code", "line"),
    [
        (ENDED, 0, "my-app-c0ffee00-1: promoted"),
        (ABORTED, 2, "my-app-c0ffee00-1: aborted"),
        ({"phase": Phase.IDLE, "release": None}, 1, "no release to wait for"),
    ],
)
def test_tells_the_last_end_when_nothing_is_in_progress(
    terminal: Terminal, status: dict[str, Any], code: int, line: str
) -> None:
    publish(terminal.stage, status)

    outcome = terminal.run("status", "my-app", "--wait")

    assert outcome.exit_code == code
    assert line in outcome.stdout


def test_start_waits_for_the_release_that_it_asked_for(terminal: Terminal) -> None:
    publish(terminal.stage, ABORTED)

    outcome = terminal.run(
        "retry",
        "my-app",
        "--wait",
        then=[
            seen(ABORTED, {"reason": "not looked yet"}),
            answered(ABORTED, {"phase": Phase.PENDING}),
            answered(NEW),
            answered(NEW, ENDED),
        ],
    )

    assert outcome.exit_code == 0, outcome.output
    assert [line.split(", ")[0] for line in outcome.stdout.splitlines()[1:]] == [
        "my-app: waiting for the daemon to accept the command",
        "my-app: pending: more traffic is needed",
        "my-app-c0ffee00-2: step 1 of 2 (10 %); pods: stable 9/9",
        "my-app-c0ffee00-2: promoted: more traffic is needed",
    ]


def test_a_refused_request_is_an_error(terminal: Terminal) -> None:
    publish(terminal.stage)

    outcome = terminal.run("promote", "my-app", "--wait", then=[answered(accepted=False)])

    assert outcome.exit_code == 1
    assert "my-app: refused: so be it" in outcome.stdout


def test_a_release_that_never_began_was_not_promoted(terminal: Terminal) -> None:
    publish(terminal.stage, ABORTED)

    outcome = terminal.run("start", "my-app", "--wait", then=[answered({"phase": Phase.IDLE}, {"outcome": "promoted"})])

    assert outcome.exit_code == 2
    assert "no release started" in outcome.stdout


def test_another_version_that_takes_the_place_is_not_the_one_waited_for(terminal: Terminal) -> None:
    publish(terminal.stage, ABORTED)

    outcome = terminal.run(
        "start", "my-app", "--wait", then=[answered({"release": "my-app-bbbb-2", "version": "bbbb"}, ENDED)]
    )

    assert outcome.exit_code == 2


def test_finds_the_end_in_the_history_when_the_status_has_moved_on(terminal: Terminal) -> None:
    publish(terminal.stage)

    def moved_on(stage: ClusterStage) -> None:
        entry = an_entry("my-app-c0ffee00-1", result="superseded", reason="a new version")
        stage.store.append_history("my-app", entry)
        publish(stage, {"release": "my-app-bbbb-2", "version": "bbbb"})

    outcome = terminal.run("status", "my-app", "--wait", then=[moved_on])

    assert outcome.exit_code == 2
    assert "my-app-c0ffee00-1: superseded: a new version" in outcome.stdout


def deploy(stage: ClusterStage, image: str) -> str:
    """The canary's Deployment gets this image; gives its version."""
    labels = {"app": "my-app", "version": "v2"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    stage.api.put(DEPLOYMENTS, {"metadata": {"name": "v2", "namespace": "shop"}, "spec": spec})
    return template_of(template, labels).hash


def test_waits_for_a_version_that_the_daemon_has_not_seen_yet(terminal: Terminal) -> None:
    """`kubectl set image` and then `status --wait` must not end with the release before."""
    publish(terminal.stage, ENDED)
    new = {"version": deploy(terminal.stage, "shop:3")}
    known = {"versions": BySide("c0ffee001122", new["version"])}

    outcome = terminal.run(
        "status",
        "my-app",
        "--wait",
        then=[
            seen(ENDED, {"reason": "again"}),
            seen(ENDED, known, {"phase": Phase.PENDING}),
            seen(ABORTED, known, new, NEW),
        ],
    )

    assert outcome.exit_code == 2
    assert [line.split(": ")[1] for line in outcome.stdout.splitlines()[:3]] == [
        f"waiting for the daemon to see version {new['version']}",
        "pending",
        "aborted",
    ]


def test_starts_the_version_that_the_deployment_has_now(terminal: Terminal) -> None:
    publish(terminal.stage, ABORTED)
    version = deploy(terminal.stage, "shop:3")

    assert terminal.run("start", "my-app").exit_code == 0

    assert [command.subject for command in terminal.stage.store.commands("my-app")] == [version]


def test_goes_on_waiting_while_the_cluster_can_not_be_reached(terminal: Terminal) -> None:
    publish(terminal.stage)

    outcome = terminal.run(
        "status", "my-app", "--wait", then=[lambda stage: stage.api.fail(), lambda stage: publish(stage, ENDED)]
    )

    assert outcome.exit_code == 0
    assert "reading its status failed, retrying" in outcome.stdout


def test_waiting_needs_a_target(terminal: Terminal) -> None:
    outcome = terminal.run("status", "--wait")

    assert outcome.exit_code == 2
    assert "expected the TARGET to wait for" in outcome.stderr
