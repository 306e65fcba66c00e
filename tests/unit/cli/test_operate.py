"""The operators' commands write requests that the daemon can take up, and show its documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner
from typer.testing import Result as Finished

from analyzer.cli.operate import register
from analyzer.model.decision import Action, Decision
from analyzer.model.metric import Analysis
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.plan import Plan
from analyzer.model.report import Report
from analyzer.model.state import Cause, CauseKind, ExecutedCommand, Result, TargetState, Verb
from analyzer.model.status_document import BySide, DeploymentDocument
from analyzer.model.target import Target
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict, Outcome, Verdict
from analyzer.model.workload import Snapshot, Template, Workload
from analyzer.record.files import FileStore
from analyzer.record.status import history_entry, status_of
from tests.unit.record.sample_states import a_release, a_state, a_status_document, at

Run = Callable[..., Finished]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    app = typer.Typer()
    register(app)

    def invoke(*arguments: str) -> Finished:
        return CliRunner().invoke(app, [arguments[0], "--state-dir", str(tmp_path), *arguments[1:]])

    return invoke


def put(folder: Path, state: TargetState, *metrics: MetricVerdict, seen: bool = True) -> None:
    """What a daemon leaves after a tick; `seen` says whether it saw the Deployments."""
    store = FileStore(folder)
    target = Target(state.target, "default", state.roles, Plan(steps=()), Analysis(metrics=()))
    canary = Workload("my-app-v2", "uid-2", 1, 1, 1, 1, Template("c0ffee001122", {}), {})
    snapshot = Snapshot(target, None, canary) if seen else None
    store.save(state, None)
    verdict = Verdict(Outcome.INCONCLUSIVE, "", metrics) if metrics else None
    report = Report(target, at(1), Decision(Action.HOLD, "more traffic is needed [errors]", state), snapshot, verdict)
    store.publish(state.target, status_of(report, state))


def write(path: Path, text: str) -> None:
    """A document that was edited, or that another version wrote."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def idle_state(phase: Phase = Phase.ABORTED, **changes: Any) -> TargetState:
    return a_state(phase=phase, release=a_release(ended_at=at(12), result=Result.ABORTED), **changes)


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.RESUME, Verb.PROMOTE, Verb.ABORT])
def test_asks_for_something_about_the_release_in_progress(run: Run, tmp_path: Path, verb: Verb) -> None:
    put(tmp_path, a_state())

    outcome = run(verb.value, "my-app")

    assert outcome.exit_code == 0, outcome.output
    [command] = FileStore(tmp_path).commands("my-app")
    assert (command.verb, command.subject, command.extend) == (verb, "my-app-c0ffee00-1", None)
    assert command.by
    assert f"{verb} of my-app (my-app-c0ffee00-1) requested, command {command.id};" in outcome.stdout


@pytest.mark.parametrize("verb", [Verb.START, Verb.RETRY])
def test_asks_for_a_release_of_the_version_that_the_canary_has(run: Run, tmp_path: Path, verb: Verb) -> None:
    put(tmp_path, idle_state())

    assert run(verb.value, "my-app").exit_code == 0

    [command] = FileStore(tmp_path).commands("my-app")
    assert (command.verb, command.subject) == (verb, "c0ffee001122")


def test_aborts_a_pending_release_by_its_version(run: Run, tmp_path: Path) -> None:
    put(tmp_path, idle_state(Phase.PENDING))

    assert run("abort", "my-app").exit_code == 0

    assert FileStore(tmp_path).commands("my-app")[0].subject == "c0ffee001122"


def test_keeps_the_order_in_which_an_operator_asked(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())
    for verb in ("pause", "resume", "abort"):
        run(verb, "my-app")

    assert [command.verb for command in FileStore(tmp_path).commands("my-app")] == ["pause", "resume", "abort"]


def test_resume_can_move_the_deadline(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state(phase=Phase.PAUSED))

    assert run("resume", "my-app", "--extend", "1h30m").exit_code == 0

    assert FileStore(tmp_path).commands("my-app")[0].extend == timedelta(minutes=90)


@pytest.mark.parametrize("length", ["90", "0s", "soon"])
def test_refuses_a_length_that_is_none(run: Run, tmp_path: Path, length: str) -> None:
    put(tmp_path, a_state(phase=Phase.PAUSED))

    outcome = run("resume", "my-app", "--extend", length)

    assert outcome.exit_code == 2
    assert "--extend" in outcome.stderr
    assert FileStore(tmp_path).commands("my-app") == []


def test_refuses_to_pause_when_nothing_is_in_progress(run: Run, tmp_path: Path) -> None:
    put(tmp_path, idle_state())

    outcome = run("pause", "my-app")

    assert outcome.exit_code == 1
    assert "error: my-app: pause: expected a release in progress, found phase ABORTED" in outcome.stderr
    assert "retry" in outcome.stderr
    assert FileStore(tmp_path).commands("my-app") == []


def test_refuses_to_start_a_version_that_was_not_seen(run: Run, tmp_path: Path) -> None:
    put(tmp_path, idle_state(), seen=False)

    outcome = run("start", "my-app")

    assert outcome.exit_code == 1
    assert "the version of the canary is not known" in outcome.stderr


@pytest.mark.parametrize("command", ["pause", "start", "status", "why", "history"])
def test_names_the_targets_that_exist_when_asked_about_another(run: Run, tmp_path: Path, command: str) -> None:
    put(tmp_path, a_state())

    outcome = run(command, "my-ap")

    assert outcome.exit_code == 1
    assert f"canary target 'my-ap' not found in state directory {tmp_path}; found: my-app" in outcome.stderr


def test_asks_for_nothing_when_the_status_can_not_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "status").mkdir()
    (tmp_path / "status" / "my-app.json").write_text("{ torn")

    outcome = run("abort", "my-app")

    assert outcome.exit_code == 1
    assert "error: " in outcome.stderr
    assert "expected JSON" in outcome.stderr
    assert FileStore(tmp_path).commands("my-app") == []


def test_status_gives_one_target_as_json(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())

    shown = json.loads(run("status", "my-app", "-o", "json").stdout)

    assert (shown["target"], shown["phase"], shown["step"], shown["weight"]) == ("my-app", "PROGRESSING", 1, 10)


def test_status_gives_all_targets_as_a_list(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())
    put(tmp_path, a_state(target="another"))

    assert [one["target"] for one in json.loads(run("status", "-o", "json").stdout)] == ["another", "my-app"]


def test_status_is_a_table_for_people_with_the_reason_beneath(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())

    head, row, reason = run("status").stdout.splitlines()

    assert head.split() == ["TARGET", "PHASE", "STEP", "SHARE", "STABLE", "CANARY", "VERDICT"]
    assert row.split() == ["my-app", "PROGRESSING", "1/2", "-", "-", "1/1", "-"]
    assert reason == "  more traffic is needed [errors]"


def test_status_fits_80_columns(run: Run, tmp_path: Path) -> None:
    replicas = BySide(DeploymentDocument("v1", 100, 100), DeploymentDocument("v2", 100, 100))
    status = a_status_document(
        step=10, steps=12, observed_share=0.123, verdict="INCONCLUSIVE", reason="word " * 60, replicas=replicas
    )
    for target in ("recommendations-api-2", "cart"):
        FileStore(tmp_path).publish(target, replace(status, target=target))

    lines = run("status").stdout.splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["cart", "PROGRESSING", "10/12", "12.3%", "100/100", "100/100", "INCONCLUSIVE"]
    assert lines[2].startswith("  word word")


def test_wide_status_has_everything_in_one_row(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())

    head, row = run("status", "-o", "wide").stdout.splitlines()

    assert head.split() == [
        "NAMESPACE", "TARGET", "PHASE", "STEP", "WEIGHT", "SHARE", "STABLE", "CANARY", "VERDICT", "RELEASE", "OUTCOME",
        "UPDATED", "REASON",
    ]  # fmt: skip
    assert row.split(maxsplit=12)[4] == "10%"
    assert re.search(r" (\d+[dhms]){1,2} ago  more", row), "a time is an age"
    assert row.endswith("more traffic is needed [errors]")


def test_a_reason_can_not_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    FileStore(tmp_path).publish("my-app", a_status_document(reason="said \x1b[2Jnothing"))

    assert "\x1b" not in run("status").stdout


def test_shows_the_targets_of_one_namespace(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())

    assert json.loads(run("status", "-n", "default", "-o", "json").stdout) != []
    assert json.loads(run("status", "-n", "elsewhere", "-o", "json").stdout) == []
    outcome = run("abort", "my-app", "-n", "elsewhere")
    assert outcome.exit_code == 1
    assert "expected a canary target in namespace elsewhere, found one in default" in outcome.stderr


def test_status_of_a_target_repeats_the_answer_to_the_latest_command(run: Run, tmp_path: Path) -> None:
    refused = ExecutedCommand("c1", Verb.PAUSE, accepted=False, answer="it is for [another] release")
    put(tmp_path, a_state(executed=(refused,)))

    assert run("status", "my-app").stdout.splitlines()[-1] == (
        "Latest command (pause, c1) refused: it is for [another] release"
    )
    assert "c1" not in run("status").stdout


@pytest.mark.parametrize("command", ["status", "why"])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{ torn", "expected JSON, found '{ torn'"),
        ("[]", "expected a JSON object, found a list"),
        ({"replicas": None}, "unexpected content (1 problem): replicas: Input should be"),
        ({"phase": "ORBITING"}, "phase: Input should be 'IDLE'"),
        ({"updatedAt": "2026-03-01T12:00:00"}, "updatedAt: Input should have timezone info"),
        (
            {"metrics": [{"name": "x", "classification": "PASS", "reason": "", "silentPods": 1}]},
            "metrics.0.silentPods:",
        ),
    ],
)
def test_a_status_that_cannot_be_read_is_an_error_of_its_target_and_the_others_are_shown(
    run: Run, tmp_path: Path, command: str, content: str | dict[str, Any], complaint: str
) -> None:
    put(tmp_path, a_state())
    text = content if isinstance(content, str) else json.dumps({**plain_json(a_status_document()), **content})
    write(tmp_path / "status" / "bad.json", text)

    outcome = run(command)

    assert outcome.exit_code == 1
    assert "my-app" in outcome.stdout
    assert "bad" not in outcome.stdout
    (error,) = outcome.stderr.splitlines()
    assert error.startswith(f"error: {tmp_path}/status/bad.json: ")
    assert complaint in error
    assert run(command, "my-app").exit_code == 0


def test_a_status_of_another_version_says_what_to_do(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "status" / "my-app.json", '{"target": "my-app", "phase": "IDLE"}')

    outcome = run("why", "my-app")

    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert "unexpected content (3 problems): namespace: Field required; reason: Field required;" in outcome.stderr
    assert "written by another version or edited: use the same version for the daemon and this" in outcome.stderr


def test_json_passes_on_what_this_version_does_not_know(run: Run, tmp_path: Path) -> None:
    newer = {"target": "my-app", "namespace": "default", "phase": "ORBITING", "orbit": {"height": 3}}
    write(tmp_path / "status" / "my-app.json", json.dumps(newer))

    assert json.loads(run("status", "my-app", "-o", "json").stdout) == newer
    assert json.loads(run("status", "-n", "default", "-o", "json").stdout) == [newer]


def test_keys_of_a_newer_version_are_ignored(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())
    path = tmp_path / "status" / "my-app.json"
    before = run("why").stdout
    newer = {**json.loads(path.read_text()), "orbit": {"height": 3}}
    newer["replicas"]["stable"]["paused"] = True

    write(path, json.dumps(newer))

    assert run("why").stdout.splitlines()[:3] == before.splitlines()[:3]


def test_a_status_that_cannot_be_read_hides_no_target_of_a_namespace(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())
    write(tmp_path / "status" / "torn.json", "{ torn")
    write(tmp_path / "status" / "foreign.json", '{"target": "foreign", "namespace": "elsewhere"}')

    outcome = run("status", "-n", "default", "-o", "json")

    assert [one["target"] for one in json.loads(outcome.stdout)] == ["my-app"]
    assert "torn.json" in outcome.stderr
    assert "foreign" not in outcome.stderr
    assert outcome.exit_code == 1


@pytest.mark.parametrize("text", ['{"schema": 2, "entries": []}', '{"schema": 1, "entries": [{"id": "r-1"}]}'])
def test_a_history_that_cannot_be_read_is_an_error_of_its_target(run: Run, tmp_path: Path, text: str) -> None:
    put(tmp_path, idle_state())
    put(tmp_path, a_state(target="other"))
    FileStore(tmp_path).append_history("my-app", history_entry(idle_state()))
    write(tmp_path / "history" / "other.json", text)

    outcome = run("history")

    assert outcome.exit_code == 1
    assert "my-app-c0ffee00-1" in outcome.stdout
    assert f"error: {tmp_path}/history/other.json: " in outcome.stderr


def test_asks_in_the_name_of_a_user_that_the_system_does_not_know(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr("getpass.getuser", unknown)
    put(tmp_path, a_state())

    assert run("pause", "my-app").exit_code == 0

    assert FileStore(tmp_path).commands("my-app")[0].by.startswith("uid ")


def test_why_explains_in_words(run: Run, tmp_path: Path) -> None:
    put(tmp_path, a_state())

    outcome = run("why", "my-app")

    assert outcome.stdout.startswith("my-app (default): in progress, step 1 of 2 (10 %) for ")
    assert "Before that: more traffic is needed [errors]." in " ".join(outcome.stdout.split())
    assert json.loads(run("why", "my-app", "-o", "json").stdout) == {
        "target": "my-app",
        "why": outcome.stdout.rstrip("\n"),
    }


def test_why_is_wrapped_to_80_columns_without_a_terminal_and_to_its_width_with_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, a_state(warnings=("one " * 60,)))

    assert 70 < max(map(len, run("why", "my-app").stdout.splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "120")
    assert 100 < max(map(len, run("why", "my-app").stdout.splitlines())) <= 120


def test_why_gives_technical_values_only_where_they_are_asked_for(run: Run, tmp_path: Path) -> None:
    evidence = LogEvidence(abort=0.0, promote=2.1, advance=3.0, abort_at=6.5, promote_at=3.0)
    put(tmp_path, a_state(), MetricVerdict("errors", Classification.UNDECIDED, "errors: few", evidence=evidence))

    assert "log evidence" not in run("why", "my-app").stdout
    assert "promotion evidence 70 %: log evidence 2.10 of 3.00" in run("why", "my-app", "--details").stdout


def test_history_lists_ended_releases(run: Run, tmp_path: Path) -> None:
    put(tmp_path, idle_state())
    FileStore(tmp_path).append_history("my-app", history_entry(idle_state()))

    assert [entry["id"] for entry in json.loads(run("history", "-o", "json").stdout)] == ["my-app-c0ffee00-1"]
    head, row, reason = run("history", "my-app").stdout.splitlines()
    assert head.split() == ["ENDED", "RELEASE", "RESULT", "TOOK", "CULPRIT"]
    assert row.split() == ["2026-03-01", "12:00Z", "my-app-c0ffee00-1", "aborted", "12s", "-"]
    assert reason == "  new version c0ffee001122"
    assert "TO-SAFE" in run("history", "-o", "wide").stdout


def test_history_gives_the_first_sentence_of_a_reason(run: Run, tmp_path: Path) -> None:
    put(tmp_path, idle_state())
    reason = "errors: canary 10.5 %: 3.1x; limit 1.25x + 0.05 pp. Failed, false alarm chance below 0.15 %."
    FileStore(tmp_path).append_history("my-app", replace(history_entry(idle_state()), reason=reason))

    assert run("history").stdout.splitlines()[2] == "  errors: canary 10.5 %: 3.1x; limit 1.25x + 0.05 pp"
    assert run("history", "-o", "wide").stdout.splitlines()[1].endswith("limit 1.25x + 0.05 pp")


def test_status_gives_the_first_sentence_of_what_ended_a_release(run: Run, tmp_path: Path) -> None:
    cause = Cause(CauseKind.FAIL, "errors: canary 10.5 %: 3.1x. Failed, false alarm chance below 0.15 %.", "errors")
    put(tmp_path, a_state(phase=Phase.ABORTED, release=a_release(cause=cause, ended_at=at(9), result=Result.ABORTED)))

    assert run("status").stdout.splitlines()[2] == "  errors: canary 10.5 %: 3.1x"


def test_status_of_an_ended_release_shows_no_share_that_a_version_before_has_left(run: Run, tmp_path: Path) -> None:
    status = a_status_document(phase=Phase.ABORTED, outcome="aborted", observed_share=0.219)
    FileStore(tmp_path).publish("my-app", status)

    assert "21.9" not in run("status").stdout
    assert "21.9" not in run("why").stdout


def test_a_folder_takes_the_place_of_a_cluster(run: Run) -> None:
    outcome = run("status", "--context", "production")

    assert outcome.exit_code == 2
    assert "--state-dir" in outcome.stderr


def test_a_state_directory_that_does_not_exist_is_a_mistake_in_the_command(tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)

    outcome = CliRunner().invoke(app, ["status", "--state-dir", str(tmp_path / "nowhere")])

    assert outcome.exit_code == 2
    assert "--state-dir" in outcome.stderr
